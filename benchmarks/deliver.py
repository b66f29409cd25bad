"""Orders a second into one real Odoo 19: the gateway, against a controller that creates each.

Rounds are interleaved on one Odoo process and the medians are given as a ratio. The gateway's
side starts with the orders in its journal and ends when all are settled: lease, validate,
transform, look up, `load`, settle. The controller's side is the fastest of one and four
connections. Both write an order with its customer and one to three lines. The limit is Odoo
itself: the orders' own `load` alone, its rows made beforehand, its customers and products known.
"""

import argparse
import asyncio
import importlib.util
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import structlog
import uvloop

from odoorway.clock import SystemClock
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.json2 import Json2
from odoorway.dispatch.dispatcher import Dispatcher, DispatchLimits
from odoorway.gateway import Gateway
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import State
from odoorway.model.event import Event, new_id

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from acceptance.orders import Order, make  # noqa: E402

BATCHES = (100, 200)

if TYPE_CHECKING:
    from real_odoo import RealOdoo


def hooks() -> Gateway:
    """Return the gateway of the example that the README shows."""
    os.environ.setdefault("SHOPIFY_SECRET", "benchmark")
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "examples/shopify/hooks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    gateway: Gateway = module.gateway
    return gateway


def event(order: Order, now: float) -> Event:
    """Return the order as the receiver stores it."""
    return Event(
        id=new_id("evt", now),
        source="shop",
        topic="orders/create",
        idempotency_key=f"order-{order.number}",
        ordering_key=f"orders/{order.number}",
        version=None,
        received_at=now,
        headers=(),
        body=order.body(),
        body_hash=str(order.number),
    )


async def through_gateway(odoo: "RealOdoo", orders: Sequence[Order], batch: int) -> float:
    """Return orders a second from the journal into Odoo, all of them delivered."""
    gateway = hooks()
    client = Json2(odoo.url, odoo.database, odoo.gateway_key, timeout=120, max_connections=2)
    destination = OdooDestination(client)
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        journal = SqliteJournal.open(Path(folder) / "journal.db")
        clock = SystemClock()
        planned = [route.planned for route in gateway.routes.values()]
        await asyncio.gather(*(journal.append(event(o, clock.now()), planned) for o in orders))
        dispatcher = Dispatcher(
            "odoo",
            destination,
            gateway.routes,
            journal,
            clock,
            owner="benchmark",
            limits=DispatchLimits(batch=batch),
        )
        began = time.perf_counter()
        await _drain(dispatcher)
        spent = time.perf_counter() - began
        done = (await journal.stats()).deliveries[State.DELIVERED]
        await journal.close()
        await destination.close()
    assert done == len(orders), f"{done} of {len(orders)} delivered"
    return len(orders) / spent


async def _drain(dispatcher: Dispatcher) -> None:
    """Deliver on two workers, as `run` does, until nothing is left."""

    async def worker() -> None:
        while await dispatcher.step():
            pass

    await asyncio.gather(worker(), worker())


async def through_controller(odoo: "RealOdoo", orders: Sequence[Order], together: int) -> float:
    """Return orders a second, each posted to the controller."""
    waiting = iter(orders)
    async with aiohttp.ClientSession() as session:

        async def sender() -> None:
            for order in waiting:
                async with session.post(
                    f"{odoo.url}/api/webhook/order",
                    data=order.body(),
                    headers={"content-type": "application/json"},
                ) as answer:
                    assert answer.status == 200, await answer.text()

        began = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(together)))
        return len(orders) / (time.perf_counter() - began)


async def bare(odoo: "RealOdoo", orders: Sequence[Order], batch: int) -> float:
    """Return orders a second by `load` alone, in rows that a person would write by hand."""
    client = Json2(odoo.url, odoo.database, odoo.gateway_key, timeout=120, max_connections=1)
    skus = sorted({sku for order in orders for sku, _, _ in order.lines})
    domain = [["default_code", "in", skus]]
    found = (await client.call("product.product", "search_read", domain=domain,
                               fields=["default_code"])).json()  # fmt: skip
    ids = {row["default_code"]: row["id"] for row in found}
    partner = (await client.call("res.partner", "search", domain=[], limit=1)).json()[0]
    rows = [_rows(order, partner, ids) for order in orders]
    began = time.perf_counter()
    for start in range(0, len(rows), batch):
        data = [row for one in rows[start : start + batch] for row in one]
        answer = await client.call("sale.order", "load", fields=_FIELDS, data=data,
                                   context={"tracking_disable": True})  # fmt: skip
        assert len(answer.json()["ids"]) == len(rows[start : start + batch]), answer.json()
    spent = time.perf_counter() - began
    await client.close()
    return len(orders) / spent


_LINE = ("id", "product_id/.id", "product_uom_qty", "price_unit")
_FIELDS = ["id", "partner_id/.id", "client_order_ref", *(f"order_line/{name}" for name in _LINE)]


def _rows(order: Order, partner: int, ids: dict[str, int]) -> list[list[str]]:
    head = [f"__bench__.order_{order.number}", str(partner), f"#{order.number}"]
    return [
        [*(head if n == 0 else [""] * 3), f"__bench__.line_{order.number}_{n}",
         str(ids[sku]), str(quantity), str(price)]
        for n, (sku, quantity, price) in enumerate(order.lines)
    ]  # fmt: skip


def fresh() -> Iterator[int]:
    """Yield first numbers of orders never used before."""
    return itertools.count(1_000, 1_000)


async def measure(odoo: "RealOdoo", rounds: int) -> None:
    """Run the rounds and print the medians and their ratio."""
    first = fresh()
    found: dict[str, list[float]] = {}
    await through_gateway(odoo, make(50, first=next(first)), 50)
    for number in range(rounds):
        one = {
            f"gateway, batches of {batch}": await through_gateway(
                odoo, make(400, first=next(first)), batch
            )
            for batch in BATCHES
        }
        one["load alone"] = await bare(odoo, make(400, first=next(first)), 100)
        one["controller"] = max(
            [
                await through_controller(odoo, make(60, first=next(first)), together)
                for together in (1, 4)
            ]
        )
        for name, rate in one.items():
            found.setdefault(name, []).append(rate)
        print(f"round {number + 1}:", ", ".join(f"{n} {r:.0f}/s" for n, r in one.items()))
    for name, rates in found.items():
        over = [
            statistics.median(a / b for a, b in zip(rates, found[other], strict=True))
            for other in ("controller", "load alone")
        ]
        print(f"{name:24} {statistics.median(rates):6.1f} orders/s = {over[0]:4.1f} controller"
              f" = {over[1]:.2f} load alone")  # fmt: skip


def main() -> None:
    """Run it: `benchmarks/deliver.py [--rounds 3]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the terminal is slow
    from real_odoo import RealOdoo  # noqa: PLC0415 - only where there is one

    addons = [ROOT / "scripts" / "real_odoo" / "addons"]
    with RealOdoo.start("odoorway_bench_out", addons=addons, install=["order_hook"]) as odoo:
        uvloop.run(measure(odoo, given.rounds))


if __name__ == "__main__":
    main()
