"""What the reader answers: listings, single values and counts, each from an index."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final, cast

import apsw

from odoorway.journal.found import (
    Beat,
    Chosen,
    DeadLetter,
    Flow,
    Problem,
    Rhythm,
    Took,
)
from odoorway.journal.port import Stats
from odoorway.journal.rows import (
    Parameters,
    Row,
    encode,
    to_attempt,
    to_delivery,
    to_event,
    to_rejection,
    to_standing,
)
from odoorway.journal.statements import load
from odoorway.model.delivery import Attempt, Delivery, Planned, State
from odoorway.model.event import Event, Rejection
from odoorway.model.standing import Standing

SQL: Final[Mapping[str, str]] = load("sqlite", "read")
_LAST: Final = 2**63 - 1
_Hour = tuple[str, str, str, str, int, int]  # kind, source, destination, code, hour, how many


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


def dead_letters(
    db: apsw.Connection, chosen: Chosen, limit: int, after: int, last: int | None
) -> Sequence[DeadLetter]:
    """Return dead letters, oldest first."""
    bounds = {"limit": limit, "after": after, "last": _LAST if last is None else last}
    asked = {**asdict(chosen), **bounds}
    rows = cast(
        "list[tuple[int, str, str, str, int]]", db.execute(SQL["dead_letters"], asked).fetchall()
    )
    return tuple(
        DeadLetter(number, event_id, Planned(route=route, destination=name, hold=bool(hold)))
        for number, event_id, route, name, hold in rows
    )


def count_dead(db: apsw.Connection, chosen: Chosen) -> int:
    """Return how many there are."""
    ((count,),) = db.execute(SQL["count_dead"], asdict(chosen)).fetchall()
    return cast("int", count)


def problems(db: apsw.Connection, long_ago: float) -> Sequence[Problem]:
    """Return what a person has to look at, the newest first; all of one moment."""
    with db:
        found = [
            *_troubles(db),
            *_hourly_problems(db, "waiting", {"long_ago": long_ago}),
            *_hourly_problems(db, "rejection", {}),
        ]
    return sorted(found, key=lambda problem: problem.last, reverse=True)


def _troubles(db: apsw.Connection) -> Iterator[Problem]:
    """Count by the hours that are kept; first and last are a step in an index each."""
    rows = cast("list[_Hour]", db.execute(SQL["trouble_hours"]).fetchall())
    for (kind, source, destination, code), hours in groupby(rows, key=lambda row: row[:4]):
        group = {"kind": kind, "source": source, "destination": destination, "code": code}
        first: Row = db.execute(SQL["trouble_first"], group).fetchall()[0]
        last: Row = db.execute(SQL["trouble_last"], group).fetchall()[0]
        counts = tuple((hour, n) for *_, hour, n in hours)
        yield Problem(
            **group,
            count=sum(n for _, n in counts),
            first=first[0],
            last=last[0],
            example=last[1],
            hours=counts,
        )


def _hourly_problems(db: apsw.Connection, kind: str, asked: Parameters) -> Iterator[Problem]:
    rows: list[Row] = db.execute(SQL[f"{kind}_hours"], asked).fetchall()
    for (source, destination, code), group in groupby(rows, key=lambda row: row[:3]):
        hours = list(group)
        yield Problem(
            kind=kind,
            source=source,
            destination=destination,
            code=code,
            count=sum(row[4] for row in hours),
            first=min(row[5] for row in hours),
            last=max(row[6] for row in hours),
            example=max(row[7] for row in hours),
            hours=tuple((row[3], row[4]) for row in hours),
        )


def flows(db: apsw.Connection) -> Sequence[Flow]:
    """Return the counts by source and destination."""
    return tuple(Flow(row[0], row[1], State(row[2]), row[3]) for row in db.execute(SQL["flows"]))


def beats(db: apsw.Connection, minute: int) -> Sequence[Beat]:
    """Return what happened since that minute."""
    return tuple(Beat(*row) for row in db.execute(SQL["beats"], {"minute": minute}))


def rhythms(
    db: apsw.Connection, sources: Sequence[str], now: float, history: int
) -> Mapping[str, Rhythm]:
    """Return when those sources sent last, by one row each."""
    found = {}
    for source in sources:
        asked = {"source": source, "now": now, "history": history}
        row: Row = db.execute(SQL["rhythm"], asked).fetchall()[0]
        if row[0] is not None:
            found[source] = Rhythm(row[0], row[1], row[2] or 0.0)
    return found


def rejected_since(db: apsw.Connection, at: float) -> int:
    """Return how many requests were refused."""
    ((count,),) = db.execute(SQL["rejected_since"], {"at": at}).fetchall()
    return cast("int", count)


def oldest(db: apsw.Connection) -> Mapping[tuple[str, str], float]:
    """Return since when each source waits for each destination, of those that wait longest."""
    rows = cast("list[tuple[str, str, float]]", db.execute(SQL["oldest"]).fetchall())
    return {(source, destination): at for source, destination, at in rows}


def latency(db: apsw.Connection, minute: int, minutes: int) -> Sequence[Took]:
    """Return what was noted since that minute, added up."""
    asked = {"minute": minute, "minutes": minutes}
    return tuple(Took(*row) for row in db.execute(SQL["latency"], asked))


def size(db: apsw.Connection) -> int:
    """Return the bytes of the pages in use; both numbers are of one moment."""
    with db:
        pages = int(db.pragma("page_count")) - int(db.pragma("freelist_count"))
    return pages * int(db.pragma("page_size"))


def rejection(db: apsw.Connection, rejection_id: str) -> Rejection | None:
    """Return one rejection."""
    row = db.execute(SQL["rejection"], {"id": rejection_id}).fetchone()
    return None if row is None else to_rejection(row)
