"""`odoorway export` and `odoorway import`: a journal as JSON Lines, one event a line."""

import base64
import binascii
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from odoorway.cli.common import read_settings, with_settings
from odoorway.cli.journal import with_journal
from odoorway.cli.output import Exit, err, safe
from odoorway.console.asked import wanted_of
from odoorway.journal.found import EventFilter
from odoorway.journal.port import Journal
from odoorway.model.delivery import Delivery
from odoorway.model.event import Event
from odoorway.model.mask import hidden_attempt, masked

_PAGE = 500
File = Annotated[Path, typer.Argument(help="what export wrote; - is standard input")]


@with_settings("journal", "masked")
def export_events(
    source: Annotated[str, typer.Option(help="only of this source")] = "",
    state: Annotated[str, typer.Option(help="only with a delivery in this state")] = "",
    since: Annotated[str, typer.Option(help="only from this time on, like 2026-11-24")] = "",
    until: Annotated[str, typer.Option(help="only before this time")] = "",
    **flags: Any,
) -> None:
    """Print events as JSON Lines, the newest first, each with its deliveries and attempts."""
    settings, _ = read_settings(flags)
    names = settings.masked_fields
    try:
        wanted = wanted_of({"source": source, "state": state, "since": since, "until": until})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    async def work(journal: Journal) -> int:
        count = 0
        async for line in _lines(journal, wanted, names):
            print(line)
            count += 1
        return count

    err.print(f"{with_journal(flags, work)} events", style="dim")


async def _lines(
    journal: Journal, wanted: EventFilter, names: tuple[str, ...]
) -> AsyncIterator[str]:
    before: int | None = None
    while True:
        page = await journal.search(wanted, limit=_PAGE, before=before)
        for event in page.events:
            made = await journal.deliveries(event_id=event.id, limit=1000)
            tried = [{**asdict(one), "tried": await _attempts(journal, one, names)} for one in made]
            yield json.dumps({**_plain(event, names), "deliveries": tried}, ensure_ascii=False)
        if page.next is None:
            return
        before = page.next


async def _attempts(
    journal: Journal, delivery: Delivery, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    return [asdict(hidden_attempt(one, names)) for one in await journal.attempts(delivery.id)]


def _plain(event: Event, names: tuple[str, ...]) -> dict[str, Any]:
    """Return an event; a masked body cannot be imported again, and says so."""
    plain = asdict(event)
    body = plain.pop("body")
    if not names:
        return {**plain, "body": base64.b64encode(body).decode()}
    try:
        return {**plain, "masked": masked(json.loads(body), names)}
    except ValueError:
        return {**plain, "masked": "•••"}


@with_settings("journal")
def import_events(file: File, **flags: Any) -> None:
    """Store exported events again, as history: nothing of them is delivered.

    An event that the journal has is passed over. The console's Replay delivers one.
    """
    lines = sys.stdin.read() if str(file) == "-" else file.read_text()

    async def work(journal: Journal) -> tuple[int, int]:
        stored = known = 0
        for event in reversed(list(_events(lines))):
            appended = await journal.append(event, [])
            known += appended.duplicate
            stored += not appended.duplicate
        return stored, known

    # History is told apart by its events' ids: the second of two equal bodies was an event too.
    stored, known = with_journal({**flags, "repeat_window": 0.0}, work)
    err.print(f"{stored} events stored, {known} were there", style="dim")


def _events(lines: str) -> Iterator[Event]:
    for number, line in enumerate(filter(str.strip, lines.splitlines()), 1):
        try:
            given = json.loads(line)
            fields = {name: given[name] for name in Event.__dataclass_fields__ if name != "body"}
            fields["headers"] = tuple((name, value) for name, value in given["headers"])
            body = base64.b64decode(given["body"], validate=True)
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            reason = "its payload was masked" if '"masked"' in line else str(error)
            err.print(f"[bold red]error:[/] line {number} cannot be stored: {safe(reason)}")
            raise typer.Exit(Exit.FAILED) from None
        yield Event(**fields, body=body)
