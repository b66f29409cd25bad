"""Log events and metrics, each listed once with its meaning."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Histogram as PrometheusHistogram


class _Meant(StrEnum):
    """A name with its meaning and, for a metric, its labels."""

    meaning: str
    labels: tuple[str, ...]

    def __new__(cls, value: str, meaning: str, *labels: str) -> Self:
        """Make a member of its *value*, *meaning* and *labels*."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning, member.labels = meaning, labels
        return member


class Log(_Meant):
    """Every log event, with its meaning."""

    STARTED = "gateway.started", "serving; with the address and the number of routes"
    STOPPING = "gateway.stopping", "a signal arrived; nothing more is accepted"
    STOPPED = "gateway.stopped", "all that was accepted is settled or durable"
    ACCEPTED = (
        "event.accepted",
        "an event is durable and was answered 202; with what it lacks of what its source declares",
    )
    DUPLICATE = "event.duplicate", "an event came again and was answered like the first"
    REFUSED = "request.refused", "a request was refused; with its diagnosis"
    UNRECORDED = "rejection.unrecorded", "a flood: so many refusals were logged but not recorded"
    DELIVERED = "delivery.delivered", "written into the destination"
    RETRY = "delivery.retry", "will be tried again; with when and why"
    DEAD = "delivery.dead", "a person has to look; with the diagnosis"
    BREACHED = (
        "delivery.breached",
        "written, but not as the handler expected; with what it expected and what Odoo holds",
    )
    SKIPPED = "delivery.skipped", "nothing to do; with the reason"
    PAUSED = "destination.paused", "the destination fails as a whole; no attempt is spent"
    RESUMED = "destination.resumed", "it works again"
    HANDLERS_FAILED = (
        "handlers.failed",
        "a process for handlers could not be had, or its parent was gone; it is started anew",
    )
    PART_ENDED = (
        "gateway.part-ended",
        "a part of the gateway ended; with why, and whether it is begun anew or the process ends",
    )
    LEASE_LOST = (
        "delivery.lease-lost",
        "its lease ended before its outcome was recorded; nothing is taken for delivered",
    )
    CLOCK_BACK = (
        "clock.set-back",
        "what waits was dated in the future; it is due as long from now as it was then",
    )
    FORGOTTEN = "journal.forgotten", "old events and rejections were removed; with how many"
    JOURNAL_LARGE = (
        "journal.large",
        "larger than keep_size though all that may go is gone; with its size and what to do",
    )
    ALERT = "alert.raised", "something needs a person, and was told; with what"
    ALERT_OVER = "alert.over", "what was told is over"
    ALERT_UNSENT = "alert.unsent", "an alert could not be sent; it is tried again"
    JOURNAL_FAILED = "journal.failed", "the store could not do it"
    INTERNAL = "gateway.internal-error", "a bug of Odoorway's; with the traceback"


class Counter(_Meant):
    """Every counter. Labels take few values, whatever a platform sends.

    Sources and destinations are those declared; a topic is the pattern of a route that it fits, or
    ``other``.
    """

    EVENTS = "odoorway_events", "events accepted, or known already", "source", "topic", "result"
    FLAWS = (
        "odoorway_flawed_events", "events where a declared place names nothing", "source", "code",
    )  # fmt: skip
    REJECTIONS = "odoorway_rejections", "requests refused, by diagnosis", "source", "code"
    ATTEMPTS = (
        "odoorway_attempts", "attempts settled, by what came of them",
        "source", "topic", "destination", "outcome", "code",
    )  # fmt: skip
    RESTARTS = (
        "odoorway_part_restarts",
        "parts of the gateway that ended and were begun anew",
        "part",
    )


class Histogram(_Meant):
    """Every histogram, in seconds."""

    ACK = "odoorway_ack_seconds", "from a request's head to its 202", "source"
    ARRIVAL = "odoorway_delivery_seconds", "from acceptance to delivered", "source", "destination"
    BATCH = "odoorway_batch_seconds", "one batch, from lease to answer", "destination"


class Gauge(_Meant):
    """Every gauge, read when it is asked for."""

    WAITING = "odoorway_waiting_deliveries", "deliveries that are not settled yet"
    DEAD = "odoorway_dead_deliveries", "dead letters"
    OLDEST = "odoorway_oldest_waiting_seconds", "the age of the oldest event that waits; 0 for none"
    BREAKER = "odoorway_breaker_open", "1: the destination fails as a whole", "destination"
    PAUSED = "odoorway_paused", "1: a person paused the destination", "destination"
    BATCH = "odoorway_batch_size", "deliveries that a batch may have now", "destination"
    LOOP_LAG = "odoorway_loop_lag_seconds", "the longest the event loop was held up in a minute"
    GROUP = "odoorway_commit_appends", "appends that share a commit, on average of the last ones"
    CONCURRENCY = "odoorway_concurrency", "batches that may be under way now", "destination"


_SECONDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200,
    43200, 259200, 2592000,
)  # fmt: skip
REGISTRY = CollectorRegistry()
_COUNTERS = {
    one: PrometheusCounter(one.value, one.meaning, one.labels, registry=REGISTRY) for one in Counter
}
_HISTOGRAMS = {
    one: PrometheusHistogram(
        one.value, one.meaning, one.labels, registry=REGISTRY, buckets=_SECONDS
    )
    for one in Histogram
}


def log(event: Log, **values: Any) -> None:
    """Write one log line."""
    structlog.get_logger("odoorway").info(event.value, **values)


def count(counter: Counter, *labels: str) -> None:
    """Add one."""
    _COUNTERS[counter].labels(*labels).inc()


def begin(counter: Counter, *labels: str) -> None:
    """Show the counter at zero before there is anything to count."""
    _COUNTERS[counter].labels(*labels)


def observe(histogram: Histogram, seconds: float, *labels: str) -> None:
    """Add one duration."""
    _HISTOGRAMS[histogram].labels(*labels).observe(seconds)


def observed(histogram: Histogram) -> Mapping[tuple[str, ...], Mapping[float, float]]:
    """Return how many durations stayed under each bound and over the next, by labels."""
    found: dict[tuple[str, ...], dict[float, float]] = {}
    for family in _HISTOGRAMS[histogram].collect():
        below: dict[tuple[str, ...], float] = {}
        for sample in (one for one in family.samples if one.name.endswith("_bucket")):
            labels = tuple(sample.labels[name] for name in histogram.labels)
            number = sample.value - below.get(labels, 0.0)
            below[labels] = sample.value
            if number:
                found.setdefault(labels, {})[float(sample.labels["le"])] = number
    return found
