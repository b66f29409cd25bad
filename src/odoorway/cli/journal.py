"""`odoorway events` and `odoorway dead`: what the journal holds, and replay."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.progress import Progress
from rich.table import Table

from odoorway import wiring
from odoorway.cli.common import read_settings, with_settings
from odoorway.cli.journal_there import dead_there, list_there, show_there
from odoorway.cli.output import AsJson, Exit, err, out, safe
from odoorway.cli.remote import Remote, remote_of
from odoorway.clock import SystemClock
from odoorway.console.asked import chosen_of
from odoorway.console.jobs import RATE, RATES, Jobs
from odoorway.diagnose.catalog import CATALOG
from odoorway.journal.found import Chosen
from odoorway.journal.port import Journal
from odoorway.model.delivery import Attempt, Delivery, Planned, State
from odoorway.model.event import Event
from odoorway.model.mask import hidden_attempt, hidden_event

events = typer.Typer(no_args_is_help=True, help="What was received, and what became of it.")
dead = typer.Typer(no_args_is_help=True, help="Deliveries that a person has to look at.")
T = TypeVar("T")
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="how many, newest first")]
_COLOURS = {
    State.DELIVERED: "green",
    State.DEAD: "red",
    State.SKIPPED: "dim",
    State.PENDING: "yellow",
    State.LEASED: "cyan",
}


def with_journal(flags: dict[str, Any], work: Callable[[Journal], Awaitable[T]]) -> T:
    """Visit the journal, beside the gateway that may be serving it."""
    settings, _ = read_settings(flags)

    async def visit() -> T:
        journal = wiring.open_journal(settings, serve=False)
        try:
            return await work(journal)
        finally:
            await journal.close()

    return asyncio.run(visit())


@events.command("list")
@with_settings("journal", "masked", "url", "token")
def list_events(limit: Limit = 20, as_json: AsJson = False, **flags: Any) -> None:
    """List events, newest first, with their deliveries' states."""
    settings, _ = read_settings(flags)
    remote, names = remote_of(settings), settings.masked_fields
    if remote:
        list_there(remote, limit, as_json=as_json)
        return

    async def work(journal: Journal) -> list[tuple[Event, Sequence[Delivery]]]:
        found = [hidden_event(one, names) for one in await journal.events(limit=limit)]
        return [(e, await journal.deliveries(event_id=e.id)) for e in found]

    rows = with_journal(flags, work)
    if as_json:
        print(json.dumps([_event_json(e, found) for e, found in rows]))
        return
    table = Table("event", "received", "source", "topic", "deliveries", box=None, pad_edge=False)
    for event, found in rows:
        table.add_row(
            event.id,
            _when(event.received_at),
            safe(event.source),
            safe(event.topic),
            _states(found),
        )
    out.print(table if rows else "No events yet.")


@events.command("show")
@with_settings("journal", "masked", "url", "token")
def show_event(
    event_id: Annotated[str, typer.Argument(help="an event's id")],
    as_json: AsJson = False,
    **flags: Any,
) -> None:
    """Show one event: headers, payload, deliveries, and each attempt with cause and fix."""
    settings, _ = read_settings(flags)
    remote, names = remote_of(settings), settings.masked_fields
    if remote:
        show_there(remote, event_id, as_json=as_json)
        return

    async def work(journal: Journal) -> tuple[Event, list[tuple[Delivery, Sequence[Attempt]]]]:
        event = await journal.event(event_id)
        if event is None:
            raise _unknown(f"event {event_id}")
        found = await journal.deliveries(event_id=event_id, limit=1000)
        tried = {one.id: await journal.attempts(one.id) for one in reversed(found)}
        return hidden_event(event, names), [
            (one, [hidden_attempt(attempt, names) for attempt in tried[one.id]])
            for one in reversed(found)
        ]

    event, tried = with_journal(flags, work)
    if as_json:
        print(json.dumps(_event_json(event, [d for d, _ in tried], [a for _, a in tried])))
        return
    _show(event, tried)


