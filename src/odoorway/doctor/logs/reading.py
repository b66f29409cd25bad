"""A log on its way through: lines in, each incident with its group out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from odoorway.doctor.logs.groups import IncidentGroup, IncidentGroups
from odoorway.doctor.logs.lines import blocks, plain
from odoorway.doctor.logs.parse import Access, LogRecord, Scanner
from odoorway.doctor.logs.tie import Incident, Tie


@dataclass(frozen=True, slots=True)
class GroupedIncident:
    """An incident, and the group that it was counted in."""

    incident: Incident
    group: IncidentGroup


class Reading:
    """Reads a log once, in memory that does not grow with it."""

    def __init__(self) -> None:
        self.groups = IncidentGroups()
        self._tie = Tie()
        self._scanner = Scanner(self._tie.waiting)

    @property
    def span(self) -> tuple[str, str]:
        """The times of the first and the last record; empty where no line is of Odoo's log."""
        return self._scanner.first, self._scanner.last

    @property
    def ties(self) -> bool:
        """Whether the log has access lines, without which no failure has a request."""
        return self._scanner.requests

    def read(self, chunks: Iterable[bytes | None]) -> Iterator[GroupedIncident]:
        """Yield each incident of *chunks* as soon as it is known; None is a pause in the log."""
        cut = plain()
        for block in blocks(chunks):
            if block is None:
                yield from self._pause()
            else:
                yield from self._taken(self._scanner.feed(cut(block)))

    def finish(self) -> Iterator[GroupedIncident]:
        """Yield what is left when no more lines come."""
        yield from self._taken(self._scanner.finish())
        yield from self._counted(self._tie.finish())

    def _pause(self) -> Iterator[GroupedIncident]:
        yield from self._taken(self._scanner.finish())
        yield from self._counted(self._tie.idle())

    def _taken(self, items: Iterable[LogRecord | Access]) -> Iterator[GroupedIncident]:
        for item in items:
            yield from self._counted(self._tie.take(item))

    def _counted(self, incidents: Iterable[Incident]) -> Iterator[GroupedIncident]:
        for incident in incidents:
            yield GroupedIncident(incident, self.groups.add(incident))
