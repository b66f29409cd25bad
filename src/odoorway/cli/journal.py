"""What the commands share that ask a journal, or the gateway elsewhere that has it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from odoorway.cli.common import read_settings
from odoorway.cli.output import Exit, out, safe
from odoorway.cli.remote import remote_of
from odoorway.journal.port import Journal
from odoorway.model.delivery import Delivery, Planned, State

T = TypeVar("T")
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="how many, newest first")]


def with_journal(flags: dict[str, Any], work: Callable[[Journal], Awaitable[T]]) -> T:
    """Visit the journal, beside the gateway that may be serving it."""
    from odoorway import wiring  # noqa: PLC0415 - 1.3 s, which --url and --help need not wait for

    settings, _ = read_settings(flags)

    async def visit() -> T:
        journal = wiring.open_journal(settings, serve=False)
        try:
            return await work(journal)
        finally:
            await journal.close()

    return asyncio.run(visit())


def replay(flags: dict[str, Any], event_ids: Iterable[str], only: State | None = None) -> None:
    """Deliver events again, here or there, and tell how many deliveries that makes.

    With *only*, just the routes whose newest delivery is in that state.
    """
    remote = remote_of(read_settings(flags)[0])
    if remote:
        which = str(only or "")
        made = [remote.post("events", one, "replay", only=which) for one in event_ids]
        done = sum(one["deliveries"] for one in made)
    else:
        done = with_journal(flags, lambda journal: _replay(journal, event_ids, only))
    out.print(f"{done} deliveries will be made again")


async def _replay(journal: Journal, event_ids: Iterable[str], only: State | None) -> int:
    return sum([await _replay_one(journal, one, only) for one in dict.fromkeys(event_ids)])


async def _replay_one(journal: Journal, event_id: str, only: State | None) -> int:
    """Plan each of the event's routes again; with *only*, those whose newest delivery is so."""
    newest: dict[str, Delivery] = {}
    for delivery in await journal.deliveries(event_id=event_id, limit=1000):
        newest.setdefault(delivery.route, delivery)
    if not newest:
        raise unknown(f"event {event_id}")
    planned = [
        Planned(route=d.route, destination=d.destination)
        for d in newest.values()
        if d.route and (only is None or d.state is only)
    ]
    now = datetime.now(UTC).timestamp()
    only_dead = only is State.DEAD  # of two who replay at the same time only one does
    made = await journal.replay(event_id, planned, now, only_dead=only_dead) if planned else ()
    return len(made)


def unknown(what: str) -> typer.Exit:
    """Tell that the journal does not have it, and return what ends the command."""
    out.print(f"[bold red]error:[/] the journal has no {safe(what)}; see odoorway events list")
    return typer.Exit(Exit.FAILED)


def when(at: float) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
