"""What the reader answers: listings, single values and counts, each from an index."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, cast

import apsw

from odoorway.journal.found import Beat, EventFilter, EventPage, Flow, Problem
from odoorway.journal.port import Stats
from odoorway.journal.rows import (
    encode,
    to_attempt,
    to_delivery,
    to_event,
    to_rejection,
    to_standing,
)
from odoorway.journal.statements import load
from odoorway.model.delivery import Attempt, Delivery, State
from odoorway.model.event import Event, Rejection
from odoorway.model.standing import Standing

SQL: Final[Mapping[str, str]] = load("sqlite", "read")
_LAST: Final = 2**63 - 1


def next_due(db: apsw.Connection, destination: str) -> float | None:
    """Return when the next lane may go."""
    if standing(db, destination).paused:
        return None
    ((due,),) = db.execute(SQL["next_due"], {"destination": destination}).fetchall()
    return None if due is None else float(due)


def events(db: apsw.Connection, limit: int, before: str | None) -> Sequence[Event]:
    """Return events, the last to arrive first."""
    name = "events" if before is None else "events_before"
    rows = db.execute(SQL[name], {"limit": limit, "before": before})
    return tuple(map(to_event, rows))


def event(db: apsw.Connection, event_id: str) -> Event | None:
    """Return one event."""
    row = db.execute(SQL["event"], {"id": event_id}).fetchone()
    return None if row is None else to_event(row)


def deliveries(
    db: apsw.Connection,
    event_id: str | None,
    state: State | None,
    limit: int,
    before: int | None,
) -> Sequence[Delivery]:
    """Return deliveries, newest first."""
    bindings: dict[str, Any] = {
        "event_id": event_id,
        "state": state,
        "limit": limit,
        "before": _LAST if before is None else before,
    }
    rows = db.execute(SQL[_listing(event_id, state)], bindings)
    return tuple(map(to_delivery, rows))


def _listing(event_id: str | None, state: State | None) -> str:
    if event_id is not None:
        return "deliveries_of_event"
    return "deliveries" if state is None else "deliveries_in_state"


def delivery(db: apsw.Connection, delivery_id: int) -> Delivery | None:
    """Return one delivery."""
    row = db.execute(SQL["delivery"], {"id": delivery_id}).fetchone()
    return None if row is None else to_delivery(row)


def attempts(db: apsw.Connection, delivery_id: int) -> Sequence[Attempt]:
    """Return a delivery's attempts, first to last."""
    return tuple(map(to_attempt, db.execute(SQL["attempts"], {"delivery": delivery_id})))


def rejections(db: apsw.Connection, limit: int) -> Sequence[Rejection]:
    """Return rejections, newest first."""
    return tuple(map(to_rejection, db.execute(SQL["rejections"], {"limit": limit})))


def stats(db: apsw.Connection) -> Stats:
    """Return the counts, all of one moment."""
    with db:
        tally = dict(cast("list[tuple[str, int]]", db.execute(SQL["tally"]).fetchall()))
        ((oldest,),) = cast(
            "list[tuple[float | None]]", db.execute(SQL["oldest_waiting"]).fetchall()
        )
    return Stats(
        events=tally["event"],
        rejections=tally["rejection"],
        deliveries={state: tally[state] for state in State},
        oldest_waiting=oldest,
    )


def standing(db: apsw.Connection, destination: str) -> Standing:
    """Return how a destination stands."""
    row = db.execute(SQL["standing"], {"destination": destination}).fetchone()
    return Standing(name=destination) if row is None else to_standing(row)


def destinations(db: apsw.Connection) -> Sequence[str]:
    """Return the destinations, each found by one step in an index."""
    return tuple(str(name) for (name,) in db.execute(SQL["destinations"]))


def bound(db: apsw.Connection, destination: str, xids: Sequence[str]) -> Mapping[str, int]:
    """Return the database ids of the external IDs that are bound."""
    asked = {"destination": destination, "xids": encode(list(xids))}
    return {str(xid): int(ident) for xid, ident in db.execute(SQL["bound"], asked)}


def search(db: apsw.Connection, wanted: EventFilter, limit: int, before: int | None) -> EventPage:
    """Return a page; a search for what is rare ends after a stretch, to be gone on with."""
    ((newest,),) = db.execute(SQL["newest_event"]).fetchall()
    start = min(before or _LAST, int(cast("int", newest)) + 1)
    stop = max(1, start - stretch(wanted))
    asked = {
        **asdict(wanted),
        "state": wanted.state and wanted.state.value,
        "before": start,
        "stop": stop,
        "limit": limit,
    }
    about = bool(wanted.ordering_key) and not wanted.external_id
    rows = db.execute(SQL["search_about" if about else "search"], asked).fetchall()
    events = tuple(to_event(row[1:]) for row in rows)
    if len(rows) == limit:
        return EventPage(events, cast("int", rows[-1][0]))
    if about or stop <= 1:
        return EventPage(events, None)
    times = db.execute(SQL["event_time"], {"seq": stop}).fetchall()
    return EventPage(events, stop, float(cast("float", times[0][0])) if times else None)


def stretch(wanted: EventFilter) -> int:
    """Return how many events a search looks at before it lets somebody else read."""
    if wanted.text or wanted.external_id:
        return 5_000
    narrow = wanted.source or wanted.topic or wanted.state or wanted.since or wanted.until
    return 20_000 if narrow else _LAST


def problems(db: apsw.Connection) -> Sequence[Problem]:
    """Return what a person has to look at, the newest first."""
    names = ("kind", "source", "destination", "code", "count", "first", "last", "example")
    rows = db.execute(SQL["problems"])
    return tuple(Problem(**dict(zip(names, row, strict=True))) for row in rows)


def flows(db: apsw.Connection) -> Sequence[Flow]:
    """Return the counts by source and destination."""
    return tuple(Flow(row[0], row[1], State(row[2]), row[3]) for row in db.execute(SQL["flows"]))


def beats(db: apsw.Connection, minute: int) -> Sequence[Beat]:
    """Return what happened since that minute."""
    return tuple(Beat(*row) for row in db.execute(SQL["beats"], {"minute": minute}))


def size(db: apsw.Connection) -> int:
    """Return the bytes of the pages in use; both numbers are of one moment."""
    with db:
        pages = int(db.pragma("page_count")) - int(db.pragma("freelist_count"))
    return pages * int(db.pragma("page_size"))


def rejection(db: apsw.Connection, rejection_id: str) -> Rejection | None:
    """Return one rejection."""
    row = db.execute(SQL["rejection"], {"id": rejection_id}).fetchone()
    return None if row is None else to_rejection(row)
