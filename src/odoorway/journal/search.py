"""How events are searched: newest first, stretch by stretch, as far as the time reaches."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import apsw

from odoorway.journal.found import EventFilter, EventPage
from odoorway.journal.reader import Spent
from odoorway.journal.rows import Row, to_event
from odoorway.journal.statements import load
from odoorway.model.event import Event

SQL: Final = load("sqlite", "search")
PAGE_BYTES: Final = 16 * 1024 * 1024  # of bodies in a page; one more than fits is in it
_ALL: Final = 2**63 - 1
_FIRST, _LONGEST = 16, 8_192  # events in a stretch
_QUICK, _ENOUGH = 0.05, 0.5  # shares of the time: of a quick stretch, and after which it ends


@dataclass(slots=True)
class _Page:
    """What was found so far."""

    limit: int
    events: list[Event] = field(default_factory=list)
    size: int = 0  # bytes of bodies
    last: int = 0  # the position of the last of them

    @property
    def full(self) -> bool:
        return len(self.events) >= self.limit or self.size >= PAGE_BYTES

    def take(self, db: apsw.Connection, name: str, asked: Mapping[str, Any]) -> None:
        """Add what is found, no more than there is room for."""
        rows = db.execute(SQL[name], {**asked, "limit": self.limit - len(self.events)})
        for row in rows:
            event = to_event(row[1:])
            self.events.append(event)
            self.last, self.size = row[0], self.size + len(event.body)
            if self.full:
                break
        rows.close()


def search(
    db: apsw.Connection, wanted: EventFilter, limit: int, before: int | None, spent: Spent
) -> EventPage:
    """Return a page. A search for what is rare ends after half of its time, to be gone on with.

    Raises:
        apsw.InterruptError: the time ended in the first stretch.
    """
    page = _Page(limit)
    newest: Row = db.execute(SQL["newest_event"]).fetchall()[0]
    start = min(before or _ALL, newest[0] + 1)
    asked = {**asdict(wanted), "state": wanted.state and wanted.state.value}
    if wanted.ordering_key and not wanted.external_id:
        page.take(db, "search_about", asked | {"before": start})
        stop = 1
    else:
        stop = _walk(db, page, asked, start, _first(wanted), spent)
    if page.full:
        return EventPage(tuple(page.events), page.last)
    if stop <= 1:
        return EventPage(tuple(page.events), None)
    return EventPage(tuple(page.events), stop, _arrival(db, stop))


def _walk(  # noqa: PLR0917 - where it begins, and how
    db: apsw.Connection,
    page: _Page,
    asked: Mapping[str, Any],
    start: int,
    size: int,
    spent: Spent,
) -> int:
    """Fill *page* until it is full or half of the time is gone; return how far it came."""
    position, gone = start, spent()
    while position > 1 and not page.full and gone < _ENOUGH:
        stop = max(1, position - size)
        try:
            page.take(db, "search", {**asked, "before": position, "stop": stop})
        except apsw.InterruptError:
            if position == start and not page.events:
                raise
            return min(position, page.last or position)
        before, gone = gone, spent()
        size = min(size * 2, _LONGEST) if gone - before < _QUICK else max(1, size // 2)
        position = stop
    return position


def _first(wanted: EventFilter) -> int:
    """Return how long the first stretch is: without a filter every event is wanted."""
    return _FIRST if wanted != EventFilter() else _ALL


def _arrival(db: apsw.Connection, position: int) -> float | None:
    with contextlib.suppress(apsw.InterruptError):  # where the time ended is known without it
        row: Row | None = db.execute(SQL["event_time"], {"seq": position}).fetchone()
        return None if row is None else float(row[0])
    return None
