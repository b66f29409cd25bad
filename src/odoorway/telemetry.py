"""Log events, each listed once with its meaning."""

from enum import StrEnum
from typing import Any, Self

import structlog


class Log(StrEnum):
    """Every log event, with its meaning."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make a member of its *value* and *meaning*."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    STARTED = "gateway.started", "serving; with the address and the number of routes"
    STOPPING = "gateway.stopping", "a signal arrived; nothing more is accepted"
    STOPPED = "gateway.stopped", "all that was accepted is settled or durable"
    ACCEPTED = "event.accepted", "an event is durable and was answered 202"
    DUPLICATE = "event.duplicate", "an event came again and was answered like the first"
    REFUSED = "request.refused", "a request was refused; with its diagnosis"
    UNRECORDED = "rejection.unrecorded", "a flood: so many refusals were logged but not recorded"
    DELIVERED = "delivery.delivered", "written into the destination"
    RETRY = "delivery.retry", "will be tried again; with when and why"
    DEAD = "delivery.dead", "a person has to look; with the diagnosis"
    SKIPPED = "delivery.skipped", "nothing to do; with the reason"
    PAUSED = "destination.paused", "the destination fails as a whole; no attempt is spent"
    RESUMED = "destination.resumed", "it works again"
    JOURNAL_FAILED = "journal.failed", "the store could not do it"
    INTERNAL = "gateway.internal-error", "a bug of Odoorway's; with the traceback"


def log(event: Log, **values: Any) -> None:
    """Write one log line."""
    structlog.get_logger("odoorway").info(event.value, **values)
