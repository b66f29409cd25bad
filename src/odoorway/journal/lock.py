"""One process serves a journal file: a lock beside it says which."""

import fcntl
import os
from pathlib import Path
from typing import Self

from odoorway.errors import JournalLocked, JournalUnavailable


class FileLock:
    """An exclusive lock on ``<journal>.lock``, held until closed or the process ends.

    The kernel lets go of it however the process dies, so a lock file left behind blocks nobody.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, journal: Path) -> Self:
        """Lock *journal* for this process.

        Raises:
            JournalLocked: another holds it; the message names its process id.
            JournalUnavailable: the lock file cannot be made.
        """
        path = journal.with_name(f"{journal.name}.lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalUnavailable(f"cannot lock journal {journal}: {error}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise JournalLocked(_message(journal, path, holder)) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def close(self) -> None:
        """Let the lock go; the file stays, since removing it would race with the next holder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _message(journal: Path, path: Path, holder: str) -> str:
    return (
        f"journal {journal} is served by process {holder} (lock {path}); one process writes a"
        " journal file: stop that process, or give this gateway a journal of its own with"
        " ODOORWAY_JOURNAL"
    )