def _show(event: Event, tried: list[tuple[Delivery, Sequence[Attempt]]]) -> None:
    out.rule(f"[bold]{event.id}[/]", align="left", style="dim")
    out.print(f"{safe(event.source)}  {safe(event.topic)}  received {_when(event.received_at)}")
    out.print(f"about {safe(event.ordering_key)}, key {safe(event.idempotency_key)}", style="dim")
    if event.conflict:
        out.print("[yellow]An earlier event has the same key and another body.[/]")
    out.rule("headers", align="left", style="dim")
    for name, value in event.headers:
        out.print(f"[dim]{safe(name)}:[/] {safe(value)}", soft_wrap=True)
    out.rule("payload", align="left", style="dim")
    out.print(safe(_pretty(event.body)), soft_wrap=True)
    for delivery, attempts in tried:
        _show_delivery(delivery, attempts)


def _show_delivery(delivery: Delivery, attempts: Sequence[Attempt]) -> None:
    title = f"delivery {delivery.id}, route {safe(delivery.route) or 'none'}: {_state(delivery)}"
    out.rule(title, align="left", style="dim")
    for attempt in attempts:
        out.print(
            f"{attempt.number}. {_when(attempt.at)}  {attempt.outcome}"
            f"  {attempt.seconds:.2f} s  [dim]{attempt.code or ''}[/]"
        )
        if attempt.detail:
            out.print(safe(attempt.detail), soft_wrap=True)
        for model, external, number in attempt.records:
            out.print(f"   wrote {safe(model)} {number}  [dim]{safe(external)}[/]")
    known = CATALOG.get(delivery.code or "")
    if known and delivery.state is not State.DELIVERED:
        out.print(f"[bold]{known.title}.[/] {known.cause}")
        for number, step in enumerate(known.fix, 1):
            out.print(f"  {number}. {step}")


@events.command("replay")
@with_settings("journal", "url", "token")
def replay_events(
    event_ids: Annotated[list[str], typer.Argument(help="events' ids")], **flags: Any
) -> None:
    """Deliver stored events again, on the routes they took; a running gateway picks them up."""
    remote = remote_of(read_settings(flags)[0])
    if remote:
        made = sum(remote.post("events", one, "replay")["deliveries"] for one in event_ids)
        out.print(f"{made} deliveries will be made again")
        return
    _replay(flags, event_ids)


@dead.command("list")
@with_settings("journal", "url", "token")
def list_dead(limit: Limit = 20, as_json: AsJson = False, **flags: Any) -> None:
    """List dead letters, newest first, each with its cause and fix."""
    remote = remote_of(read_settings(flags)[0])
    if remote:
        dead_there(remote, limit, as_json=as_json)
        return
    found = with_journal(flags, lambda j: j.deliveries(state=State.DEAD, limit=limit))
    if as_json:
        print(json.dumps([asdict(d) for d in found]))
        return
    for delivery in found:
        known = CATALOG.get(delivery.code or "")
        out.print(
            f"[bold red]{delivery.code}[/]  {delivery.event_id}  route {safe(delivery.route)}"
            f"  [dim]{_when(delivery.updated_at)}[/]"
        )
        out.print(f"  {safe(delivery.detail.strip().splitlines()[-1] if delivery.detail else '')}")
        if known:
            out.print(f"  [green]fix:[/] {known.fix[0]}")
    if not found:
        out.print("[green]No dead letters.[/]")


