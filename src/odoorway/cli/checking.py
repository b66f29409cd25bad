"""`odoorway check`: would hooks.py work against this Odoo, before an event depends on it?"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from odoorway import wiring
from odoorway.cli.checking_judge import judge
from odoorway.cli.checking_needs import CheckResult, Needs
from odoorway.cli.checking_odoo import ask_odoo
from odoorway.cli.common import Hooks, load_gateway, read_settings, with_settings
from odoorway.cli.output import AsJson, Exit, out, safe, safe_lines, to_json
from odoorway.cli.schema_file import Schema, named
from odoorway.diagnose.catalog import CATALOG
from odoorway.errors import SettingsError
from odoorway.gateway import Gateway
from odoorway.model.source import SourceDefinition
from odoorway.receive.identity import identify
from odoorway.receive.signature import resolve_secrets
from odoorway.settings import Settings
from odoorway.sources import samples, sign

Against = Annotated[
    list[str] | None,
    typer.Option(
        "--against", "--and", help="a schema file, or a version like 19, in place of an Odoo"
    ),
]
_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[bold red]✗[/]"}


@with_settings(
    "odoo_url",
    "odoo_database",
    "odoo_api_key",
    "odoo_login",
    "odoo_protocol",
    "odoo_timeout",
    "host",
    "port",
)
def check(hooks: Hooks, against: Against = None, as_json: AsJson = False, **flags: Any) -> None:
    """Check hooks.py, its secrets, and whether Odoo would take what its handlers write.

    With --against it asks no Odoo, but reads what `odoorway schema pull` kept of one, or of
    several versions: what an upgrade would break, and a check that CI can do.
    """
    gateway = load_gateway(hooks)
    settings, environ = read_settings(flags)
    if against:
        found = _kept(gateway, against)
    else:
        found = [*_sources(gateway, settings, environ), *_live(gateway, settings, environ)]
    _report(found, as_json=as_json)
    if any(one.level == "fail" for one in found):
        raise typer.Exit(Exit.FAILED)


def _sources(
    gateway: Gateway, settings: Settings, environ: dict[str, str]
) -> Iterator[CheckResult]:
    """Look at each source's endpoint and secret."""
    if not gateway.routes:
        yield CheckResult("warn", "no handler is declared", "event.no-route")
    for name, source in gateway.sources.items():
        endpoint = f"http://{settings.host}:{settings.port}/in/{name}"
        try:
            secret = resolve_secrets(source.definition, environ)[0]
        except SettingsError as error:
            yield CheckResult("fail", f"source {name}: {error}", "signature.missing")
        else:
            yield CheckResult("ok", f"source {name} ({source.definition.platform}) at {endpoint}")
            yield from _places(name, source.definition, secret)


def _places(name: str, definition: SourceDefinition, secret: str) -> Iterator[CheckResult]:
    """Read from each recorded sample what the source says that an event has."""
    for topic, body in samples(definition.platform).items():
        signed = sign(definition, secret, body, topic=topic, event_id="sample", now=time.time())
        headers = tuple((key.lower(), value) for key, value in signed.items())
        for flaw in identify(definition.identity, headers, body).flaws:
            text = f"source {name} on the sample {topic}: {flaw.detail}"
            yield CheckResult("warn", text, flaw.code)


def _kept(gateway: Gateway, against: list[str]) -> list[CheckResult]:
    """Look at what the handlers need beside each schema that was kept."""
    needs = Needs.of(gateway)
    found = list(needs.findings)
    for what in against:
        schema = Schema.read(named(what))
        found += [
            replace(one, what=f"Odoo {schema.version}: {one.what}") for one in judge(schema, needs)
        ]
    return found


def _live(gateway: Gateway, settings: Settings, environ: dict[str, str]) -> Iterator[CheckResult]:
    """Ask each Odoo that is delivered to."""
    clients = wiring.odoo_clients(gateway, settings, environ)
    for name in gateway.used:
        needs = Needs.of(gateway, name)
        yield from needs.findings
        if name not in clients:
            continue
        try:
            found, schema = asyncio.run(ask_odoo(clients[name], needs.models))
        except SettingsError as error:
            yield CheckResult("fail", str(error))
            continue
        yield from [CheckResult("ok", _label(gateway, settings, name))] if schema else []
        yield from found
        yield from judge(schema, needs) if schema else []


def _label(gateway: Gateway, settings: Settings, name: str) -> str:
    definition = gateway.destinations.get(name)
    if definition:
        return f"destination {name} at {definition.url}"
    return f"Odoo at {settings.odoo_url}, database {settings.odoo_database}"


def _report(found: list[CheckResult], *, as_json: bool) -> None:
    if as_json:
        print(to_json([asdict(one) for one in found]))
        return
    for one in found:
        where = f"  [dim]{safe(one.where)}[/]" if one.where else ""
        out.print(f"{_MARKS[one.level]} {safe_lines(one.what)}{where}", soft_wrap=True)
        known = CATALOG.get(one.code or "")
        if known and one.level != "ok":
            out.print(f"  [dim]{known.code}[/] {known.cause}")
            for step in known.fix:
                out.print(f"  → {step}")
    failed = sum(one.level == "fail" for one in found)
    out.print(f"\n[bold red]{failed} to fix[/]" if failed else "\n[bold green]all fine[/]")
