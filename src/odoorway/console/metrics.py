"""Prometheus metrics: counters as things happen, gauges when they are asked for."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from odoorway.console.desk import Desk, Paces
from odoorway.journal.port import Stats
from odoorway.model.delivery import State
from odoorway.model.standing import Standing
from odoorway.telemetry import REGISTRY, Gauge

Labelled = tuple[tuple[str, ...], float]


class Metrics:
    """Answers a scrape: what was counted, and how things stand now."""

    def __init__(self, desk: Desk) -> None:
        """Read gauges from the parts of *desk* when asked."""
        self._desk = desk

    async def text(self) -> bytes:
        """Return the exposition, in Prometheus' text format.

        Raises:
            JournalUnavailable: the journal cannot be read, which a scrape should show.
        """
        journal, pace = self._desk.journal, self._desk.pace()
        names = sorted({*await journal.destinations(), *pace})
        standings = [await journal.standing(name) for name in names]
        values = gauges(await journal.stats(), standings, pace, self._desk.clock.now())
        values[Gauge.LOOP_LAG] = [((), self._desk.lag())]
        values[Gauge.GROUP] = [((), journal.group_size())]
        now = CollectorRegistry()
        now.register(_Collected(values))
        return generate_latest(REGISTRY) + generate_latest(now)


def gauges(
    stats: Stats, standings: Iterable[Standing], pace: Paces, now: float
) -> dict[Gauge, list[Labelled]]:
    """Return the value of every gauge that tells how deliveries stand. Pure."""
    oldest = 0.0 if stats.oldest_waiting is None else max(0.0, now - stats.oldest_waiting)
    count = stats.deliveries
    values: dict[Gauge, list[Labelled]] = {
        Gauge.WAITING: [((), count[State.PENDING] + count[State.LEASED])],
        Gauge.DEAD: [((), count[State.DEAD])],
        Gauge.OLDEST: [((), oldest)],
        Gauge.BREAKER: [],
        Gauge.PAUSED: [],
        Gauge.BATCH: [((name,), size) for name, (size, _) in sorted(pace.items())],
        Gauge.CONCURRENCY: [((name,), many) for name, (_, many) in sorted(pace.items())],
    }
    for one in standings:
        values[Gauge.BREAKER].append(((one.name,), float(one.failures > 0)))
        values[Gauge.PAUSED].append(((one.name,), float(one.paused)))
    return values


class _Collected(Collector):
    """Gauges of one moment, in the form that prometheus_client asks for."""

    def __init__(self, values: Mapping[Gauge, Iterable[Labelled]]) -> None:
        self._values = values

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge, found in self._values.items():
            family = GaugeMetricFamily(gauge.value, gauge.meaning, labels=gauge.labels)
            for labels, value in found:
                family.add_metric(labels, value)
            yield family
