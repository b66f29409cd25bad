"""A log that grows: what it holds, then what is added to it, across rotations."""

import os
import select
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from odoorway.errors import LogUnreadable

_CHUNK = 1 << 20  # bytes read at once


def followed(path: Path, wait: Callable[[], object]) -> Iterator[bytes | None]:
    """Yield what the file holds and then what is added, without end; None before each *wait*.

    When the log is rotated, by a new file or by emptying this one, reading goes on in the new.

    Raises:
        LogUnreadable: the file cannot be opened.
    """
    file = _opened(path)
    while True:
        replaced = _is_another(path, file)  # seen before reading, so that all of the old is read
        while chunk := file.read(_CHUNK):
            yield chunk
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
        elif replaced:
            file.close()
            file = _opened(path)
        else:
            yield None
            wait()


def piped(descriptor: int, pause: float) -> Iterator[bytes | None]:
    """Yield what comes through a pipe, and None each time nothing came for *pause* seconds."""
    while True:
        if not select.select([descriptor], [], [], pause)[0]:
            yield None
        elif chunk := os.read(descriptor, _CHUNK):
            yield chunk
        else:
            return


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise LogUnreadable(f"{path}: {error.strerror}") from error


def _is_another(path: Path, file: BinaryIO) -> bool:
    """Tell whether the path names another file now; while a rotation has it moved away, none."""
    try:
        return not os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False
