"""`odoorway send`: one payload, signed by hand, to an endpoint."""

import asyncio
import time
from typing import Annotated, Any

import aiohttp
import typer

from odoorway.cli.common import Hooks, load_gateway, read_settings, with_settings
from odoorway.cli.output import Exit, err, out, safe
from odoorway.cli.trying import BodyFile, SourceName, Topic, named
from odoorway.model.event import new_id
from odoorway.receive.signature import resolve_secrets
from odoorway.sources import sign


@with_settings("host", "port")
def send(
    hooks: Hooks,
    payload: BodyFile,
    source: SourceName,
    topic: Topic,
    to: Annotated[str, typer.Option(help="the gateway's address, or an endpoint's URL")] = "",
    event_id: Annotated[str, typer.Option(help="the platform's id; a new one by default")] = "",
    **flags: Any,
) -> None:
    """Sign a payload as the platform would, and post it to the endpoint."""
    gateway = load_gateway(hooks)
    settings, environ = read_settings(flags)
    definition = named(gateway, source).definition
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
