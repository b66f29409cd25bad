"""The keys that the SQLite journal knows events by, each function a step inside a transaction."""

from collections.abc import Iterable, Sequence
from typing import Final, cast

import apsw

from odoorway.journal.repeats import Mark, Sameness, compare
from odoorway.journal.rows import Row, encode
from odoorway.journal.statements import load

SQL: Final = load("sqlite", "seen")


def sort_out(db: apsw.Connection, arrivals: Sequence[Mark]) -> Sequence[Sameness]:
    """Tell which of *arrivals* are repeats, of what is stored or of each other."""
    rows = encode([(*mark[:4], mark.at) for mark in arrivals])
    known = db.execute(SQL["seen_known"], {"rows": rows}).fetchall()
    return compare(arrivals, dict(cast("list[tuple[int, str | None]]", known)))


def remember(db: apsw.Connection, added: Iterable[Mark]) -> None:
    """Know the events *added* from now on; without ids the last about each thing."""
    rows: list[Row] = []
    last: dict[tuple[str, str], Row] = {}
    for mark in added:
        if mark.named:
            rows.append(mark[:6])
        elif mark.remembered:
            last[mark.source, mark.key] = mark[:6]
    if last:
        db.execute(SQL["seen_before"], {"rows": encode(list(last))})
    if rows or last:
        db.execute(SQL["seen_add"], {"rows": encode([*rows, *last.values()])})


def forget(db: apsw.Connection, until: float, limit: int) -> int:
    """Remove up to *limit* keys that expired before *until*, the longest expired first."""
    db.execute(SQL["seen_forget"], {"until": until, "limit": limit})
    return db.changes()
