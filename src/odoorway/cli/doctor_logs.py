"""`odoorway doctor logs`: what failed in Odoo's log, how often, why, and what fixes it."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from odoorway.cli import doctor_logs_screen as screen
from odoorway.cli.output import AsJson, Exit, err, to_json
from odoorway.doctor.logs import follow as growing
from odoorway.doctor.logs.files import STDIN, LogFile, chunks, find
from odoorway.doctor.logs.groups import GroupSeverity
from odoorway.doctor.logs.reading import GroupedIncident, Reading
from odoorway.doctor.logs.report import as_json as report_as_json
from odoorway.doctor.logs.report import incident_as_json
from odoorway.errors import LogUnreadable

_PAUSE = 1.0  # seconds between two looks at a log that is followed
_SHOWN = 5

Files = Annotated[
    list[Path],
    typer.Argument(help="Odoo's log, plain or gzipped, several in any order; - is standard input"),
]
Rotated = Annotated[
    bool, typer.Option("--rotated", help="also read what logrotate made of each, oldest first")
]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="go on reading, and print each failure as it comes")
]
Limit = Annotated[
    int, typer.Option("--limit", min=0, help="failures shown in full; 0 shows everything so")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="also print causes, and each first traceback")
]


def logs(
    files: Files,
    rotated: Rotated = False,
    follow: Follow = False,
    limit: Limit = _SHOWN,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Read Odoo's log (14 to 19): what failed, how often, in which line, why, and what fixes it.

    Each traceback is tied to its request. Ends with 1 when a request failed.
    """
    reading = Reading()
    if follow:
        _follow(reading, files, rotated=rotated, as_json=as_json)
    else:
        problems = _read(reading, files, rotated=rotated)
        if as_json:
            print(to_json(report_as_json(reading, problems)))
        else:
            screen.show(reading, problems, limit, verbose=verbose)
    _end(reading)


def _end(reading: Reading) -> None:
    if not reading.span[0]:
        raise LogUnreadable("no line of this is of Odoo's log; is it the right file?")
    if any(group.severity is GroupSeverity.ERROR for group in reading.groups):
        raise typer.Exit(Exit.FAILED)


def _read(reading: Reading, paths: list[Path], *, rotated: bool) -> list[str]:
    """Read it all; return what could not be read. Interrupted, what was read so far counts."""
    problems: list[str] = []
    found = [] if paths == [STDIN] else find(paths, rotated=rotated)
    with _progress() as progress, suppress(KeyboardInterrupt):
        task = progress.add_task("reading", total=sum(file.size for file in found) or None)
        for _ in reading.read(
            _chunks(found, problems, lambda n: progress.update(task, completed=n))
        ):
            pass
    for _ in reading.finish():
        pass
    return problems


def _chunks(
    files: list[LogFile], problems: list[str], seen: Callable[[int], object]
) -> Iterator[bytes]:
    """Yield the bytes of all files, or of standard input where there are none."""
    before = 0
    for path, size in [(file.path, file.size) for file in files] or [(STDIN, 0)]:
        try:
            yield from chunks(path, partial(_from, before, seen))
        except LogUnreadable as error:
            problems.append(str(error))
        yield b"\n"
        before += size


def _from(start: int, seen: Callable[[int], object], position: int) -> None:
    seen(start + position)


def _progress() -> Progress:
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def _follow(reading: Reading, paths: list[Path], *, rotated: bool, as_json: bool) -> None:
    """Print each incident as it is known, until interrupted or the pipe ends."""
    for found in _incidents(reading, _growing(paths, rotated=rotated)):
        if as_json:
            print(to_json(incident_as_json(found)), flush=True)
        else:
            screen.tell(found)


def _incidents(reading: Reading, source: Iterator[bytes | None]) -> Iterator[GroupedIncident]:
    with suppress(KeyboardInterrupt):
        yield from reading.read(source)
    yield from reading.finish()


def _growing(paths: list[Path], *, rotated: bool) -> Iterator[bytes | None]:
    if paths == [STDIN]:
        yield from growing.piped(0, _PAUSE)
        return
    *older, newest = find(paths, rotated=rotated)
    for file in older:
        yield from chunks(file.path, lambda _: None)
    yield from growing.followed(newest.path, lambda: time.sleep(_PAUSE))
