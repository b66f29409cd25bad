"""The console of a running gateway."""

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odoorway.clock import Clock
from odoorway.console.app import build_app
from odoorway.console.desk import Desk
from odoorway.console.lag import Lag
from odoorway.console.latency import Latency
from odoorway.console.metrics import Metrics
from odoorway.console.server import console_server
from odoorway.deliver.odoo.about import Asker
from odoorway.dispatch.dispatcher import Dispatcher
from odoorway.dispatch.handlers import Handlers
from odoorway.errors import SettingsError
from odoorway.gateway import Gateway
from odoorway.journal.accounts import Accounts
from odoorway.journal.accounts_sqlite import SqliteAccounts
from odoorway.journal.port import Journal
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.destination import DEFAULT, HttpDefinition
from odoorway.model.event import new_id
from odoorway.receive.signature import resolve_secrets
from odoorway.settings import Settings
from odoorway.sources import sign
from odoorway.wiring.destinations import odoo_clients
from odoorway.wiring.supervise import Part

_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Return a listening socket.

    Raises:
        SettingsError: the port is taken, or the address is not this machine's.
    """
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with"
            f" ODOORWAY_{setting.upper()} or --{setting.replace('_', '-')}"
        ) from error


def url_of(listening: socket.socket) -> str:
    """Return the address of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def accounts_of(journal: Journal) -> Accounts:
    """Return who may use the console, kept beside the journal."""
    if not isinstance(journal, SqliteJournal):
        raise TypeError(f"{type(journal).__name__} keeps no accounts")
    return SqliteAccounts(journal)


def desk_of(  # noqa: PLR0913, PLR0917 - the composition root gives each part
    gateway: Gateway,
    settings: Settings,
    environ: Mapping[str, str],
    journal: Journal,
    dispatchers: Mapping[str, Dispatcher],
    clock: Clock,
    receiver: str,
    lag: Lag,
    handlers: Handlers,
) -> Desk:
    """Return what the console works with."""
    local = _is_local(settings.console_host)
    login = settings.console_login == "always" or (settings.console_login == "auto" and not local)

    def test(source: str, topic: str, body: bytes) -> dict[str, str]:
        definition = gateway.sources[source].definition
        secret = resolve_secrets(definition, environ)[0]
        now = clock.now()
        return sign(definition, secret, body, topic=topic, event_id=new_id("test", now), now=now)

    return Desk(
        gateway=gateway,
        journal=journal,
        accounts=accounts_of(journal),
        clock=clock,
        pace=lambda: {n: (one.pace.batch, one.pace.concurrency) for n, one in dispatchers.items()},
        wake=lambda: wake(tuple(dispatchers.values())),
        latency=Latency(journal, clock),
        lag=lag.worst,
        max_rate=settings.max_rate,
        handlers=handlers,
        receiver=receiver,
        odoo_urls=_urls(gateway, settings, environ),
        test=test,
        about={
            name: Asker(connect, clock).about
            for name, connect in odoo_clients(gateway, settings, environ).items()
        },
        login=login,
        hosts=_LOCAL if local and not login else frozenset(),
        proxy=settings.proxy,
        masked=settings.masked_fields,
    )


def wake(dispatchers: Sequence[Dispatcher]) -> None:
    """Let every dispatcher look at the journal now."""
    for dispatcher in dispatchers:
        dispatcher.wake()


@dataclass(frozen=True, slots=True)
class Console:
    """The console, about to be served."""

    url: str
    part: Part


def console(desk: Desk, settings: Settings) -> Console | None:
    """Return the console, listening already; None when it is turned off.

    Raises:
        SettingsError: its port is taken.
    """
    if settings.console_port < 0:
        return None
    listening = listen(settings.console_host, settings.console_port, "console_port")
    server = console_server(build_app(desk, Metrics(desk)))

    async def serve() -> None:
        await server.serve([listening])

    def stop() -> None:
        server.should_exit = True

    return Console(url_of(listening), Part(name="console", run=serve, stop=stop, restarts=0))


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _urls(gateway: Gateway, settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the address of each destination; only an Odoo's records get links."""
    found = {DEFAULT: settings.odoo_url}
    for name, definition in gateway.destinations.items():
        url = environ.get(definition.url.removeprefix("env:"), definition.url)
        found[name] = "" if isinstance(definition, HttpDefinition) else url
    return found
