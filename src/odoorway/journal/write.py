"""What the writer does inside a transaction, one function an operation of the port."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import NamedTuple, assert_never, cast

import apsw

from odoorway.errors import JournalFull
from odoorway.journal import seen
from odoorway.journal.caps import cap_text
from odoorway.journal.found import Took
from odoorway.journal.port import Appended, Binding, Limits
from odoorway.journal.repeats import Mark, Sameness, mark_of
from odoorway.journal.rows import (
    Parameters,
    Row,
    encode,
    events_bindings,
    rejection_bindings,
    settlement_bindings,
    to_delivery,
    to_event,
)
from odoorway.journal.rules import LEASE_LOST, Fate, fate, gave_up, lost_lease, may_be
from odoorway.journal.statements import load
from odoorway.model.delivery import Leased, Outcome, Planned, Settlement, State
from odoorway.model.event import Event, Flaw, Rejection
from odoorway.model.standing import Standing
from odoorway.outside import read_json

SQL = load("sqlite", "write")
Lane = tuple[int, str, str, str, str, bool, float]  # event, lane's key, route, hold, due
_LOOKED_AT = 64  # lanes beside the limit: some may have to wait for their turn alone
_BODY = 24  # where the body stands in a row of `lease_due`
REPLAYED = "delivery.replayed"
NO_ROUTE = "event.no-route"
GIVEN_UP = "delivery.given-up"


class Arrival(NamedTuple):
    """An event to be added, with what is planned for it."""

    event: Event
    plans: Sequence[Planned]
    flaw: Flaw | None = None  # makes a dead letter of an event without a plan


class _Sorted(NamedTuple):
    arrival: Arrival
    mark: Mark
    sameness: Sameness


def append(
    db: apsw.Connection, arrivals: Sequence[Arrival], limits: Limits
) -> Sequence[Appended | JournalFull]:
    """Add events with their deliveries, in that order; a refusal is a result like any other."""
    sorted_out = _sort_out(db, arrivals, limits)
    planned = sum(len(one.arrival.plans) for one in sorted_out if not one.sameness.repeats)
    if planned and _scalar(db, "waiting") + planned > limits.max_waiting:
        return [_append_near_full(db, arrival, limits) for arrival in arrivals]
    return _append(db, sorted_out)


def _sort_out(
    db: apsw.Connection, arrivals: Sequence[Arrival], limits: Limits
) -> Sequence[_Sorted]:
    marks = [mark_of(arrival.event, limits) for arrival in arrivals]
    found = zip(arrivals, marks, seen.sort_out(db, marks), strict=True)
    return [_Sorted(arrival, mark, same) for arrival, mark, same in found]


def _append_near_full(
    db: apsw.Connection, arrival: Arrival, limits: Limits
) -> Appended | JournalFull:
    """Add the event if there is room; a repeat needs none."""
    (one,) = _sort_out(db, [arrival], limits)
    needs_room = arrival.plans and not one.sameness.repeats
    if not needs_room or _scalar(db, "waiting") < limits.max_waiting:
        return _append(db, [one])[0]
    return JournalFull(
        f"{limits.max_waiting} deliveries wait already: see why they do (`odoorway dead list`,"
        " the destination's state), or raise ODOORWAY_MAX_WAITING"
    )


def _append(db: apsw.Connection, sorted_out: Sequence[_Sorted]) -> Sequence[Appended]:
    added = _add_events(db, [one for one in sorted_out if not one.sameness.repeats])
    lanes, unrouted = [], []
    for event, plans, flaw in (one.arrival for one in sorted_out):
        if event.id in added:
            lanes += [_lane(added[event.id], event, plan) for plan in plans]
            unrouted += [] if plans else [_unrouted(added[event.id], event, flaw)]
    _deliver(db, lanes, replay=False)
    if unrouted:
        db.execute(SQL["deliveries_add_unrouted"], {"rows": encode(unrouted)})
        if flawed := [seq for seq, _, code, _ in unrouted if code != NO_ROUTE]:
            db.execute(SQL["unrouted_dead"], {"events": encode(flawed)})
    return [
        Appended(
            one.sameness.repeats or one.arrival.event.id,
            duplicate=one.arrival.event.id not in added,
        )
        for one in sorted_out
    ]


def _unrouted(seq: int, event: Event, flaw: Flaw | None) -> Row:
    """Return the number, time, code and detail of a delivery that goes nowhere."""
    return (seq, event.received_at, flaw.code if flaw else NO_ROUTE, flaw.detail if flaw else "")


def _add_events(db: apsw.Connection, new: Sequence[_Sorted]) -> Mapping[str, int]:
    """Store events and what they are known by; return the numbers of those not stored before."""
    if not new:
        return {}
    rows = events_bindings([(one.arrival.event, one.sameness.conflict) for one in new])
    stored = db.execute(SQL["events_add"], rows).fetchall()
    added = {str(event_id): cast("int", seq) for event_id, seq in stored}
    seen.remember(db, [one.mark for one in new if one.arrival.event.id in added])
    return added


def _lane(seq: int, event: Event, plan: Planned) -> Lane:
    return (
        seq,
        plan.destination,
        event.source,
        event.ordering_key,
        plan.route,
        plan.hold,
        event.received_at,
    )


def _deliver(db: apsw.Connection, lanes: Sequence[Lane], *, replay: bool) -> Sequence[int]:
    """Add a delivery each, in order; return their ids."""
    if not lanes:
        return ()
    rows = {"rows": encode(lanes), "replay": replay}
    db.execute(SQL["lanes_add"], rows)
    added = db.execute(SQL["deliveries_add"], rows).fetchall()
    entered = {"lanes": encode([lane for _, lane in added]), "replay": replay}
    db.execute(SQL["lanes_enter"], entered)
    return tuple(sorted(cast("int", delivery) for delivery, _ in added))


def replay(
    db: apsw.Connection,
    event_id: str,
    planned: Sequence[Planned],
    now: float,
    *,
    only_dead: bool,
) -> Sequence[int]:
    """Add deliveries of a stored event, first in line where a dead letter holds the lane."""
    found = db.execute(SQL["event_lane"], {"id": event_id}).fetchone()
    if found is None:
        return ()
    seq, source, ordering_key = found
    routed = [plan for plan in planned if plan.route]
    took_none = bool(routed) and _supersedes(db, seq, "", now)
    lanes = [
        (seq, plan.destination, source, ordering_key, plan.route, _holds(db, seq, plan), now)
        for plan in routed
        if _supersedes(db, seq, plan.route, now) or took_none or not only_dead
    ]
    return _deliver(db, lanes, replay=True)


def _supersedes(db: apsw.Connection, seq: int, route: str, now: float) -> bool:
    """Settle the dead letters of an event and route; tell whether there was any."""
    gone = {"event": seq, "route": route, "now": now, "code": REPLAYED}
    return bool(db.execute(SQL["replay_supersedes"], gone).fetchall())


def _holds(db: apsw.Connection, seq: int, plan: Planned) -> bool:
    """Tell whether a dead letter holds the lane: it does so again when it did before."""
    held = {"event": seq, "route": plan.route}
    return plan.hold or bool(db.execute(SQL["held_before"], held).fetchone())


def lease(  # noqa: PLR0917 - the port names each value
    db: apsw.Connection,
    destination: str,
    owner: str,
    limit: int,
    max_bytes: int,
    now: float,
    until: float,
    *,
    only_alone: bool,
) -> Sequence[Leased]:
    """Take the heads of the lanes that are due; the first of them waited longest."""
    if db.execute(SQL["paused"], {"destination": destination}).fetchone():
        return ()
    due = {"destination": destination, "now": now, "limit": _LOOKED_AT + limit}
    _look_again(db, db.execute(SQL["aside_due"], due).fetchall())
    rows = _chosen(db, due, limit, max_bytes, only_alone=only_alone)
    leased = tuple(one for row in rows if (one := _lease(db, row, owner, now, until)) is not None)
    claim = {"owner": owner, "now": now, "until": until}
    lanes = {row[5]: row[0] for row in rows}
    held = [one.delivery.id for one in leased]
    db.executemany(SQL["lane_lease"], [claim | {"lane": lanes[one]} for one in held])
    db.executemany(SQL["delivery_lease"], [claim | {"id": one} for one in held])
    return leased


def _chosen(
    db: apsw.Connection, due: Parameters, limit: int, max_bytes: int, *, only_alone: bool
) -> Sequence[Row]:
    """Return the rows to lease: as many as fit, or one that has to be alone. Reads no more.

    Those that are to be dead letters now are among them.
    """
    rows: list[Row] = []
    dead: list[Row] = []
    size = 0
    cursor = db.execute(SQL["lease_due"], due)
    for row in cursor:
        how = fate(row[3] + (row[8] == State.LEASED))
        if how is Fate.DEAD:
            dead.append(row)
        elif (how is Fate.ALONE and rows) or (only_alone and how is Fate.TOGETHER):
            continue  # its turn comes
        else:
            size += len(row[_BODY])
            if rows and size > max_bytes:
                break
            rows.append(row)
            if how is Fate.ALONE or len(rows) == limit:
                break
    cursor.close()
    return [*dead, *rows]


def _lease(db: apsw.Connection, row: Row, owner: str, now: float, until: float) -> Leased | None:
    """Return the delivery of a row; None when it is a dead letter from now on."""
    lane, last_owner, recorded, lost, hold = row[:5]
    delivery = to_delivery(row[5:15])
    if delivery.state is State.LEASED:
        _note_lost(db, delivery.id, recorded, delivery.updated_at, delivery.due_at, last_owner)
        lost += 1
    if fate(lost) is Fate.DEAD:
        gone = {"id": delivery.id, "now": now, "code": LEASE_LOST, "detail": gave_up(lost)}
        db.execute(SQL["delivery_lost_for_good"], gone)
        db.execute(SQL["lane_hold" if hold else "lane_advance"], {"lane": lane})
        return None
    delivery = replace(delivery, state=State.LEASED, due_at=until, updated_at=now)
    return Leased(
        delivery=delivery,
        event=to_event(row[16:]),
        owner=owner,
        until=until,
        applied=row[15],
        due=row[11],
        lost=lost,
    )


def _note_lost(  # noqa: PLR0917 - the columns of the attempt
    db: apsw.Connection, delivery: int, recorded: int, at: float, until: float, owner: str | None
) -> None:
    """Record the attempt of a lease without an outcome."""
    detail = lost_lease(owner or "a process")
    attempt = {
        "delivery": delivery,
        "number": recorded + 1,
        "at": at,
        "seconds": max(0.0, until - at),
        "outcome": Outcome.RETRY,
        "code": LEASE_LOST,
        "detail": detail,
        "records": "[]",
        "commands": "",
    }
    db.execute(SQL["attempt_add"], attempt)
    db.execute(SQL["delivery_lease_lost"], {"id": delivery, "code": LEASE_LOST, "detail": detail})


def renew(
    db: apsw.Connection, owner: str, deliveries: Sequence[int], until: float
) -> Sequence[int]:
    """Let a lease last until then; return the deliveries that it still holds."""
    asked = {"owner": owner, "ids": encode(list(deliveries)), "until": until}
    held = [cast("int", row[0]) for row in db.execute(SQL["renew_lanes"], asked).fetchall()]
    db.execute(SQL["renew_deliveries"], {"ids": encode(held), "until": until})
    return held


def settle(db: apsw.Connection, owner: str, settlements: Sequence[Settlement]) -> Sequence[int]:
    """Record attempts and next states; return the deliveries that *owner* still held."""
    return tuple(done.delivery for done in settlements if _settle(db, owner, done))


def _look_again(db: apsw.Connection, lanes: Iterable[Row]) -> None:
    """Let lanes begin with what came back to them."""
    found = sorted({row[0] for row in lanes})
    if found:
        db.execute(SQL["lanes_look_again"], {"lanes": encode(found)})


def _wake(db: apsw.Connection, deliveries: Sequence[int], now: float) -> int:
    """Let what stands aside go now; return how many that were."""
    if not deliveries:
        return 0
    lanes = db.execute(SQL["wake"], {"ids": encode(list(deliveries)), "now": now}).fetchall()
    _look_again(db, lanes)
    return len(lanes)


def _waiting_for(
    db: apsw.Connection, done: Settlement, lane: int, destination: str
) -> Sequence[int]:
    """Return what may have waited for what was delivered."""
    if not db.execute(SQL["aside"], {"destination": destination}).fetchone():
        return ()
    ids = {row[0] for row in db.execute(SQL["aside_in_lane"], {"lane": lane})}
    for model, values in done.made:
        asked = {"destination": destination, "model": model}
        for ident, on in db.execute(SQL["aside_for"], asked):
            if may_be(read_json(cast("str", on)), values):
                ids.add(ident)
    return sorted(cast("set[int]", ids))


def give_up(db: apsw.Connection, event_id: str, now: float, reason: str) -> int:
    """Settle what waits of an event as skipped, and accept what is not as expected."""
    rows = cast(
        "list[tuple[int, int, int]]",
        db.execute(SQL["waiting_of"], {"id": event_id, "also": State.BREACHED}).fetchall(),
    )
    text = cap_text(reason, 2000)
    for delivery, _, recorded in rows:
        attempt = {
            "delivery": delivery, "number": recorded + 1, "at": now, "seconds": 0.0,
            "outcome": Outcome.SKIPPED, "code": GIVEN_UP, "detail": text, "records": "[]",
            "commands": "",
        }  # fmt: skip
        db.execute(SQL["attempt_add"], attempt)
        gone = {"delivery": delivery, "code": GIVEN_UP, "detail": text, "now": now}
        db.execute(SQL["give_up"], gone)
    _look_again(db, [(row[1],) for row in rows])
    return len(rows)


def wake(db: apsw.Connection, event_id: str, now: float) -> int:
    """Try what waits of an event now; return how many deliveries that are."""
    rows = db.execute(SQL["waiting_of"], {"id": event_id, "also": State.PENDING}).fetchall()
    return _wake(db, [cast("int", row[0]) for row in rows], now)


def _settle(db: apsw.Connection, owner: str, done: Settlement) -> bool:
    row = settlement_bindings(done)
    held = db.execute(SQL["leased_by"], row | {"owner": owner}).fetchone()
    if held is None:
        return False
    lane, hold, recorded, destination = held
    row |= {"lane": lane, "number": recorded + 1}
    if hold:  # strict order: nothing passes it
        row["waits_for"] = None
    db.execute(SQL["attempt_add"], row)
    db.execute(SQL["delivery_settle"], row)
    written = done.outcome in {Outcome.DELIVERED, Outcome.BREACHED}
    if written:
        db.execute(SQL["applied_note"], row)
    aside = row["waits_for"] is not None
    db.execute(SQL[_next_of_lane(done.outcome, hold=bool(hold), aside=aside)], row)
    if written:
        _wake(db, _waiting_for(db, done, lane, destination), done.at)
    return True


def _next_of_lane(outcome: Outcome, *, hold: bool, aside: bool) -> str:
    match outcome:
        case Outcome.RETRY:
            return "lane_advance" if aside else "lane_retry"
        case Outcome.DEAD:
            return "lane_hold" if hold else "lane_advance"
        case Outcome.DELIVERED | Outcome.BREACHED | Outcome.SKIPPED:
            return "lane_advance"
        case _:
            assert_never(outcome)


def release(db: apsw.Connection) -> int:
    """Make leased deliveries due; each has lost a lease."""
    rows = db.execute(SQL["leased_now"]).fetchall()
    for delivery, recorded, at, _until, owner in cast(
        "list[tuple[int, int, float, float, str | None]]", rows
    ):
        _note_lost(db, delivery, recorded, at, at, owner)
    db.execute(SQL["lane_release"])
    db.execute(SQL["delivery_release"])
    return len(rows)


def redate(db: apsw.Connection, destination: str, now: float) -> int:
    """Let what is dated in the future wait from now on; return how many deliveries those are."""
    asked = {"destination": destination, "now": now}
    lanes = db.execute(SQL["deliveries_redate"], asked).fetchall()
    if lanes:
        db.execute(SQL["lanes_redate"], {"lanes": encode(sorted({row[0] for row in lanes}))})
    return len(lanes)


def touch(db: apsw.Connection) -> None:
    """Write a page as it is."""
    db.execute(SQL["touch"])


def note_breaker(db: apsw.Connection, standing: Standing) -> None:
    """Write what the breaker learned."""
    row = {
        "destination": standing.name,
        "failures": standing.failures,
        "until": standing.until,
        "code": standing.code,
        "detail": cap_text(standing.detail, 2000),
        "now": standing.changed_at,
    }
    db.execute(SQL["breaker_note"], row)


def pause(db: apsw.Connection, destination: str, now: float, *, paused: bool) -> None:
    """Write what a person decided."""
    db.execute(SQL["pause"], {"destination": destination, "paused": paused, "now": now})


def bind(db: apsw.Connection, destination: str, bindings: Sequence[Binding]) -> None:
    """Remember which records external IDs mean."""
    db.execute(SQL["bind"], {"destination": destination, "rows": encode(list(bindings))})


def unbind(db: apsw.Connection, destination: str, xids: Sequence[str]) -> None:
    """Forget which records external IDs mean."""
    db.execute(SQL["unbind"], {"destination": destination, "xids": encode(list(xids))})


def note_latency(db: apsw.Connection, took: Sequence[Took], since: int) -> None:
    """Add to what is known of those minutes."""
    db.executemany(SQL["latency_add"], [asdict(one) for one in took])
    db.execute(SQL["latency_forget"], {"since": since})


def reject(db: apsw.Connection, rejection: Rejection, limits: Limits) -> None:
    """Add a rejection and forget the oldest beyond its budget, whose numbers have no gaps."""
    budget = "" if rejection.stranger else rejection.source
    newest = _scalar(db, "rejection_add", rejection_bindings(rejection) | {"budget": budget})
    over = {"budget": budget, "number": newest - limits.max_rejections}
    db.execute(SQL["rejection_forget"], over)


def _scalar(db: apsw.Connection, name: str, bindings: Parameters | None = None) -> int:
    ((value,),) = db.execute(SQL[name], bindings or {}).fetchall()
    return cast("int", value)
