"""`odoorway dead`: deliveries that a person has to look at, and their replay after the fix."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.progress import Progress

from odoorway.cli.common import read_settings, with_settings
from odoorway.cli.journal import Limit, replay, when, with_journal
from odoorway.cli.output import AsJson, Exit, err, out, safe, safe_lines, to_json
from odoorway.cli.remote import Remote, remote_of
from odoorway.clock import SystemClock
from odoorway.console.asked import chosen_of
from odoorway.console.jobs import RATE, RATES, BulkReplays
from odoorway.diagnose.catalog import CATALOG
from odoorway.journal.found import Chosen
from odoorway.journal.port import Journal
from odoorway.model.delivery import Delivery, State
from odoorway.model.mask import Mask

dead = typer.Typer(no_args_is_help=True, help="Deliveries that a person has to look at.")


@dead.command("list")
@with_settings("journal", "masked", "url", "token")
def list_dead(limit: Limit = 20, as_json: AsJson = False, **flags: Any) -> None:
    """List dead letters, newest first, each with its cause and fix."""
    settings, _ = read_settings(flags)
    remote, names = remote_of(settings), settings.masked_fields
    if remote:
        _list_there(remote, limit, as_json=as_json)
        return

    async def work(journal: Journal) -> list[Delivery]:
        found = []
        for one in await journal.deliveries(state=State.DEAD, limit=limit):
            event = await journal.event(one.event_id) if names else None
            found.append(Mask.of(names, event.body if event else b"").delivery(one))
        return found

    found = with_journal(flags, work)
    if as_json:
        print(to_json([asdict(d) for d in found]))
        return
    for one in found:
        detail = one.detail.strip().splitlines()[-1] if one.detail else ""
        _show(one.code or "", one.event_id, one.route, when(one.updated_at), detail)
    if not found:
        out.print("[green]No dead letters.[/]")


def _list_there(remote: Remote, limit: int, *, as_json: bool) -> None:
    found = [
        {"event_id": row["id"], "received": row["received"], **one}
        for row in remote.events(limit, state="dead")
        for one in row["deliveries"]
        if one["state"] == "dead"
    ]
    if as_json:
        print(to_json(found))
        return
    for one in found:
        _show(one["code"], one["event_id"], one["route"], one["received"])
    if not found:
        out.print("[green]No dead letters.[/]")


def _show(code: str, event_id: str, route: str, at: str, detail: str = "") -> None:
    known = CATALOG.get(code)
    out.print(
        f"[bold red]{safe(code)}[/]  {safe(event_id)}  route {safe(route)}  [dim]{safe(at)}[/]"
    )
    if detail:
        out.print(f"  {safe_lines(detail)}")
    if known:
        out.print(f"  [green]fix:[/] {known.fix[0]}")


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
    if event_ids:
        replay(flags, event_ids, only=State.DEAD)
        return
    chosen = _chosen(given)
    remote = remote_of(read_settings(flags)[0])
    if remote:
        _replay_there(remote, given, rate)
    else:
        with_journal(flags, lambda journal: _replay_chosen(journal, chosen, rate))


def _chosen(given: dict[str, str]) -> Chosen:
    try:
        return chosen_of(given)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write a time like 2026-11-24T09:00") from None


def _replay_there(remote: Remote, given: dict[str, str], rate: float) -> None:
    """Start a job there; the console shows its progress."""
    job = remote.post("replays", body={**{k: v for k, v in given.items() if v}, "rate": rate})
    out.print(f"{job['total']} dead letters are being replayed there, as {safe(job['id'])}")


async def _replay_chosen(journal: Journal, chosen: Chosen, rate: float) -> None:
    """Replay with progress; Ctrl-C stops it, and what was replayed stays so."""
    jobs = BulkReplays(journal, SystemClock())
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