@dead.command("replay")
@with_settings("journal", "url", "token")
def replay_dead(
    event_ids: Annotated[list[str] | None, typer.Argument(help="events' ids")] = None,
    every: Annotated[bool, typer.Option("--all", help="all dead letters")] = False,
    code: Annotated[str, typer.Option(help="those with this diagnosis")] = "",
    source: Annotated[str, typer.Option(help="those of this source")] = "",
    destination: Annotated[str, typer.Option(help="those of this destination")] = "",
    topic: Annotated[str, typer.Option(help="those of this topic")] = "",
    since: Annotated[str, typer.Option(help="those that arrived then or later, ISO, UTC")] = "",
    until: Annotated[str, typer.Option(help="those that arrived before then")] = "",
    rate: Annotated[float, typer.Option(min=RATES[0], max=RATES[1], help="a second")] = RATE,
    **flags: Any,
) -> None:
    """Deliver dead letters again, after the fix: by id, all, or those that a filter finds."""
    given = {"code": code, "source": source, "destination": destination, "topic": topic,
             "since": since, "until": until}  # fmt: skip
    if bool(event_ids) == (every or any(given.values())):
        raise typer.BadParameter("give events' ids, or --all, or a filter like --code")
    chosen = _chosen(given)
    remote = remote_of(read_settings(flags)[0])
    if remote:
        _replay_there(remote, list(event_ids or ()), given, rate)
    elif event_ids:
        _replay(flags, list(event_ids), only=State.DEAD)
    else:
        with_journal(flags, lambda journal: _replay_chosen(journal, chosen, rate))


def _chosen(given: dict[str, str]) -> Chosen:
    try:
        return chosen_of(given)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write a time like 2026-11-24T09:00") from None


def _replay_there(remote: Remote, event_ids: list[str], given: dict[str, str], rate: float) -> None:
    """Replay by the API; a filter is a job there, whose progress the console shows."""
    if event_ids:
        made = sum(remote.post("events", one, "replay")["deliveries"] for one in event_ids)
        out.print(f"{made} deliveries will be made again")
        return
    job = remote.post("replays", body={**{k: v for k, v in given.items() if v}, "rate": rate})
    out.print(f"{job['total']} dead letters are being replayed there, as {safe(job['id'])}")


async def _replay_chosen(journal: Journal, chosen: Chosen, rate: float) -> None:
    """Replay with progress; Ctrl-C stops it, and what was replayed stays so."""
    jobs = Jobs(journal, SystemClock())
    job = await jobs.start(chosen, "command line", rate)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("replaying", total=job.total)
        while not job.ended:
            progress.update(task, completed=job.done)
            await asyncio.sleep(0.05)
    out.print(f"{job.done} deliveries will be made again")
    if job.error:
        err.print(f"[bold red]error:[/] {safe(job.error)}; the others stay dead letters")
        raise typer.Exit(Exit.FAILED)


def _replay(flags: dict[str, Any], event_ids: list[str], only: State | None = None) -> None:
    async def work(journal: Journal) -> int:
        done = 0
        for event_id in dict.fromkeys(event_ids):
            done += await _replay_one(journal, event_id, only)
        return done

    done = with_journal(flags, work)
    out.print(f"{done} deliveries will be made again")


async def _replay_one(journal: Journal, event_id: str, only: State | None) -> int:
    """Plan each of the event's routes again; with *only*, those whose newest delivery is so."""
    newest: dict[str, Delivery] = {}
    for delivery in await journal.deliveries(event_id=event_id, limit=1000):
        newest.setdefault(delivery.route, delivery)
    if not newest:
        raise _unknown(f"event {event_id}")
    planned = [
        Planned(route=d.route, destination=d.destination)
        for d in newest.values()
        if d.route and (only is None or d.state is only)
    ]
    now = datetime.now(UTC).timestamp()
    return len(await journal.replay(event_id, planned, now)) if planned else 0


def _unknown(what: str) -> typer.Exit:
    out.print(f"[bold red]error:[/] the journal has no {safe(what)}; see odoorway events list")
    return typer.Exit(Exit.FAILED)


def _event_json(
    event: Event,
    found: Sequence[Delivery],
    attempts: Sequence[Sequence[Attempt]] | None = None,
) -> dict[str, Any]:
    plain = asdict(event)
    plain["body"] = event.body.decode(errors="replace")
    plain["deliveries"] = [asdict(d) for d in found]
    for delivery, tried in zip(plain["deliveries"], attempts or (), strict=False):
        delivery["attempts_made"] = [asdict(a) for a in tried]
    return plain


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _state(delivery: Delivery) -> str:
    return f"[{_COLOURS[delivery.state]}]{delivery.state}[/]"


def _states(found: Sequence[Delivery]) -> str:
    return ", ".join(_state(d) for d in reversed(found))
