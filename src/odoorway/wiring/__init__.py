"""The composition root: the only module, beside testing, that names concrete adapters."""

import asyncio
import hashlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn

from odoorway.clock import Clock, SystemClock
from odoorway.console.lag import Lag
from odoorway.deliver.http import CONNECTIONS, HttpDestination
from odoorway.deliver.port import Destination
from odoorway.dispatch.dispatcher import Dispatcher, DispatchLimits
from odoorway.dispatch.handler_process import HandlerLimits
from odoorway.dispatch.handlers import HandlerProcesses, Handlers
from odoorway.dispatch.retry_policy import RetryPolicy
from odoorway.errors import SettingsError
from odoorway.gateway import Gateway
from odoorway.journal.port import Journal, Limits
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.event import Event
from odoorway.model.mask import Mask, shown_body
from odoorway.receive.app import ReceiveApp, ReceiveLimits
from odoorway.receive.server import build_server
from odoorway.receive.signature import Verifier, resolve_secrets
from odoorway.settings import Settings
from odoorway.telemetry import Log, log
from odoorway.wiring.caring import caring
from odoorway.wiring.console import accounts_of, console, desk_of, listen, url_of, wake
from odoorway.wiring.destinations import (
    At,
    destination,
    odoo_client,
    odoo_clients,
    refuse_incomplete,
)
from odoorway.wiring.supervise import Part, PartEnded, Supervisor

__all__ = ["PartEnded", "accounts_of", "odoo_client", "odoo_clients", "open_journal", "running"]

_MOST_LOGGED = 10_000  # characters of a payload


def nowhere(_point: str) -> None:
    """Pass every named point; crash tests stop at one instead."""


