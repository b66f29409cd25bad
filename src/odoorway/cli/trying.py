"""`odoorway try` and `odoorway send`: one payload, by hand."""

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.pretty import Pretty

from odoorway.cli.common import Hooks, load_gateway, read_settings, with_settings
from odoorway.cli.output import AsJson, Exit, err, out, safe
from odoorway.deliver.odoo.explain import explain as explained
from odoorway.deliver.port import Job
from odoorway.diagnose.catalog import diagnosis
from odoorway.errors import DeclarationError, SettingsError
from odoorway.gateway import Gateway, Source
from odoorway.model.event import Event, new_id
from odoorway.receive.signature import resolve_secrets
from odoorway.sources import sign
from odoorway.transform.run import Commands, Settled, transform

SourceName = Annotated[str, typer.Option("--source", help="the source's name in hooks.py")]
Topic = Annotated[str, typer.Option("--topic", help="the topic, like orders/create")]
Payload = Annotated[Path, typer.Argument(help="a file with the body", exists=True, dir_okay=False)]


def try_handler(
    hooks: Hooks,
    payload: Payload,
    source: SourceName,
    topic: Topic,
    explain: Annotated[bool, typer.Option(help="show the exact calls to Odoo")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the handlers of a topic make of a payload. Writes and asks nothing."""
    gateway = load_gateway(hooks)
    _named(gateway, source)
    event = example_event(source, topic, payload.read_bytes())
    routes = list(gateway.routes_for(source, topic))
    if not routes:
        raise DeclarationError(f"no route of source {source!r} takes the topic {topic!r}")
    results = {route.name: transform(route, event) for route in routes}
    if as_json:
        print(json.dumps({name: _plain(one) for name, one in results.items()}, default=str))
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


def _plain(result: Commands | Settled) -> Any:
    return asdict(result)


def _show(name: str, result: Commands | Settled, event: Event, *, explain: bool) -> None:
    out.rule(f"route {safe(name)}", align="left", style="dim")
    match result:
        case Settled(outcome, code, detail, _):
            known = diagnosis(code)
            out.print(f"[bold yellow]{outcome}[/] {known.title} [dim]({code})[/]")
            out.print(safe(detail))
            out.print(*(f"→ {step}" for step in known.fix), sep="\n", style="dim")
        case Commands(commands) if explain:
            job = Job(1, event.source, commands)
            for call in explained([job]):
                out.print_json(json.dumps(call, default=str))
        case Commands(commands):
            for command in commands:
                out.print(Pretty(command, expand_all=True))


@with_settings("host", "port")
def send(
    hooks: Hooks,
    payload: Payload,
    source: SourceName,
    topic: Topic,
    to: Annotated[str, typer.Option(help="the gateway's address, or an endpoint's URL")] = "",
    event_id: Annotated[str, typer.Option(help="the platform's id; a new one by default")] = "",
    **flags: Any,
) -> None:
    """Sign a payload as the platform would, and post it to the endpoint."""
    gateway = load_gateway(hooks)
    settings, environ = read_settings(flags)
    definition = _named(gateway, source).definition
    now = time.time()
    secret = resolve_secrets(definition, environ)[0]
    identity = event_id or new_id("sent", now)
    body = payload.read_bytes()
    headers = sign(definition, secret, body, topic=topic, event_id=identity, now=now)
    url = to or f"http://{settings.host}:{settings.port}"
    if "/in/" not in url:
        url = f"{url.rstrip('/')}/in/{source}"
    status, answer = asyncio.run(_post(url, body, headers))
    accepted = status == 202  # noqa: PLR2004
    out.print(f"[bold {'green' if accepted else 'red'}]{status}[/] {safe(answer)}", soft_wrap=True)
    if not accepted:
        raise typer.Exit(Exit.FAILED)


async def _post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        err.print(f"[bold red]error:[/] cannot reach {safe(url)}: {safe(error)}", soft_wrap=True)
        raise typer.Exit(Exit.UNAVAILABLE) from None


def _named(gateway: Gateway, name: str) -> Source:
    if name not in gateway.sources:
        known = ", ".join(sorted(gateway.sources)) or "none"
        raise SettingsError(f"hooks.py declares no source {name!r}; it declares: {known}")
    return gateway.sources[name]
