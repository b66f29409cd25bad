"""`odoorway try`: what the handlers make of one payload; nothing is sent, to nobody."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.pretty import Pretty

from odoorway.cli.common import Hooks, load_gateway
from odoorway.cli.output import AsJson, Exit, out, safe, safe_lines, to_json
from odoorway.deliver.odoo.explain import explain as explained
from odoorway.deliver.port import Job
from odoorway.diagnose.catalog import diagnosis
from odoorway.errors import DeclarationError, SettingsError
from odoorway.gateway import Gateway, Source
from odoorway.model.event import Event
from odoorway.transform.run import Asks, Commands, Settled, Transformed, transform

SourceName = Annotated[str, typer.Option("--source", help="the source's name in hooks.py")]
Topic = Annotated[str, typer.Option("--topic", help="the topic, like orders/create")]
BodyFile = Annotated[Path, typer.Argument(help="a file with the body", exists=True, dir_okay=False)]


def try_handler(
    hooks: Hooks,
    payload: BodyFile,
    source: SourceName,
    topic: Topic,
    explain: Annotated[bool, typer.Option(help="show the exact calls to Odoo")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the handlers of a topic make of a payload. Writes and asks nothing."""
    gateway = load_gateway(hooks)
    named(gateway, source)
    event = example_event(source, topic, payload.read_bytes())
    routes = list(gateway.routes_for(source, topic))
    if not routes:
        raise DeclarationError(f"no route of source {source!r} takes the topic {topic!r}")
    results = {route.name: transform(route, event) for route in routes}
    if as_json:
        print(to_json({name: _plain(one) for name, one in results.items()}, default=str))
    else:
        for name, one in results.items():
            _show(name, one, event, explain=explain)
    if any(isinstance(one, Settled) for one in results.values()):
        raise typer.Exit(Exit.FAILED)


def example_event(source: str, topic: str, body: bytes) -> Event:
    """Return an event that never arrived, for handlers to be tried on."""
    return Event(
        id="evt_example",
        source=source,
        topic=topic,
        idempotency_key="example",
        ordering_key="example",
        version=None,
        received_at=time.time(),
        headers=(),
        body=body,
        body_hash="",
    )


def _plain(result: Transformed) -> Any:
    return asdict(result)


def _show(name: str, result: Transformed, event: Event, *, explain: bool) -> None:
    out.rule(f"route {safe(name)}", align="left", style="dim")
    match result:
        case Settled(outcome, code, detail, _):
            known = diagnosis(code)
            out.print(f"[bold yellow]{outcome}[/] {known.title} [dim]({code})[/]")
            out.print(safe_lines(detail))
            out.print(*(f"→ {step}" for step in known.fix), sep="\n", style="dim")
        case Asks():
            out.print(safe_lines(result.text))
        case Commands(commands) if explain:
            job = Job(1, event.source, commands)
            for call in explained([job]):
                told = json.dumps(call, indent=2, ensure_ascii=False, default=str)
                out.print(safe_lines(told), soft_wrap=True)
        case Commands(commands):
            for command in commands:
                out.print(Pretty(command, expand_all=True))


def named(gateway: Gateway, name: str) -> Source:
    """Return the source of that name.

    Raises:
        SettingsError: hooks.py declares none.
    """
    if name not in gateway.sources:
        known = ", ".join(sorted(gateway.sources)) or "none"
        raise SettingsError(f"hooks.py declares no source {name!r}; it declares: {known}")
    return gateway.sources[name]
