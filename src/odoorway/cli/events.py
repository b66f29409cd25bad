"""`odoorway events`: what was received, what became of it, and replay."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from odoorway.cli.common import read_settings, with_settings
from odoorway.cli.journal import Limit, replay, unknown, when, with_journal
from odoorway.cli.output import AsJson, out, safe, safe_lines, to_json
from odoorway.cli.remote import Remote, remote_of
from odoorway.diagnose.catalog import CATALOG
from odoorway.journal.port import Journal
from odoorway.model.delivery import Attempt, Delivery, State
from odoorway.model.event import Event, Headers
from odoorway.model.mask import Mask, shown_body

events = typer.Typer(no_args_is_help=True, help="What was received, and what became of it.")
Found = tuple[Event, list[tuple[Delivery, Sequence[Attempt]]]]
_COLOURS: dict[str, str] = {
    State.DELIVERED: "green",
    State.BREACHED: "magenta",
    State.DEAD: "red",
    State.SKIPPED: "dim",
    State.PENDING: "yellow",
    State.LEASED: "cyan",
}


@events.command("list")
@with_settings("journal", "masked", "url", "token")
def list_events(limit: Limit = 20, as_json: AsJson = False, **flags: Any) -> None:
    """List events, newest first, with their deliveries' states."""
    settings, _ = read_settings(flags)
    remote, names = remote_of(settings), settings.masked_fields
    if remote:
        _list_there(remote, limit, as_json=as_json)
        return

    async def work(journal: Journal) -> list[tuple[Event, Sequence[Delivery]]]:
        found: list[tuple[Event, Sequence[Delivery]]] = []
        for event in await journal.events(limit=limit):
            mask, made = Mask.of(names, event.body), await journal.deliveries(event_id=event.id)
            found.append((mask.event(event), [mask.delivery(one) for one in made]))
        return found

    rows = with_journal(flags, work)
    if as_json:
        print(to_json([_event_json(event, [(d, None) for d in made]) for event, made in rows]))
        return
    _table(
        (e.id, when(e.received_at), e.source, e.topic, [one.state for one in reversed(made)])
        for e, made in rows
    )


def _list_there(remote: Remote, limit: int, *, as_json: bool) -> None:
    rows = list(remote.events(limit))
    if as_json:
        print(to_json(rows))
        return
    _table(
        (*(row[key] for key in ("id", "received", "source", "topic")),
         [one["state"] for one in row["deliveries"]])
        for row in rows
    )  # fmt: skip


def _table(rows: Iterable[Sequence[Any]]) -> None:
    table = Table("event", "received", "source", "topic", "deliveries", box=None, pad_edge=False)
    for *texts, states in rows:
        table.add_row(*map(safe, texts), ", ".join(map(_state, states)))
    out.print(table if table.row_count else "No events yet.")


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
        event = remote.get("events", event_id)
        print(to_json(event)) if as_json else _show_there(event)
        return

    async def work(journal: Journal) -> Found:
        event = await journal.event(event_id)
        if event is None:
            raise unknown(f"event {event_id}")
        found = await journal.deliveries(event_id=event_id, limit=1000)
        tried = {one.id: await journal.attempts(one.id) for one in reversed(found)}
        mask = Mask.of(names, event.body)
        return mask.event(event), [
            (mask.delivery(one), [mask.attempt(attempt) for attempt in tried[one.id]])
            for one in reversed(found)
        ]

    event, tried = with_journal(flags, work)
    print(to_json(_event_json(event, tried))) if as_json else _show(event, tried)


def _show(event: Event, tried: list[tuple[Delivery, Sequence[Attempt]]]) -> None:
    _show_head(event.id, event.source, event.topic, when(event.received_at))
    _show_identity(event.ordering_key, event.idempotency_key, conflict=event.conflict)
    _show_content(event.headers, shown_body(event.body, ()))
    for delivery, attempts in tried:
        _show_delivery(delivery, attempts)


def _show_delivery(delivery: Delivery, attempts: Sequence[Attempt]) -> None:
    _show_route(delivery.id, delivery.route, delivery.state)
    for attempt in attempts:
        out.print(
            f"{attempt.number}. {when(attempt.at)}  {attempt.outcome}"
            f"  {attempt.seconds:.2f} s  [dim]{attempt.code or ''}[/]"
        )
        _show_attempt(attempt.detail, [(model, xid, n) for model, xid, n in attempt.records])
    if delivery.detail and not attempts:
        _show_attempt(delivery.detail, [])
    known = CATALOG.get(delivery.code or "")
    if known and delivery.state is not State.DELIVERED:
        _show_cause(known.title, known.cause, known.fix)


def _show_there(event: dict[str, Any]) -> None:
    _show_head(event["id"], event["source"], event["topic"], event["received"])
    _show_identity(event["about"], event["key"], conflict=event["conflict"])
    _show_content(event["headers"], event["pretty"])
    for delivery in reversed(event["deliveries"]):
        _show_delivery_there(delivery)


