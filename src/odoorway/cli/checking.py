"""`odoorway check`: would hooks.py work against this Odoo, before an event depends on it?"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import typer

from odoorway import wiring
from odoorway.cli.common import (
    AsJson,
    Exit,
    Hooks,
    load_gateway,
    out,
    read_settings,
    safe,
    with_settings,
)
from odoorway.cli.trying import example_event
from odoorway.clock import SystemClock
from odoorway.commands import Call, Command, Find, Update, Upsert
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused
from odoorway.diagnose.catalog import CATALOG
from odoorway.errors import SettingsError
from odoorway.gateway import Gateway
from odoorway.model.delivery import Outcome
from odoorway.receive.signature import resolve_secrets
from odoorway.settings import Settings
from odoorway.sources import samples
from odoorway.transform.run import Commands, Settled, transform

Level = Literal["ok", "warn", "fail"]
_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[bold red]✗[/]"}
_SOON = 14 * 86400  # seconds before a key's end from which it is worth a warning


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    code: str | None = None  # a diagnosis code


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
def check(hooks: Hooks, as_json: AsJson = False, **flags: Any) -> None:
    """Check hooks.py, its secrets, and whether Odoo would take what its handlers write."""
    gateway = load_gateway(hooks)
    settings, environ = read_settings(flags)
    found = [*_sources(gateway, settings, environ)]
    needs = _Needs.of(gateway)
    found += needs.findings
    found += asyncio.run(_collect(_odoo(settings, needs)))
    _report(found, as_json=as_json)
    if any(one.level == "fail" for one in found):
        raise typer.Exit(Exit.FAILED)


def _sources(gateway: Gateway, settings: Settings, environ: dict[str, str]) -> Iterator[Finding]:
    """Look at each source's endpoint and secret."""
    if not gateway.routes:
        yield Finding("warn", "no handler is declared", "event.no-route")
    for name, source in gateway.sources.items():
        endpoint = f"http://{settings.host}:{settings.port}/in/{name}"
        try:
            resolve_secrets(source.definition, environ)
        except SettingsError as error:
            yield Finding("fail", f"source {name}: {error}", "signature.missing")
        else:
            yield Finding("ok", f"source {name} ({source.definition.platform}) at {endpoint}")


class _Needs:
    """The models and fields that the handlers wrote when run on their recorded samples."""

    def __init__(self) -> None:
        self.fields: dict[str, set[str]] = {}
        self.writes: set[str] = set()
        self.findings: list[Finding] = []

    @classmethod
    def of(cls, gateway: Gateway) -> "_Needs":
        needs = cls()
        for route in gateway.routes.values():
            platform = gateway.sources[route.source].definition.platform
            recorded = {t: b for t, b in samples(platform).items() if route.matches(t)}
            if not recorded:
                text = f"route {route.name}: no recorded sample of its topics, so it was not run"
                needs.findings.append(Finding("warn", text))
            for topic, body in recorded.items():
                result = transform(route, example_event(route.source, topic, body))
                needs._take(route.name, topic, result)
        return needs

    def _take(self, route: str, topic: str, result: Commands | Settled) -> None:
        match result:
            case Settled(outcome, code, detail, _):
                level: Level = "warn" if outcome is Outcome.SKIPPED else "fail"
                text = f"route {route} on the sample {topic}: {detail}"
                self.findings.append(Finding(level, text, code))
            case Commands(commands):
                self.findings.append(Finding("ok", f"route {route} runs on the sample {topic}"))
                for command in commands:
                    self._command(command)

    def _command(self, command: Command) -> None:
        self.writes.add(command.model)
        match command:
            case Upsert(model, _, values):
                self._values(model, values)
            case Update(model, on, values):
                self._find(on)
                self._values(model, values)
            case Call(model, _, on, _, unless):
                self._values(model, dict.fromkeys(unless))
                self._value(on)

    def _values(self, model: str, values: Any) -> None:
        self.fields.setdefault(model, set()).update(values)
        for value in values.values():
            for one in value if isinstance(value, list | tuple) else [value]:
                self._value(one)

    def _value(self, value: Any) -> None:
        if isinstance(value, Upsert):
            self._command(value)
        elif isinstance(value, Find):
            self._find(value)

    def _find(self, find: Find) -> None:
        self.fields.setdefault(find.model, set()).update(name for name, _ in find.where)
        if isinstance(find.missing, Upsert):
            self._command(find.missing)


