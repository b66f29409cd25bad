"""Journals of the tests' own: each on a real file, which goes when its test ends."""

from typing import TypeVar

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


def close_all() -> None:
    """Close what was opened since the last time."""
    while _open:
        _open.pop().close_now()
