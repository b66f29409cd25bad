"""How the SQLite journal forgets: each function is one bounded step inside a transaction."""

from collections.abc import Sequence
from typing import Final, cast

import apsw

from odoorway.journal.keeping import Forgotten, Kept, Until, choose
from odoorway.journal.rows import encode
from odoorway.journal.statements import load
from odoorway.model.delivery import State

SQL: Final = load("sqlite", "forget")


def forget(db: apsw.Connection, until: Until, after: int, limit: int) -> Forgotten:
    """Remove those of the next *limit* events that may go, with all that became of them."""
    going, on = choose(_stretch(db, after, limit), until, limit)
    if going:
        for name in ("forget_attempts", "forget_deliveries", "forget_events"):
            db.execute(SQL[name], {"events": encode(going)})
    return Forgotten(len(going), on)


def _stretch(db: apsw.Connection, after: int, limit: int) -> Sequence[Kept]:
    rows = db.execute(SQL["stretch"], {"after": after, "limit": limit})
    return [
        Kept(seq, arrived, frozenset(map(State, (states or "").split())), size)
        for seq, arrived, size, states in cast("list[tuple[int, float, int, str]]", rows.fetchall())
    ]


def forget_rejections(db: apsw.Connection, until: float, limit: int) -> int:
    """Remove up to *limit* rejections that are older than *until*, the oldest first."""
    db.execute(SQL["forget_rejections"], {"until": until, "limit": limit})
    return db.changes()


def forget_beats(db: apsw.Connection, until: float, limit: int) -> int:
    """Remove up to *limit* counts of minutes before *until*."""
    db.execute(SQL["forget_beats"], {"minute": int(until // 60), "limit": limit})
    return db.changes()
