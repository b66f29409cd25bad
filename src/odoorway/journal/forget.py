"""How the SQLite journal forgets: each function is one bounded step inside a transaction."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final, cast

import apsw

from odoorway.journal.keeping import Forgotten, Kept, Position, Sweep, choose, start_of
from odoorway.journal.rows import Row, encode
from odoorway.journal.statements import load
from odoorway.model.delivery import State

SQL: Final = load("sqlite", "forget")
_Lanes = Sequence[tuple[int, float]]  # a lane, and the arrival of its last event


def forget(db: apsw.Connection, sweep: Sweep, limit: int) -> Forgotten:
    """Remove those of the next *limit* events that may go, with all that became of them."""
    start = start_of(sweep, _position(db, sweep.name))
    stretch = _stretch(db, sweep, start, limit)
    going, looked = choose(stretch, sweep.until)
    if going:
        _remove(db, going, sweep.versions)
    more = looked < len(stretch) or looked == limit
    last = stretch[looked - 1] if looked else Kept(start.seq, start.at, (), 0)
    end = replace(start, at=last.arrived, seq=last.position, ended=not more)
    db.execute(SQL["sweep_note"], {"name": sweep.name, **asdict(end)})
    return Forgotten(len(going), more)


def _position(db: apsw.Connection, name: str) -> Position | None:
    row: Row | None = db.execute(SQL["sweep"], {"name": name}).fetchone()
    return None if row is None else Position(row[0], row[1], row[2], bool(row[3]))


def _stretch(db: apsw.Connection, sweep: Sweep, start: Position, limit: int) -> Sequence[Kept]:
    asked = {"at": start.at, "seq": start.seq, "before": sweep.before, "limit": limit}
    rows = db.execute(SQL["stretch"], asked)
    return [
        Kept(seq, arrived, frozenset(map(State, (states or "").split())), size)
        for seq, arrived, size, states in cast("list[tuple[int, float, int, str]]", rows.fetchall())
    ]


def _remove(db: apsw.Connection, going: Sequence[int], versions: float) -> None:
    events = {"events": encode(going)}
    lanes = cast("_Lanes", db.execute(SQL["lanes_of"], events).fetchall())
    for name in ("forget_attempts", "forget_deliveries", "forget_events"):
        db.execute(SQL[name], events)
    _empty(db, lanes, versions)


def _empty(db: apsw.Connection, lanes: _Lanes, versions: float) -> None:
    """Remove those *lanes* that are empty; one whose versions are too young waits until then."""
    given = {"lanes": encode(lanes), "until": versions}
    for name in ("lanes_used", "lanes_idle", "forget_applied", "forget_lanes"):
        db.execute(SQL[name], given)


def forget_lanes(db: apsw.Connection, until: float, limit: int) -> int:
    """Look at up to *limit* lanes that were empty, and whose last event came before *until*."""
    asked = {"until": until, "limit": limit}
    lanes = cast("_Lanes", db.execute(SQL["idle_lanes"], asked).fetchall())
    if lanes:
        _empty(db, lanes, until)
    return len(lanes)


def forget_rejections(db: apsw.Connection, until: float, limit: int) -> int:
    """Remove up to *limit* rejections that are older than *until*, the oldest first."""
    db.execute(SQL["forget_rejections"], {"until": until, "limit": limit})
    return db.changes()


def forget_beats(db: apsw.Connection, until: float, limit: int) -> int:
    """Remove up to *limit* counts of minutes before *until*."""
    db.execute(SQL["forget_beats"], {"minute": int(until // 60), "limit": limit})
    return db.changes()
