"""`odoorway demo`: the main job, seen from outside, in a few seconds."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import structlog
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from odoorway import wiring
from odoorway.cli import demo_hooks
from odoorway.cli.demo_odoo import orders as held_orders
from odoorway.cli.demo_odoo import refuse_unable
from odoorway.cli.demo_script import Sending, references, script
from odoorway.cli.output import AsJson, Exit, out, safe, to_json
from odoorway.diagnose.catalog import CATALOG
from odoorway.journal.port import Journal
from odoorway.model.delivery import State
from odoorway.outside import read_json
from odoorway.settings import Settings
from odoorway.sources import shopify, sign, stripe
from odoorway.testing import SandboxOdoo

_ACCEPTED = 202
_COLOURS = {"delivered": "green", "duplicate": "cyan", "dead": "red", "refused": "yellow"}
_SETTLED = {State.DELIVERED, State.DEAD, State.SKIPPED}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a webhook."""

    what: str
    status: int
    event: str
    became: str
    code: str | None
    as_wanted: bool


def demo(
    odoo: Annotated[str, typer.Option(help="a real Odoo 19 to write to, by its address")] = "",
    database: Annotated[str, typer.Option(help="its database")] = "",
    api_key: Annotated[
        str,
        typer.Option(
            help="a key of a user that may sell and make products", envvar="ODOORWAY_ODOO_API_KEY"
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Send signed webhooks through a gateway into a sandbox Odoo, and show what became of them."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the table tells all
    results, orders = asyncio.run(_demo(odoo, database, api_key, quiet=as_json))
    if as_json:
        print(to_json({"webhooks": [asdict(r) for r in results], "orders": orders}))
    else:
        _show(results, orders, real=odoo)
    if not orders or not all(result.as_wanted for result in results):
        raise typer.Exit(Exit.FAILED)


async def _demo(
    url: str, database: str, key: str, *, quiet: bool
) -> tuple[list[Result], list[dict[str, Any]]]:
    async with SandboxOdoo() as sandbox:
        target = (url, database, key) if url else (sandbox.url, sandbox.database, sandbox.api_key)
        with tempfile.TemporaryDirectory(prefix="odoorway-demo-") as folder:
            settings = _settings(target, Path(folder) / "journal.db")
            await refuse_unable(settings)
            gateway = demo_hooks.gateway()
            async with wiring.running(gateway, settings, {}) as served:
                sent = script(str(int(time.time())) if url else "", outage=not url)
                sender = _Sender(served, None if url else sandbox)
                results = await sender.run(sent, quiet=quiet)
            return results, await held_orders(settings, references(sent))


def _settings(target: tuple[str, str, str], journal: Path) -> Settings:
    url, database, key = target
    return Settings.model_validate(
        {
            "odoo_url": url,
            "odoo_database": database,
            "odoo_api_key": key,
            "journal": str(journal),
            "port": 0,
            "console_port": -1,
            "retry_base": 0.3,
            "grace": 5,
        }
    )


class _Sender:
    """Plays the platforms, and waits for what becomes of each webhook."""

    def __init__(self, served: wiring.Running, sandbox: SandboxOdoo | None) -> None:
        self._served, self._sandbox = served, sandbox

    async def run(self, sent: list[Sending], *, quiet: bool) -> list[Result]:
        """Send one after the other; return what became of each."""
        columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=out, transient=True, disable=quiet) as progress:
            task = progress.add_task("", total=len(sent))
            results: list[Result] = []
            for one in sent:
                progress.update(task, description=one.what)
                async with self._outage(one):
                    status, event = await self._post(one)
                again = any(event == earlier.event for earlier in results)
                found = await self._became(one, status, event)
                results.append(replace(found, became="duplicate") if again else found)
                progress.advance(task)
            return results

    @asynccontextmanager
    async def _outage(self, one: Sending) -> AsyncIterator[None]:
        """Take the sandbox down around what is sent while it is down."""
        if not one.while_down or self._sandbox is None:
            yield
            return
        await self._sandbox.stop()
        yield
        await _until(self._noticed, 5)
        await self._sandbox.start()

    async def _noticed(self) -> bool:
        return any(not one.breaker.closed for one in self._served.dispatchers.values())

    async def _post(self, one: Sending) -> tuple[int, str]:
        is_shop = one.source == "demo-shop"
        secret = demo_hooks.SHOPIFY_SECRET if is_shop else demo_hooks.STRIPE_SECRET
        signer = shopify if is_shop else stripe
        headers = sign(
            signer.source(secret=secret),
            "not the secret" if one.forged else secret,
            one.body,
            topic=one.topic,
            event_id=one.event_id,
            now=time.time(),
        )
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self._served.url}/in/{one.source}", data=one.body, headers=headers
            ) as answer,
        ):
            told = read_json(await answer.read())
            return answer.status, told.get("event") or told.get("code", "")

    async def _became(self, one: Sending, status: int, event: str) -> Result:
        if status != _ACCEPTED:
            return Result(one.what, status, "", "refused", event, str(status) == one.wanted)
        journal = self._served.journal
        await _until(lambda: _settled(journal, event), 30)
        (delivery,) = await journal.deliveries(event_id=event)
        wanted = delivery.state == one.wanted
        return Result(one.what, status, event, delivery.state, delivery.code, wanted)


async def _settled(journal: Journal, event: str) -> bool:
    return all(d.state in _SETTLED for d in await journal.deliveries(event_id=event))


async def _until(check: Callable[[], Any], seconds: float) -> None:
    """Return when *check* is true, or when that many seconds are over."""
    until = time.monotonic() + seconds
    while not await check() and time.monotonic() < until:  # noqa: ASYNC110 - Odoo decides when
        await asyncio.sleep(0.02)


def _show(results: list[Result], orders: list[dict[str, Any]], *, real: str) -> None:
    sent = Table("webhook sent", "answer", "became", "why", box=None, pad_edge=False)
    for one in results:
        known = CATALOG.get(one.code or "")
        colour = _COLOURS.get(one.became, "yellow")  # still waiting
        mark = "" if one.as_wanted else " [bold red]unexpected[/]"
        became = f"[{colour}]{one.became}[/]{mark}"
        sent.add_row(one.what, str(one.status), became, known.title if known else "")
    out.print(sent)
    out.print(f"\nIn {safe(real) if real else 'the sandbox Odoo'} now:", style="bold")
    held = Table("order", "reference", "customer", "lines", "untaxed", "state", box=None,
                 pad_edge=False)  # fmt: skip
    for order in orders:
        held.add_row(
            safe(order["name"]),
            safe(order["client_order_ref"]),
            safe(order["partner_id"][1]),
            str(len(order["order_line"])),
            f"{order['amount_untaxed']:.2f}",
            safe(order["state"]),
        )
    out.print(held)
    if real:
        out.print("The outage was left out: a real Odoo is not taken down for a demo.", style="dim")
    fine = bool(orders) and all(one.as_wanted for one in results)
    if fine:
        out.print("\n[bold green]Each order arrived exactly once.[/] Your own: odoorway init")
    else:
        out.print("\n[bold red]Something is not as it should be.[/]")
