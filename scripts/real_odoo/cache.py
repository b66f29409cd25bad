"""The cache folder: where everything lives, who may change it, and what in it is complete."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_odoo.system import say

PACKAGE = Path(__file__).resolve().parent
_thread_lock = threading.RLock()
_depth = 0


def root() -> Path:
    """The cache folder, `$REAL_ODOO_CACHE` or `.cache/odoo` of this repository."""
    chosen = os.environ.get("REAL_ODOO_CACHE")
    return Path(chosen).resolve() if chosen else PACKAGE.parent.parent / ".cache" / "odoo"


@contextmanager
def locked() -> Iterator[None]:
    """One process and thread at a time changes the cache. Nests; a dead process holds nothing."""
    global _depth  # noqa: PLW0603 (guarded by the thread lock)
    with _thread_lock:
        if _depth:
            yield
            return
        root().mkdir(parents=True, exist_ok=True)
        with (root() / "lock").open("w") as file:
            _acquire(file.fileno())
            _depth = 1
            try:
                yield
            finally:
                _depth = 0


def _acquire(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another process that is using the cache")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def fingerprint(*parts: str | Path) -> str:
    """A short digest of texts and of files' contents."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def is_stamped(folder: Path, mark: str) -> bool:
    """Whether the folder was completed by exactly this recipe."""
    stamp = folder / ".complete"
    return stamp.is_file() and stamp.read_text() == mark


def publish(work: Path, folder: Path, mark: str) -> None:
    """Put the finished `work` in the place of `folder`, stamped: it appears whole or not at all."""
    (work / ".complete").write_text(mark)
    remove(folder)
    work.rename(folder)


def empty_work(folder: Path) -> Path:
    """A fresh sibling to build in, of a new name: a killed build's children may still be writing.

    `sweep` removes what they leave.
    """
    work = folder.with_name(f"{folder.name}.tmp-{secrets.token_hex(4)}")
    work.mkdir(parents=True)
    return work


def sweep() -> None:
    """Remove what killed builds left, as far as it holds still; only between builds."""
    for leftover in root().glob("*.tmp-*"):
        remove(leftover)


def remove(folder: Path) -> None:
    """Remove a folder, stamp first, so that an interrupted removal is not taken for a whole."""
    (folder / ".complete").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Replace the file at once, readable by its owner alone."""
    work = path.with_name(path.name + ".tmp")
    work.unlink(missing_ok=True)
    with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    work.replace(path)
