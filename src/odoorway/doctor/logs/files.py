"""The files of a log: which, in what order, and their bytes, unpacked."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from odoorway.errors import LogUnreadable

STDIN = Path("-")
_CHUNK = 1 << 20  # bytes read at once
_LOOKED_AT = 64 << 10  # bytes of a file in which its first time is looked for
_GZIP = b"\x1f\x8b"
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_TIME = re.compile(rb"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ ")
_ROTATED = re.compile(r"[.-]\d[\d.-]*(?:\.gz)?")


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log."""

    path: Path
    size: int  # bytes on disk
    first: str  # what its first record begins with, its time; empty where none is found


def find(paths: Iterable[Path], *, rotated: bool = False) -> list[LogFile]:
    """Return the files, the oldest first by the time of their first record, each once.

    With *rotated*, also those beside each that logrotate made of it, such as ``odoo.log.2.gz``.

    Raises:
        LogUnreadable: one is missing, may not be read, or is packed by something else than gzip.
    """
    wanted = [one for path in paths for one in (path, *(_siblings(path) if rotated else ()))]
    found = [_described(path) for path in {path.resolve(): path for path in wanted}.values()]
    return sorted(found, key=lambda file: (file.first, file.path.name))


def chunks(path: Path, seen: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the bytes of a file, or of standard input, unpacked.

    *seen* is told how many bytes of it were read so far, as they are on disk.

    Raises:
        LogUnreadable: it cannot be read, or is damaged; what came before that was yielded.
    """
    total = 0
    with _readable(path) as (raw, file):
        while chunk := file.read(_CHUNK):
            yield chunk
            total += len(chunk)
            seen(raw.tell() if raw.seekable() else total)


def _siblings(path: Path) -> list[Path]:
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    return [
        other
        for other in beside
        if other.name.startswith(path.name) and _ROTATED.fullmatch(other.name[len(path.name) :])
    ]


def _described(path: Path) -> LogFile:
    with _readable(path) as (_, file):
        found = _TIME.search(file.read(_LOOKED_AT))
    return LogFile(path, path.stat().st_size, found[0].decode() if found else "")


@contextmanager
def _readable(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open *path*; give it as it is, and unpacked."""
    try:
        with Path("/dev/stdin" if path == STDIN else path).open("rb") as raw:
            yield raw, _unpacked(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise LogUnreadable(f"{path}: {_reason(error)}") from error


def _unpacked(raw: BinaryIO) -> BinaryIO:
    start = raw.peek(6)  # type: ignore[attr-defined]  # open() gives a buffered reader
    for magic, name in _OTHERS.items():
        if start.startswith(magic):
            raise OSError(f"it is packed by {name}; unpack it and give it through a pipe, as -")
    return gzip.GzipFile(fileobj=raw) if start.startswith(_GZIP) else raw  # type: ignore[return-value]  # all that is used of it is read


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (
        f"the rest is damaged ({error})"
        if isinstance(error, (EOFError, zlib.error))
        else str(error)
    )