async def _collect(found: AsyncIterator[Finding]) -> list[Finding]:
    return [one async for one in found]


async def _odoo(settings: Settings, needs: _Needs) -> AsyncIterator[Finding]:
    """Ask Odoo: is it there, does it take the key, does it have all that is written?"""
    try:
        client = wiring.odoo_client(settings)
    except SettingsError as error:
        yield Finding("fail", str(error))
        return
    try:
        odoo = Odoo(client, SystemClock())
        me = await _ask(odoo, "res.users", "context_get")
        if isinstance(me, Finding):
            yield me
            return
        yield Finding("ok", f"Odoo at {settings.odoo_url}, database {settings.odoo_database}")
        yield await _key(odoo)
        for model, names in sorted(needs.fields.items()):
            async for one in _model(odoo, model, names, writes=model in needs.writes):
                yield one
    finally:
        await client.close()


async def _ask(odoo: Odoo, model: str, method: str, **body: Any) -> Any:
    """Return the answer, or the Finding that it is."""
    try:
        return await odoo.ask(model, method, **body)
    except Refused as refused:
        verdict = refused.verdict
        return Finding("fail", f"{model}.{method}: {verdict.detail}", verdict.code)


async def _key(odoo: Odoo) -> Finding:
    """Tell when the newest key of this user ends; which of them is in use, Odoo does not say."""
    rows = await _ask(
        odoo, "res.users.apikeys", "search_read", domain=[], fields=["expiration_date"]
    )
    if not isinstance(rows, list) or not rows:
        return Finding("warn", "when the API key expires is unknown: its user may not read that")
    ends = [row["expiration_date"] for row in rows if row["expiration_date"]]
    if not ends:
        return Finding("ok", "the API key is valid and has no expiry")
    left = _seconds_left(min(ends))
    text = f"the API key is valid; of this user's keys one expires on {min(ends)[:10]}"
    return Finding("warn" if left < _SOON else "ok", text, "odoo.bad-key" if left < _SOON else None)


def _seconds_left(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - time.time()


async def _model(
    odoo: Odoo, model: str, names: set[str], *, writes: bool
) -> AsyncIterator[Finding]:
    known = await _ask(odoo, model, "fields_get", attributes=["type", "readonly"])
    if isinstance(known, Finding):
        yield known
        return
    unknown = sorted(names - set(known) - {"id"})
    for name in unknown:
        yield Finding("fail", f"{model} has no field {name!r}", "odoo.unknown-field")
    for operation in ("create", "write") if writes else ("read",):
        allowed = await _ask(odoo, model, "has_access", operation=operation)
        if allowed is not True:
            text = f"this user may not {operation} {model}"
            yield Finding("fail", text, "odoo.access-denied")
            return
    if not unknown:
        done = "may be written" if writes else "may be read"
        yield Finding("ok", f"{model} {done}; its {len(names)} fields exist")


def _report(found: list[Finding], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        out.print(f"{_MARKS[one.level]} {safe(one.what)}", soft_wrap=True)
        known = CATALOG.get(one.code or "")
        if known and one.level != "ok":
            out.print(f"  [dim]{known.code}[/] {known.cause}")
            for step in known.fix:
                out.print(f"  → {step}")
    failed = sum(one.level == "fail" for one in found)
    out.print(f"\n[bold red]{failed} to fix[/]" if failed else "\n[bold green]all fine[/]")
