"""SQLite connections with the settings that durability and latency rest on."""

import os
from pathlib import Path
from typing import Final

import apsw

from odoorway.errors import JournalFull, JournalUnavailable

SAFE: Final = (3, 51, 3)
BUSY_TIMEOUT_MS: Final = 5_000  # the longest another process's short transaction may take
PAGE_SIZE: Final = 8_192
CHECKPOINT_PAGES: Final = 1_000  # small and often; benchmarks/checkpoint.py shows why

_REPORTED = (
    "journal_mode",
    "synchronous",
    "fullfsync",
    "page_size",
    "wal_autocheckpoint",
    "busy_timeout",
    "foreign_keys",
    "user_version",
)


def refuse_unsafe(version: str) -> None:
    """Refuse a SQLite library that can corrupt a journal written by several connections.

    Raises:
        JournalUnavailable: *version* is older than 3.51.3, which cured the WAL-reset bug.
    """
    if tuple(int(part) for part in version.split(".")[:3]) < SAFE:
        raise JournalUnavailable(
            f"SQLite {version} can corrupt a journal (WAL-reset bug, 3.7.0 to 3.51.2):"
            " install an apsw that bundles SQLite 3.51.3 or newer, `pip install -U apsw`"
        )


def create_private(path: Path) -> None:
    """Make the file, readable by its owner alone: it holds customers' data.

    Raises:
        JournalUnavailable: it cannot be made there.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise JournalUnavailable(f"cannot open journal {path}: {error}") from error


def connect_writer(path: Path, *, checkpoint_pages: int = CHECKPOINT_PAGES) -> apsw.Connection:
    """Open for writing: a commit returns when it is on disk."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.pragma("page_size", PAGE_SIZE)  # means something only before the first write
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("fullfsync", 1)  # macOS: fsync alone does not reach the disk
    connection.pragma("foreign_keys", 1)
    connection.pragma("wal_autocheckpoint", checkpoint_pages)
    connection.pragma("journal_size_limit", 64 * 1_048_576)  # a WAL grown in a peak shrinks again
    connection.transaction_mode = "IMMEDIATE"
    return connection


def connect_reader(path: Path) -> apsw.Connection:
    """Open for reading only; it never waits for the writer nor holds it up."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def pragmas(connection: apsw.Connection) -> dict[str, str | int]:
    """Return the settings in force on that connection."""
    return {name: connection.pragma(name) for name in _REPORTED}


def unavailable(error: apsw.Error) -> JournalUnavailable:
    """Return what SQLite's *error* means to a caller of the journal."""
    if isinstance(error, apsw.FullError):
        return JournalFull(f"no room for the journal on its disk: {error}")
    return JournalUnavailable(f"the journal cannot do it: {type(error).__name__}: {error}")