def open_journal(settings: Settings, *, serve: bool, at: At = nowhere) -> SqliteJournal:
    """Open the journal that the settings name; ``serve`` claims it for this process.

    ``memory`` is one that goes with this process.

    Raises:
        JournalLocked: another process serves this file.
        JournalUnavailable: the file cannot be used.
    """
    limits = Limits(
        max_waiting=settings.max_waiting,
        key_life=settings.keep_key_days * 86_400 or None,
        repeat_window=settings.repeat_window,
    )
    if settings.journal == "memory":
        return SqliteJournal.temporary(limits=limits, at=at)
    scheme, found, _ = settings.journal.partition("://")
    if found and scheme != "sqlite":
        raise SettingsError(
            f"ODOORWAY_JOURNAL (--journal): {scheme}:// is no journal yet; give a file's path,"
            " sqlite:///path, or memory"
        )
    path = settings.journal.removeprefix("sqlite:///")
    return SqliteJournal.open(Path(path), limits=limits, serve=serve, at=at)


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
    dispatchers: Mapping[str, Dispatcher]  # by destination
    console: str | None = None  # the URL of metrics and console


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
        SettingsError: a secret or a part of a destination's address is missing, or the port is
            taken.
        PartEnded: a part of the gateway ended for good while it served.
        JournalUnavailable: the journal cannot be used, or another process serves it.
    """
    clock = clock or SystemClock()
    checked = verifiers(gateway, environ)
    refuse_incomplete(gateway, settings, environ)
    async with AsyncExitStack() as held:
        # Before anything else: it forks, and there must be no thread yet.
        handlers = HandlerProcesses(gateway.routes, _handler_limits(settings))
        held.push_async_callback(handlers.close)
        journal = open_journal(settings, serve=True, at=at)
        held.push_async_callback(journal.close)
        await journal.release()
        dispatchers: dict[str, Dispatcher] = {}
        for name in gateway.used:
            one = destination(name, gateway, settings, environ, journal, at)
            held.push_async_callback(one.close)
            dispatchers[name] = _dispatcher(
                name, gateway, settings, one, journal, clock, at, handlers
            )
        limits = _receive_limits(settings)
        app = ReceiveApp(
            gateway,
            checked,
            journal,
            clock,
            limits,
            on_append=partial(wake, tuple(dispatchers.values())),
            shown=_shown(settings),
            at=at,
            trouble=lambda: any(one.failing for one in dispatchers.values()),
        )
        server = build_server(
            app, settings.host, settings.port, limits=limits, grace=settings.grace
        )
        listening = listen(settings.host, settings.port, "port")
        held.callback(listening.close)
        url, lag = url_of(listening), Lag()
        desk = desk_of(gateway, settings, environ, journal, dispatchers, clock, url, lag, handlers)
        served = console(desk, settings)
        parts = [
            _receiving(server, listening, settings.grace),
            _dispatching(tuple(dispatchers.values()), settings.grace),
            *([served.part] if served else []),
            *await caring(desk, settings, journal, clock, _marks(gateway, environ), lag),
        ]
        async with Supervisor(parts).going():
            log(Log.STARTED, url=url, routes=len(gateway.routes))
            yield Running(url, server, journal, dispatchers, served.url if served else None)
            log(Log.STOPPING)
            app.stop()
    log(Log.STOPPED)


def _receiving(server: uvicorn.Server, listening: socket.socket, grace: float) -> Part:
    """Return the receiver: without it nothing else makes sense, so its end ends the process."""

    def stop() -> None:
        server.should_exit = True

    async def serve() -> None:
        await server.serve([listening])

    return Part(name="receiver", run=serve, stop=stop, grace=grace + 5.0, restarts=0)


def _dispatching(dispatchers: Sequence[Dispatcher], grace: float) -> Part:
    """Return all dispatchers: first what may have ended the process before, by itself."""

    async def run() -> None:
        for dispatcher in dispatchers:
            await dispatcher.recover()
        await asyncio.gather(*(dispatcher.run() for dispatcher in dispatchers))

    def stop() -> None:
        for dispatcher in dispatchers:
            dispatcher.stop()

    return Part(name="dispatch", run=run, stop=stop, grace=grace)


def _dispatcher(  # noqa: PLR0913, PLR0917 - the composition root gives each part
    name: str,
    gateway: Gateway,
    settings: Settings,
    destination: Destination,
    journal: Journal,
    clock: Clock,
    at: At,
    handlers: Handlers,
) -> Dispatcher:
    return Dispatcher(
        name,
        destination,
        gateway.routes,
        journal,
        clock,
        owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        policy=RetryPolicy(settings.retry_base, settings.retry_cap, settings.retry_attempts),
        limits=DispatchLimits(
            batch=settings.batch,
            concurrency=settings.max_concurrency,
            rate=settings.max_rate,
            singly=CONNECTIONS if isinstance(destination, HttpDestination) else 0,
        ),
        handlers=handlers,
        at=at,
        logged=_logged(settings.masked_fields),
    )


def _logged(names: Sequence[str]) -> Callable[[str, Event], str]:
    """Return how a delivery's detail is logged."""
    return lambda detail, event: Mask.of(names, event.body).text(detail) if detail else ""


def _handler_limits(settings: Settings) -> HandlerLimits:
    return HandlerLimits(
        seconds=settings.handler_seconds,
        memory=settings.handler_memory * 1_000_000,
        processes=settings.handler_processes,
    )


def _shown(settings: Settings) -> Callable[[bytes], str] | None:
    """Return how a payload is logged; None when it is not."""
    if not settings.log_payloads:
        return None
    return lambda body: shown_body(body, settings.masked_fields, pretty=False)[:_MOST_LOGGED]


def _receive_limits(settings: Settings) -> ReceiveLimits:
    return ReceiveLimits(
        max_body=settings.max_body,
        max_in_flight=settings.max_in_flight,
        max_buffered=settings.max_buffered,
        read_timeout=settings.read_timeout,
    )


def _marks(gateway: Gateway, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what tells each source's secrets from others, and does not reveal them."""
    return {
        name: hashlib.sha256(
            "\0".join([name, *resolve_secrets(source.definition, environ)]).encode()
        ).hexdigest()[:8]
        for name, source in gateway.sources.items()
    }
