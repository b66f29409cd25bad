"""A gateway with its console and a history, and a browser to look at it."""

import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from odoorway import Gateway, Upsert, find, wiring
from odoorway.journal.port import Journal
from odoorway.model.delivery import State
from odoorway.settings import Settings
from odoorway.sources import shopify, sign, stripe
from odoorway.testing import SandboxOdoo

SECRET = "whsec_c2VjcmV0"
BROWSER: dict[str, Any] = {
    "executable_path": shutil.which("chromium") or "/usr/bin/chromium",
    "args": [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
}  # fmt: skip


class ShiftedClock:
    """The time of day, moved by an offset in seconds."""

    offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset


@dataclass
class Console:
    """A console that serves."""

    url: str
    receiver: str
    sandbox: SandboxOdoo
    journal: Journal
    dead_page: str = ""


def gateway_of() -> Gateway:
    gateway = Gateway()
    shop = gateway.source("shop", shopify.source(secret=SECRET))
    payments = gateway.source("payments", stripe.source(secret=SECRET))

    @shop.on("orders/create", "orders/updated")
    def sale_order(order: shopify.Order) -> Upsert:
        name = order.customer.full_name if order.customer else "Guest"
        customer = Upsert("res.partner", ("customer", order.id), {"name": name})
        lines = [
            Upsert("sale.order.line", ("line", line.id), {
                "product_id": find("product.product", default_code=line.sku),
                "product_uom_qty": line.quantity, "price_unit": line.price,
            })
            for line in order.line_items
        ]  # fmt: skip
        values = {"partner_id": customer, "client_order_ref": order.name, "order_line": lines}
        return Upsert("sale.order", ("order", order.id), values)

    @payments.on("payment_intent.succeeded")
    def paid(body: dict) -> Upsert:
        return Upsert("crm.lead", ("payment", body["id"]), {"name": body["id"]})

    return gateway


@asynccontextmanager
async def demo_console(folder: Path, orders: int = 24) -> AsyncIterator[Console]:
    """Serve a console whose gateway got orders for an hour: one in eight is a dead letter."""
    async with SandboxOdoo() as sandbox:
        sandbox.create("product.product", {"name": "Mug", "default_code": "MUG"})
        settings = Settings(
            journal=str(folder / "journal.db"), port=0, console_port=0, odoo_url=sandbox.url,
            odoo_database=sandbox.database, odoo_api_key=sandbox.api_key,
        )  # fmt: skip
        clock = ShiftedClock()
        async with wiring.running(gateway_of(), settings, {}, clock=clock) as served:
            console = Console(str(served.console), served.url, sandbox, served.journal)
            await _orders(console, served, clock, orders)
            yield console


async def _orders(
    console: Console, served: wiring.Running, clock: ShiftedClock, orders: int
) -> None:
    async with aiohttp.ClientSession() as session:
        for number in range(1, orders + 1):
            clock.offset = 3500.0 * (number / orders - 1) * (1 + 0.02 * (number % 3))
            sku = "MUG" if number % 8 else "CUP"
            await send(session, console.receiver, number, sku, clock.now())
            async with session.get(console.url) as shown:  # notes how long it took
                assert shown.status == 200
        clock.offset = 0.0
        async with session.post(f"{console.receiver}/in/shop", data=b"{}") as answer:
            assert answer.status == 401
    while (await served.journal.stats()).deliveries[State.PENDING]:
        await served.dispatchers["odoo"].step()
    (dead, *_) = await served.journal.deliveries(state=State.DEAD)
    console.dead_page = f"/events/{dead.event_id}"


async def send(
    session: aiohttp.ClientSession, receiver: str, number: int, sku: str, now: float | None = None
) -> None:
    """Send one signed order."""
    line = {"id": number * 10, "sku": sku, "quantity": 2, "price": "9.90", "title": "Mug",
            "name": "Mug", "variant_id": 1, "product_id": 1}  # fmt: skip
    order = {
        "id": number, "name": f"#{1000 + number}", "email": "ada@example.com", "currency": "EUR",
        "created_at": "2026-11-24T10:00:00Z", "updated_at": "2026-11-24T10:00:00Z",
        "total_price": "19.80", "line_items": [line],
        "customer": {"id": 1, "first_name": "Ada", "last_name": "Lovelace",
                     "email": "ada@example.com"},
    }  # fmt: skip
    body = json.dumps(order).encode()
    definition = shopify.source(secret=SECRET)
    at = time.time() if now is None else now
    headers = sign(definition, SECRET, body, topic="orders/create", event_id=f"e{number}", now=at)
    async with session.post(f"{receiver}/in/shop", data=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()
