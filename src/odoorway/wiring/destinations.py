"""The destinations of a gateway, made from its declarations and settings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from odoorway.deliver.http import Forwarder, HttpDestination
from odoorway.deliver.odoo.anyversion import AnyVersion
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.odoo.jsonrpc import JsonRpc
from odoorway.deliver.odoo.transport import Caller
from odoorway.deliver.port import Binding, Destination
from odoorway.errors import SettingsError
from odoorway.gateway import Gateway
from odoorway.journal.port import Journal
from odoorway.model.destination import DEFAULT, HttpDefinition, OdooDefinition
from odoorway.settings import Settings

At = Callable[[str], None]


def odoo_client(
    settings: Settings,
    definition: OdooDefinition | None = None,
    environ: Mapping[str, str] | None = None,
) -> Caller:
    """Return a client of the Odoo that the settings, or *definition*, name; nothing is asked yet.

    Raises:
        SettingsError: its address, database, key or login is missing.
    """
    known = definition or _of_settings(settings)
    read = partial(_read, environ or {})
    where, key, login = (read(known.url), read(known.database)), read(known.api_key), known.login
    limits: dict[str, Any] = {
        "timeout": settings.odoo_timeout,
        "max_connections": settings.max_concurrency,
    }
    match known.protocol:
        case "json2":
            return Json2(*where, key, **limits)
        case "jsonrpc":
            return JsonRpc(*where, read(login), key, **limits)
    return AnyVersion(*where, read(login) if login else "", key, **limits)


def _of_settings(settings: Settings) -> OdooDefinition:
    """Return the default destination.

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
    return OdooDefinition(
        name=DEFAULT,
        url=settings.odoo_url,
        database=settings.odoo_database,
        api_key=key,
        login=settings.odoo_login,
        protocol=settings.odoo_protocol,
    )


def _read(environ: Mapping[str, str], text: str) -> str:
    """Return *text*, or what the variable holds that it names."""
    name = text.removeprefix("env:")
    if name == text:
        return text
    if not environ.get(name):
        raise SettingsError(f"set {name} in .env or the environment: a destination is read from it")
    return environ[name]


def odoo_clients(
    gateway: Gateway, settings: Settings, environ: Mapping[str, str]
) -> dict[str, Callable[[], Caller]]:
    """Return what makes a client of each Odoo that *gateway* delivers to, by its name."""
    found: dict[str, Callable[[], Caller]] = {}
    for name in gateway.used:
        definition = gateway.destinations.get(name)
        if not isinstance(definition, HttpDefinition):
            found[name] = partial(odoo_client, settings, definition, environ)
    return found


@dataclass(frozen=True, slots=True)
class JournalBindings:
    """One destination's bindings, kept in the journal. Implements ``deliver.port.Bindings``."""

    journal: Journal
    destination: str

    async def known(self, xids: Sequence[str]) -> Mapping[str, int]:
        """See ``Bindings.known``."""
        return await self.journal.bound(self.destination, xids)

    async def bind(self, bindings: Iterable[Binding]) -> None:
        """See ``Bindings.bind``."""
        await self.journal.bind(self.destination, list(bindings))

    async def forget(self, xids: Sequence[str]) -> None:
        """See ``Bindings.forget``."""
        await self.journal.unbind(self.destination, xids)


def destination(  # noqa: PLR0913, PLR0917 - the composition root gives each part
    name: str,
    gateway: Gateway,
    settings: Settings,
    environ: Mapping[str, str],
    journal: Journal,
    at: At,
) -> Destination:
    """Return the destination called *name*; nothing is asked yet."""
    definition = gateway.destinations.get(name)
    if isinstance(definition, HttpDefinition):
        url, secret = _read(environ, definition.url), definition.secret
        return HttpDestination(Forwarder(url, environ, timeout=settings.odoo_timeout), secret)
    known = definition or _of_settings(settings)
    database = {"X-Odoo-Database": _read(environ, known.database)}
    return OdooDestination(
        odoo_client(settings, known, environ),
        bindings=JournalBindings(journal, name),
        forwarder=Forwarder(
            _read(environ, known.url), environ, headers=database, timeout=settings.odoo_timeout
        ),
        at=at,
        lookup_life=settings.lookup_life,
    )


def refuse_incomplete(gateway: Gateway, settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise what is missing of any destination, before a journal is made."""
    for name in gateway.used:
        definition = gateway.destinations.get(name) or _of_settings(settings)
        _read(environ, definition.url)
        if isinstance(definition, OdooDefinition):
            for text in (definition.database, definition.api_key, definition.login):
                _read(environ, text)
