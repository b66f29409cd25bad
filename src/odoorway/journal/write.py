"""What the writer does inside a transaction, one function an operation of the port."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never, cast

import apsw

from odoorway.errors import JournalFull
from odoorway.journal.caps import cap_text
from odoorway.journal.port import Appended, Limits
from odoorway.journal.rows import (
    Bindings,
    Row,
    event_bindings,
    rejection_bindings,
    settlement_bindings,
    to_delivery,
    to_event,
)
from odoorway.journal.statements import load
from odoorway.model.delivery import Leased, Outcome, Planned, Settlement, State
from odoorway.model.event import Event, Rejection

SQL = load("sqlite", "write")
LEASE_LOST = "gateway.lease-lost"
NO_ROUTE = "event.no-route"


def append(
    db: apsw.Connection, event: Event, planned: Sequence[Planned], limits: Limits
) -> Appended:
    """Add the event and its deliveries; refuses before its first write."""
    row = event_bindings(event)
    if planned and _scalar(db, "waiting") >= limits.max_waiting:
        return _append_when_full(db, row, limits)
    added = db.execute(SQL["event_add"], row).fetchone()
    if added is None:
        return Appended(_known(db, row), duplicate=True)
    lane = {
        "event": added[0],
        "source": event.source,
        "ordering_key": event.ordering_key,
        "due_at": event.received_at,
        "replay": False,
    }
    for plan in planned:
        _deliver(db, lane, plan)
    if not planned:
        unrouted = {"event": added[0], "at": event.received_at, "code": NO_ROUTE}
        db.execute(SQL["delivery_add_unrouted"], unrouted)
    return Appended(event.id, duplicate=False)


def _append_when_full(db: apsw.Connection, row: Bindings, limits: Limits) -> Appended:
    """Answer a repeat like its original; it needs no room."""
    known = db.execute(SQL["event_known"], row).fetchone()
    if known is None:
        raise JournalFull(
            f"{limits.max_waiting} deliveries wait already: see why they do (`odoorway dead"
            " list`, the destination's state), or raise ODOORWAY_MAX_WAITING"
        )
    return Appended(known[0], duplicate=True)


def _known(db: apsw.Connection, row: Bindings) -> str:
    return str(_scalar(db, "event_known", row))


def _deliver(db: apsw.Connection, lane: Bindings, plan: Planned) -> int:
    row = lane | {
        "destination": plan.destination,
        "route": plan.route,
        "hold": plan.hold,
    }
    db.execute(SQL["lane_enter"], row)
    return _scalar(db, "delivery_add", row)


def replay(
    db: apsw.Connection, event_id: str, planned: Sequence[Planned], now: float
) -> Sequence[int]:
    """Add deliveries of a stored event, first in line where a dead letter holds the lane."""
    found = db.execute(SQL["event_lane"], {"id": event_id}).fetchone()
    if found is None:
        return ()
    seq, source, ordering_key = found
    lane = {
        "event": seq,
        "source": source,
        "ordering_key": ordering_key,
        "due_at": now,
        "replay": True,
    }
    return tuple(_deliver(db, lane, plan) for plan in planned)


def lease(
    db: apsw.Connection, destination: str, owner: str, *, limit: int, now: float, until: float
) -> Sequence[Leased]:
    """Take the heads of the lanes that are due; the first of them waited longest."""
    due = {"destination": destination, "now": now, "limit": limit}
    rows = db.execute(SQL["lease_due"], due).fetchall()
    leased = tuple(_lease(db, row, owner, now, until) for row in rows)
    claim = {"owner": owner, "now": now, "until": until}
    db.executemany(SQL["lane_lease"], [claim | {"lane": row[0]} for row in rows])
    db.executemany(SQL["delivery_lease"], [claim | {"id": row[3]} for row in rows])
    return leased


def _lease(db: apsw.Connection, row: Row, owner: str, now: float, until: float) -> Leased:
    delivery = to_delivery(row[3:13])
    if delivery.state is State.LEASED:
        lost = lost_lease(row[1])
        attempt = {
            "delivery": delivery.id,
            "number": row[2] + 1,
            "at": delivery.updated_at,
            "seconds": delivery.due_at - delivery.updated_at,
            "outcome": Outcome.RETRY,
            "code": LEASE_LOST,
            "detail": lost,
            "records": "[]",
        }
        db.execute(SQL["attempt_add"], attempt)
        change = {"id": delivery.id, "code": LEASE_LOST, "detail": lost}
        db.execute(SQL["delivery_lease_lost"], change)
        delivery = replace(delivery, attempts=delivery.attempts + 1, code=LEASE_LOST, detail=lost)
    delivery = replace(delivery, state=State.LEASED, due_at=until, updated_at=now)
    return Leased(delivery=delivery, event=to_event(row[13:]), owner=owner, until=until)


def lost_lease(owner: str) -> str:
    """Return what a person reads about a lease that ran out."""
    return cap_text(f"{owner} did not say what came of it before its lease ended", 500)


def settle(db: apsw.Connection, owner: str, settlements: Sequence[Settlement]) -> Sequence[int]:
    """Record attempts and next states; return the deliveries that *owner* still held."""
    return tuple(done.delivery for done in settlements if _settle(db, owner, done))


def _settle(db: apsw.Connection, owner: str, done: Settlement) -> bool:
    row = settlement_bindings(done)
    held = db.execute(SQL["leased_by"], row | {"owner": owner}).fetchone()
    if held is None:
        return False
    lane, hold, recorded = held
    row |= {"lane": lane, "number": recorded + 1}
    db.execute(SQL["attempt_add"], row)
    db.execute(SQL["delivery_settle"], row)
    db.execute(SQL[_next_of_lane(done.outcome, hold=bool(hold))], row)
    return True


def _next_of_lane(outcome: Outcome, *, hold: bool) -> str:
    match outcome:
        case Outcome.RETRY:
            return "lane_retry"
        case Outcome.DEAD:
            return "lane_hold" if hold else "lane_advance"
        case Outcome.DELIVERED | Outcome.SKIPPED:
            return "lane_advance"
        case _:
            assert_never(outcome)


def release(db: apsw.Connection) -> int:
    """Make leased deliveries due; nothing of it counts or is recorded."""
    db.execute(SQL["lane_release"])
    db.execute(SQL["delivery_release"])
    return db.changes()


def reject(db: apsw.Connection, rejection: Rejection, limits: Limits) -> None:
    """Add a rejection and forget the oldest beyond the limit; numbers have no gaps."""
    newest = _scalar(db, "rejection_add", rejection_bindings(rejection))
    db.execute(SQL["rejection_forget"], {"seq": newest - limits.max_rejections})


def _scalar(db: apsw.Connection, name: str, bindings: Bindings | None = None) -> int:
    ((value,),) = db.execute(SQL[name], bindings or {}).fetchall()
    return cast("int", value)
