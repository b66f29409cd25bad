"""`odoorway export` and `odoorway import`: a journal as JSON Lines, one event a line."""

import asyncio
import base64
import binascii
import json
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer
from pydantic import TypeAdapter

from odoorway.cli.common import read_settings, with_settings
from odoorway.cli.journal import with_journal
from odoorway.cli.output import Exit, err, safe
from odoorway.console.asked import wanted_of
from odoorway.journal.found import EventFilter, History
from odoorway.journal.port import Journal
from odoorway.model.event import Event
from odoorway.model.mask import Mask, masked
from odoorway.outside import Unreadable, read_exactly, read_json

_PAGE = 500  # events, or fewer that are large
_BATCH, _BATCH_BYTES = 200, 8 * 1024 * 1024  # events, and bytes of their bodies, in one commit
_EVENT: Final = TypeAdapter(Event)
_NEVER: Final = 253_402_300_800  # the year 10000, in Unix seconds: no page could show it
File = Annotated[Path, typer.Argument(help="what export wrote; - is standard input")]


@with_settings("journal", "masked")
def export_events(
    source: Annotated[str, typer.Option(help="only of this source")] = "",
    state: Annotated[str, typer.Option(help="only with a delivery in this state")] = "",
    since: Annotated[str, typer.Option(help="only from this time on, like 2026-11-24")] = "",
    until: Annotated[str, typer.Option(help="only before this time")] = "",
    **flags: Any,
) -> None:
    """Print events as JSON Lines, the oldest first, each with its deliveries and attempts."""
    settings, _ = read_settings(flags)
    names = settings.masked_fields
    try:
        wanted = wanted_of({"source": source, "state": state, "since": since, "until": until})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    async def work(journal: Journal) -> int:
        count = 0
        async for line in _exported(journal, wanted, names):
            print(line)
            count += 1
        return count

    err.print(f"{with_journal(flags, work)} events", style="dim")


async def _exported(
    journal: Journal, wanted: EventFilter, names: tuple[str, ...]
) -> AsyncIterator[str]:
    """Yield a line an event, in ASCII: whatever reads it agrees where a line ends."""
    after: int | None = 0
    while after is not None:
        page = await journal.history(wanted, after=after, limit=_PAGE)
        for one in page.events:
            yield json.dumps(_told(one, names))
        after = page.next


def _told(one: History, names: tuple[str, ...]) -> dict[str, Any]:
    mask = Mask.of(names, one.event.body)
    deliveries = [
        {
            **asdict(mask.delivery(made)),
            "tried": [asdict(mask.attempt(attempt)) for attempt in attempts],
        }
        for made, attempts in one.deliveries
    ]
    return {**_plain(one.event, names), "deliveries": deliveries}


def _plain(event: Event, names: tuple[str, ...]) -> dict[str, Any]:
    """Return an event; a masked body cannot be imported again, and says so."""
    plain = asdict(event)
    body = plain.pop("body")
    if not names:
        return {**plain, "body": base64.b64encode(body).decode()}
    try:
        return {**plain, "masked": masked(read_exactly(body), names)}
    except Unreadable:
        return {**plain, "masked": "•••"}


@with_settings("journal")
def import_events(file: File, **flags: Any) -> None:
    """Store exported events again, as history: nothing of them is delivered.

    An event that the journal has is passed over. The console's Replay delivers one. Where a line
    is wrong, those before it are stored: mend it, and import the same file again.
    """

    async def work(journal: Journal) -> tuple[int, int]:
        stored = known = 0
        with _opened(file) as lines:
            for batch in batches(_events(lines)):
                made = await asyncio.gather(*(journal.append(event, []) for event in batch))
                known += sum(one.duplicate for one in made)
                stored += sum(not one.duplicate for one in made)
        return stored, known

    # History is told apart by its events' ids: the second of two equal bodies was an event too.
    stored, known = with_journal({**flags, "repeat_window": 0.0}, work)
    err.print(f"{stored} events stored, {known} were there", style="dim")


def _opened(file: Path) -> AbstractContextManager[BinaryIO]:
    """Return the file's lines, which end at a line feed and nowhere else."""
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        err.print(f"[bold red]error:[/] cannot read {safe(file)}: {error.strerror}")
        raise typer.Exit(Exit.FAILED) from None


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yield *events* as they come, so many together as one commit may hold.

    Where one is wrong, those before it are yielded first.
    """
    batch: list[Event] = []
    size = 0
    try:
        for event in events:
            batch.append(event)
            size += len(event.body)
            if len(batch) == _BATCH or size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except typer.Exit:
        yield batch
        raise
    if batch:
        yield batch


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _event(read_json(line))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            reason = "its payload was masked" if b'"masked"' in line else str(error)
            err.print(f"[bold red]error:[/] line {number} cannot be stored: {safe(reason)}")
            raise typer.Exit(Exit.FAILED) from None


def _event(given: Mapping[str, Any]) -> Event:
    """Return the event of a line.

    Raises:
        ValueError, KeyError, TypeError: something of it is missing, or is not what it should be.
    """
    fields = {name: given[name] for name in Event.__dataclass_fields__ if name != "body"}
    body = base64.b64decode(given["body"], validate=True)
    event = _EVENT.validate_python({**fields, "body": body})
    if not 0 <= event.received_at < _NEVER:
        raise ValueError(f"received_at is {event.received_at}, which is no time")
    return event
