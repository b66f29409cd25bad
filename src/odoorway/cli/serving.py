"""`odoorway run`."""

import asyncio
import os
import signal
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog
import uvloop

from odoorway import tracing, wiring
from odoorway.cli.common import Hooks, load_gateway, read_settings, with_settings
from odoorway.cli.output import err, safe_lines
from odoorway.gateway import Gateway
from odoorway.outside import printable
from odoorway.settings import Settings

_SWITCH = 0.0005  # seconds; at the default of 5 ms the journal's thread waits long for its turn


@with_settings()
def run(hooks: Hooks, **flags: Any) -> None:
    """Serve hooks.py: receive webhooks and write them into Odoo, until SIGTERM or Ctrl-C."""
    gateway = load_gateway(hooks)
    settings, environ = read_settings(flags, _folder(hooks))
    configure_logs(settings.log_format)
    tracing.start()
    sys.setswitchinterval(_SWITCH)
    uvloop.run(serve(gateway, settings, environ))


def _folder(hooks: Path) -> Path:
    """Return where `.env` stands: here, or else beside hooks.py."""
    return Path.cwd() if (Path.cwd() / ".env").exists() else hooks.resolve().parent


def configure_logs(form: str, to: TextIO | None = None) -> None:
    """Write the log to standard error, or *to*, as text for people or as JSON for programs."""
    last: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=err.is_terminal)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _harmless,
            last,
        ],
        logger_factory=structlog.WriteLoggerFactory(file=to or sys.stderr),
        cache_logger_on_first_use=True,
    )


def _harmless(_logger: object, _level: str, values: MutableMapping[str, Any]) -> dict[str, Any]:
    """Write out what a terminal obeys; both renderers do so with the ends of lines themselves."""
    return {
        name: printable(one, keep="\n\r\t") if isinstance(one, str) else one
        for name, one in values.items()
    }


async def serve(gateway: Gateway, settings: Settings, environ: dict[str, str]) -> None:
    """Serve until a signal; a second one ends the process at once."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, _stop, stopped)
    try:
        async with wiring.running(gateway, settings, environ) as served:
            for name in gateway.sources:
                err.print(f"endpoint  [bold]{served.url}/in/{name}[/]", soft_wrap=True)
            if served.console:
                err.print(f"console   [bold]{served.console}[/]", soft_wrap=True)
            await stopped.wait()
    except wiring.PartEnded as ended:
        err.print(f"[red]the gateway ends:[/] {safe_lines(ended)}", soft_wrap=True)
        raise SystemExit(1) from ended


def _stop(stopped: asyncio.Event) -> None:
    if stopped.is_set():
        os._exit(1)
    stopped.set()
