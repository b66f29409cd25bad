"""Journals of the tests' own: each on a real file, which goes when its test ends."""

from pathlib import Path
from typing import TypeVar

import apsw

from odoorway.journal import migrate
from odoorway.journal.sqlite import SqliteJournal

J = TypeVar("J", bound=SqliteJournal)
_open: list[SqliteJournal] = []


def journal_of(kind: type[J]) -> J:
    """Return a journal of that class."""
    made = kind.temporary()
    _open.append(made)
    return made


def temporary() -> SqliteJournal:
    """Return a journal."""
    return journal_of(SqliteJournal)


def of_schema(path: Path, number: int) -> apsw.Connection:
    """Return a new file as an Odoorway made it whose schema was *number*."""
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    for version, script in sorted(migrate._migrations().items()):
        if version <= number:
            db.execute(f"{script}\nPRAGMA user_version = {version};")
    return db


def close_all() -> None:
    """Close what was opened since the last time."""
    while _open:
        _open.pop().close_now()
