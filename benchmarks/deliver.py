"""Orders a second into one real Odoo 19: the gateway, against a controller that creates each.

Rounds are interleaved on one Odoo process and the medians are given as a ratio. The gateway's
side starts with the orders in its journal and ends when all are settled: lease, validate,
transform, look up, `load`, settle. The controller's side is the fastest of one and four
connections. Both write an order with its customer and one to three lines.
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


def fresh() -> Iterator[int]:
    """Yield first numbers of orders never used before."""
    return itertools.count(1_000, 1_000)


async def measure(odoo: "RealOdoo", rounds: int) -> None:
    """Run the rounds and print the medians and their ratio."""
    first = fresh()
    ours, theirs = [], []
    await through_gateway(odoo, make(50, first=next(first)), 50)
    for number in range(rounds):
        ours.append(await through_gateway(odoo, make(400, first=next(first)), 100))
        best = max(
            [
                await through_controller(odoo, make(60, first=next(first)), together)
                for together in (1, 4)
            ]
        )
        theirs.append(best)
        print(f"round {number + 1}: gateway {ours[-1]:.0f}/s, controller {best:.0f}/s")
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"\ngateway    {statistics.median(ours):6.1f} orders/s")
    print(f"controller {statistics.median(theirs):6.1f} orders/s")
    print(f"gateway / controller: {ratio:.1f}  (aim 5)")


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
