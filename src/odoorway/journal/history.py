"""Events with all that became of them, in the order in which they were stored."""

from collections import defaultdict
from dataclasses import asdict
from typing import Final, cast

import apsw

from odoorway.journal.found import EventFilter, History, HistoryPage
from odoorway.journal.rows import Row, encode, to_attempt, to_delivery, to_event
from odoorway.journal.search import PAGE_BYTES
from odoorway.journal.statements import load
from odoorway.model.delivery import Attempt, Delivery

SQL: Final = load("sqlite", "search")


def history(db: apsw.Connection, wanted: EventFilter, after: int, limit: int) -> HistoryPage:
    """Return those of the next *limit* events that are *wanted*; all of one moment."""
    with db:
        last = _last(db, after, limit)
        if last is None:
            return HistoryPage((), None)
        asked = {**asdict(wanted), "state": wanted.state and wanted.state.value}
        stretch = {"before": last + 1, "stop": after + 1, "limit": limit}
        rows: list[Row] = db.execute(SQL["search"], asked | stretch).fetchall()
        became = _became(db, [row[0] for row in rows])
    found = (History(to_event(row[1:]), tuple(became[row[0]])) for row in reversed(rows))
    return HistoryPage(tuple(found), last)


def _last(db: apsw.Connection, after: int, limit: int) -> int | None:
    """Return the position of the last event that fits into a page, or None for no more."""
    last, size = None, 0
    sizes = db.execute(SQL["sizes"], {"after": after, "limit": limit}).fetchall()
    for position, length in cast("list[tuple[int, int]]", sizes):
        size += length
        if last is not None and size > PAGE_BYTES:
            break
        last = position
    return last


def _became(
    db: apsw.Connection, events: list[int]
) -> dict[int, list[tuple[Delivery, tuple[Attempt, ...]]]]:
    """Return the deliveries of each event, the newest first, with their attempts."""
    given = {"events": encode(events)}
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    for row in db.execute(SQL["attempts_of"], given):
        attempts[cast("int", row[0])].append(to_attempt(row[1:]))
    became = defaultdict(list)
    for row in db.execute(SQL["deliveries_of"], given):
        delivery = to_delivery(row[1:])
        became[cast("int", row[0])].append((delivery, tuple(attempts[delivery.id])))
    return became
