"""`odoorway status`, `pause` and `resume`: is everything flowing, and who stopped it?"""

import time
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from odoorway.cli.common import read_settings, with_settings
from odoorway.cli.journal import with_journal
from odoorway.cli.output import AsJson, Exit, out, safe, safe_lines, to_json
from odoorway.cli.remote import Remote, remote_of
from odoorway.diagnose.catalog import CATALOG
from odoorway.journal.port import Journal, Stats
from odoorway.model.delivery import State
from odoorway.model.destination import DEFAULT
from odoorway.model.standing import Standing

DestinationName = Annotated[str, typer.Argument(help="the destination's name")]


@with_settings("journal", "url", "token")
def status(as_json: AsJson = False, **flags: Any) -> None:
    """Show whether deliveries flow, what waits and for how long. Ends with 1 when stopped."""
    remote = remote_of(read_settings(flags)[0])
    if remote:
        _of_remote(remote, as_json=as_json)
        return

    async def work(journal: Journal) -> tuple[list[Standing], Stats]:
        names = await journal.destinations() or [DEFAULT]
        return [await journal.standing(name) for name in names], await journal.stats()

    standings, stats = with_journal(flags, work)
    now = time.time()
    if as_json:
        print(to_json(_json(standings, stats, now)))
    else:
        for standing in standings:
            _show_standing(standing, now)
        _show(stats, now)
    if not all(standing.delivering for standing in standings):
        raise typer.Exit(Exit.FAILED)


@with_settings("journal", "url", "token")
def pause(destination: DestinationName = DEFAULT, **flags: Any) -> None:
    """Deliver nothing more to a destination until it is resumed; webhooks are still accepted."""
    _set(flags, destination, paused=True)
    out.print(f"{safe(destination)} is paused; odoorway resume {safe(destination)} lets it go on")


@with_settings("journal", "url", "token")
def resume(destination: DestinationName = DEFAULT, **flags: Any) -> None:
    """Deliver to a paused destination again, all that waited first."""
    _set(flags, destination, paused=False)
    out.print(f"{safe(destination)} is resumed")


def _of_remote(remote: Remote, *, as_json: bool) -> None:
    told = remote.get("status")
    destinations = remote.get("destinations")["destinations"]
    if as_json:
        print(to_json({**told, "destinations": destinations}))
    else:
        for one in destinations:
            colour = "green" if one["level"] == "good" else "red"
            out.print(f"[bold]{safe(one['name']):10}[/] [{colour}]{safe(one['stand'])}[/]")
        for reason in told["reasons"]:
            out.print(f"[yellow]{safe(reason['title'])}[/]: {safe(reason['detail'])}")
        for state, count in told["deliveries"].items():
            out.print(f"{safe(state):10} {count}")
    if any(one["level"] != "good" for one in destinations):
        raise typer.Exit(Exit.FAILED)


def _set(flags: dict[str, Any], destination: str, *, paused: bool) -> None:
    remote = remote_of(read_settings(flags)[0])
    if remote:
        remote.post("destinations", destination, "pause" if paused else "resume")
        return

    async def work(journal: Journal) -> None:
        known = {*await journal.destinations(), DEFAULT}
        if destination not in known:
            there = ", ".join(sorted(known))
            raise typer.BadParameter(f"no destination {destination!r}; there is {there}")
        await journal.pause(destination, time.time(), paused=paused)

    with_journal(flags, work)


def _json(standings: list[Standing], stats: Stats, now: float) -> dict[str, Any]:
    oldest = stats.oldest_waiting
    return {
        "destinations": [{**asdict(one), "delivering": one.delivering} for one in standings],
        "events": stats.events,
        "deliveries": stats.deliveries,
        "rejections": stats.rejections,
        "oldest_waiting_seconds": None if oldest is None else max(0.0, now - oldest),
    }


def _show_standing(standing: Standing, now: float) -> None:
    out.print(f"[bold]{safe(standing.name):10}[/] {_stand(standing, now)}", soft_wrap=True)
    known = CATALOG.get(standing.code or "")
    if known and standing.failures:
        out.print(f"{'':10} {safe_lines(standing.detail)}", style="dim", soft_wrap=True)
        for step in known.fix:
            out.print(f"{'':10} [green]fix:[/] {step}", soft_wrap=True)


def _show(stats: Stats, now: float) -> None:
    count = stats.deliveries
    waiting = count[State.PENDING] + count[State.LEASED]
    oldest = stats.oldest_waiting
    age = "" if oldest is None else f", the oldest for {_age(now - oldest)}"
    out.print(f"waiting    {f'[yellow]{waiting}[/]' if waiting else 0}{age}")
    dead = count[State.DEAD]
    out.print(f"dead       {f'[red]{dead}[/]  odoorway dead list' if dead else 0}")
    out.print(f"delivered  {count[State.DELIVERED]}")
    out.print(f"skipped    {count[State.SKIPPED]}")
    out.print(f"events     {stats.events}, rejections {stats.rejections}")


def _stand(standing: Standing, now: float) -> str:
    since = f"for {_age(now - standing.changed_at)}"
    if standing.paused:
        return f"[yellow]paused[/] by hand {since}; go on with: odoorway resume {standing.name}"
    if standing.failures:
        known = CATALOG.get(standing.code or "")
        title = known.title if known else standing.code or "it fails"
        return f"[red]resting[/]: {title}; {standing.failures} failures in a row, no attempt spent"
    return "[green]delivering[/]"


def _age(seconds: float) -> str:
    return str(timedelta(seconds=max(0, round(seconds))))
