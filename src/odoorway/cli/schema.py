"""`odoorway schema`: keep what an Odoo has, so that a check needs none."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from odoorway import wiring
from odoorway.cli.checking_needs import Needs
from odoorway.cli.checking_odoo import ask_odoo
from odoorway.cli.common import Hooks, load_gateway, read_settings, with_settings
from odoorway.cli.output import out, safe
from odoorway.errors import DestinationError, SettingsError
from odoorway.model.destination import DEFAULT

schema = typer.Typer(
    no_args_is_help=True, help="Keep what an Odoo has, so that a check needs none."
)
File = Annotated[
    Path | None, typer.Option("--out", help="where to; odoo-schema-<version>.json by default")
]


@schema.command()
@with_settings(
    "odoo_url", "odoo_database", "odoo_api_key", "odoo_login", "odoo_protocol", "odoo_timeout"
)
def pull(
    hooks: Hooks,
    destination: Annotated[str, typer.Option(help="the destination to ask")] = DEFAULT,
    file: File = None,
    **flags: Any,
) -> None:
    """Ask Odoo for the models that the handlers use, and keep the answer in a file.

    `odoorway check --against` reads it: in CI, or for the version that an upgrade leads to.
    """
    gateway = load_gateway(hooks)
    settings, environ = read_settings(flags)
    clients = wiring.odoo_clients(gateway, settings, environ)
    if destination not in clients:
        known = ", ".join(clients) or "none"
        raise SettingsError(f"no route goes to an Odoo called {destination!r}; there is {known}")
    found, kept = asyncio.run(ask_odoo(clients[destination], Needs.of(gateway).models))
    if kept is None:
        raise DestinationError("; ".join(one.what for one in found))
    path = file or Path(f"odoo-schema-{kept.version or 'unknown'}.json")
    kept.write(path)
    out.print(f"[green]wrote[/]  {safe(path)}, {len(kept.models)} models of Odoo {kept.version}")