def _show_delivery_there(delivery: dict[str, Any]) -> None:
    _show_route(delivery["id"], delivery["route"], delivery["state"])
    for one in delivery["attempts"]:
        out.print(
            f"{one['number']}. {safe(one['at'])}  {safe(one['outcome'])}"
            f"  {one['seconds']:.2f} s  [dim]{safe(one['code'])}[/]"
        )
        _show_attempt(one["detail"], [(r["model"], r["xid"], r["id"]) for r in one["records"]])
    known = delivery["diagnosis"]
    if known:
        _show_cause(known["title"], known["cause"], known["fix"])


def _show_head(event_id: str, source: str, topic: str, received: str) -> None:
    out.rule(f"[bold]{safe(event_id)}[/]", align="left", style="dim")
    out.print(f"{safe(source)}  {safe(topic)}  received {safe(received)}")


def _show_identity(about: str, key: str, *, conflict: bool) -> None:
    out.print(f"about {safe(about)}, key {safe(key)}", style="dim")
    if conflict:
        out.print("[yellow]An earlier event has the same key and another topic or body.[/]")


def _show_content(headers: Headers, payload: str) -> None:
    out.rule("headers", align="left", style="dim")
    for name, value in headers:
        out.print(f"[dim]{safe(name)}:[/] {safe(value)}", soft_wrap=True)
    out.rule("payload", align="left", style="dim")
    out.print(safe_lines(payload), soft_wrap=True)


def _show_route(delivery_id: int, route: str, state: str) -> None:
    title = f"delivery {delivery_id}, route {safe(route) or 'none'}: {_state(state)}"
    out.rule(title, align="left", style="dim")


def _show_attempt(detail: str, records: Iterable[tuple[str, str, int]]) -> None:
    if detail:
        out.print(safe_lines(detail), soft_wrap=True)
    for model, external, number in records:
        out.print(f"   wrote {safe(model)} {number}  [dim]{safe(external)}[/]")


def _show_cause(title: str, cause: str, fix: Iterable[str]) -> None:
    out.print(f"[bold]{safe(title)}.[/] {safe(cause)}")
    for number, step in enumerate(fix, 1):
        out.print(f"  {number}. {safe(step)}")


@events.command("replay")
@with_settings("journal", "url", "token")
def replay_events(
    event_ids: Annotated[list[str], typer.Argument(help="events' ids")], **flags: Any
) -> None:
    """Deliver stored events again, on the routes they took; a running gateway picks them up."""
    replay(flags, event_ids)


@events.command("give-up")
@with_settings("journal", "url", "token")
def give_up_events(
    event_ids: Annotated[list[str], typer.Argument(help="events' ids")],
    reason: Annotated[str, typer.Option("--reason", help="why, for who looks at it later")] = "",
    **flags: Any,
) -> None:
    """Settle what waits of events as skipped: it is not to be written, for the reason given."""
    done = _of_each(
        flags,
        event_ids,
        lambda remote, one: remote.post("events", one, "give-up", reason=reason),
        lambda journal, one, now: journal.give_up(one, now, reason or "given up by hand"),
    )
    out.print(f"{done} deliveries are given up")


@events.command("try-now")
@with_settings("journal", "url", "token")
def try_events_now(
    event_ids: Annotated[list[str], typer.Argument(help="events' ids")], **flags: Any
) -> None:
    """Try what waits of events now instead of at its time."""
    done = _of_each(
        flags,
        event_ids,
        lambda remote, one: remote.post("events", one, "try-now"),
        lambda journal, one, now: journal.wake(one, now),
    )
    out.print(f"{done} deliveries are tried now")


def _of_each(
    flags: dict[str, Any],
    event_ids: Iterable[str],
    there: Callable[[Remote, str], Any],
    here: Callable[[Journal, str, float], Awaitable[int]],
) -> int:
    """Do something to events, here or there; return how many deliveries it concerned."""
    remote = remote_of(read_settings(flags)[0])
    if remote:
        return sum(there(remote, one)["deliveries"] for one in event_ids)

    async def work(journal: Journal) -> int:
        now = datetime.now(UTC).timestamp()
        return sum([await here(journal, one, now) for one in dict.fromkeys(event_ids)])

    return with_journal(flags, work)


def _event_json(
    event: Event, made: Iterable[tuple[Delivery, Sequence[Attempt] | None]]
) -> dict[str, Any]:
    """Return an event with its deliveries, and with their attempts where those were read."""
    plain = asdict(event)
    plain["body"] = event.body.decode(errors="replace")
    plain["deliveries"] = [
        asdict(one) | ({} if tried is None else {"attempts_made": [asdict(a) for a in tried]})
        for one, tried in made
    ]
    return plain


def _state(state: str) -> str:
    colour = _COLOURS.get(state)
    return f"[{colour}]{safe(state)}[/]" if colour else safe(state)
