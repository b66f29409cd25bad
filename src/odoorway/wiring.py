"""The composition root: the only module, beside testing, that names concrete adapters."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from odoorway.clock import Clock, SystemClock
from odoorway.deliver.odoo.anyversion import AnyVersion
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.odoo.jsonrpc import JsonRpc
from odoorway.deliver.odoo.transport import Caller
from odoorway.dispatch.dispatcher import Dispatcher, DispatchLimits
from odoorway.dispatch.retry_policy import RetryPolicy
from odoorway.errors import SettingsError
from odoorway.gateway import Gateway
from odoorway.journal.memory import MemoryJournal
from odoorway.journal.port import Journal, Limits
from odoorway.journal.sqlite import SqliteJournal
from odoorway.receive.app import ReceiveApp, ReceiveLimits
from odoorway.receive.server import build_server
from odoorway.receive.signature import Verifier, resolve_secrets
from odoorway.settings import Settings
from odoorway.telemetry import Log, log

ODOO = "odoo"  # the one destination's name
At = Callable[[str], None]


def nowhere(_point: str) -> None:
    """Pass every named point; crash tests stop at one instead."""


def open_journal(settings: Settings, *, serve: bool, at: At = nowhere) -> Journal:
    """Open the journal that the settings name; ``serve`` claims it for this process.

    Raises:
        JournalLocked: another process serves this file.
        JournalUnavailable: the file cannot be used.
    """
    limits = Limits(max_waiting=settings.max_waiting)
    if settings.journal == "memory":
        return MemoryJournal(limits=limits)
    path = settings.journal.removeprefix("sqlite:///")
    return SqliteJournal.open(Path(path), limits=limits, serve=serve, at=at)


def odoo_client(settings: Settings) -> Caller:
    """Return a client of the Odoo that the settings name; nothing is asked yet.

    Raises:
        SettingsError: its address, database, key or login is missing.
    """
    key = settings.odoo_api_key.get_secret_value()
    needed = {"odoo_url": settings.odoo_url, "odoo_database": settings.odoo_database}
    needed["odoo_api_key"] = key
    if settings.odoo_protocol == "jsonrpc":
        needed["odoo_login"] = settings.odoo_login
    missing = [f"ODOORWAY_{name.upper()}" for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(f"set {', '.join(missing)} in .env or the environment")
    where = settings.odoo_url, settings.odoo_database
    limits: dict[str, Any] = {
        "timeout": settings.odoo_timeout,
        "max_connections": settings.concurrency,
    }
    match settings.odoo_protocol:
        case "json2":
            return Json2(*where, key, **limits)
        case "jsonrpc":
            return JsonRpc(*where, settings.odoo_login, key, **limits)
    return AnyVersion(*where, settings.odoo_login, key, **limits)


def verifiers(gateway: Gateway, environ: Mapping[str, str]) -> dict[str, Verifier]:
    """Return each source's verifier, its secrets resolved.

    Raises:
        SettingsError: a secret is missing; a source is never left open.
    """
    return {
        name: Verifier(source.definition, resolve_secrets(source.definition, environ))
        for name, source in gateway.sources.items()
    }


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that serves."""

    url: str
    server: uvicorn.Server
    journal: Journal
    dispatcher: Dispatcher


@asynccontextmanager
async def running(
    gateway: Gateway,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    clock: Clock | None = None,
    at: At = nowhere,
) -> AsyncIterator[Running]:
    """Serve *gateway* inside the block; leaving it finishes what was accepted, within grace.

    Raises:
        SettingsError: a secret or a part of Odoo's address is missing, or the port is taken.
        JournalUnavailable: the journal cannot be used, or another process serves it.
    """
    clock = clock or SystemClock()
    checked = verifiers(gateway, environ)
    destination = OdooDestination(odoo_client(settings), at=at)
    journal = open_journal(settings, serve=True, at=at)
    await journal.release()
    dispatcher = _dispatcher(gateway, settings, destination, journal, clock, at)
    limits = _receive_limits(settings)
    app = ReceiveApp(gateway, checked, journal, clock, limits, on_append=dispatcher.wake, at=at)
    server = build_server(app, settings.host, settings.port, limits=limits, grace=settings.grace)
    try:
        listening = _listen(settings)
        async with _serving(server, listening, dispatcher, settings.grace):
            host, port = listening.getsockname()[:2]
            log(Log.STARTED, url=f"http://{host}:{port}", routes=len(gateway.routes))
            yield Running(f"http://{host}:{port}", server, journal, dispatcher)
            log(Log.STOPPING)
            app.stop()
    finally:
        await destination.close()
        await journal.close()
        log(Log.STOPPED)


@asynccontextmanager
async def _serving(
    server: uvicorn.Server, listening: socket.socket, dispatcher: Dispatcher, grace: float
) -> AsyncIterator[None]:
    """Run receiver and dispatcher; stop the receiver first, then let batches settle."""
    receiving = asyncio.create_task(server.serve([listening]))
    dispatching = asyncio.create_task(dispatcher.run())
    try:
        yield
    finally:
        server.should_exit = True
        await receiving
        dispatcher.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(dispatching, grace)


def _dispatcher(  # noqa: PLR0913, PLR0917 - the composition root gives each part
    gateway: Gateway,
    settings: Settings,
    destination: OdooDestination,
    journal: Journal,
    clock: Clock,
    at: At,
) -> Dispatcher:
    return Dispatcher(
        ODOO,
        destination,
        gateway.routes,
        journal,
        clock,
        owner=f"{socket.gethostname()}:{os.getpid()}",
        policy=RetryPolicy(settings.retry_base, settings.retry_cap, settings.retry_attempts),
        limits=DispatchLimits(batch=settings.batch, concurrency=settings.concurrency),
        at=at,
    )


def _receive_limits(settings: Settings) -> ReceiveLimits:
    return ReceiveLimits(
        max_body=settings.max_body,
        max_in_flight=settings.max_in_flight,
        max_buffered=settings.max_buffered,
        read_timeout=settings.read_timeout,
    )


def _listen(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror};"
            " choose another with ODOORWAY_PORT or --port"
        ) from error
