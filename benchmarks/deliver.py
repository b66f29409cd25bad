"""Records a second into a real Odoo 19: the gateway, a controller creating each, `load` alone.

Orders have a customer and one to three lines; contacts are a name and an address. Rounds are
interleaved on one Odoo process and medians are given as ratios. The gateway's side starts with
the events in its journal and ends when all are settled: lease, validate, transform, look up,
`load`, settle. The controller's side is the faster of one and four connections. The limit is Odoo
itself: `load` alone, its rows made beforehand, its customers and products known.
"""

import argparse
import asyncio
import importlib.util
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import structlog
import uvloop

from odoorway import Gateway, Upsert
from odoorway.clock import SystemClock
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.odoo.load import CONTEXT
from odoorway.dispatch.dispatcher import Dispatcher, DispatchLimits
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import State
from odoorway.model.event import Event, new_id
from odoorway.sources import shopify

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from acceptance.orders import make  # noqa: E402

if TYPE_CHECKING:
    from real_odoo import RealOdoo

BATCHES = {1: 40, 10: 100, 50: 200, 200: 400, 400: 800}  # batch: records a round
ADAPTIVE = 400  # the ceiling under which the dispatcher finds its own pace


@dataclass(frozen=True)
class Kind:
    """What is written: how the platform sends it, and how each side takes it."""

    name: str
    gateway: Callable[[], Gateway]
    bodies: Callable[[int, int], list[bytes]]  # count, first number
    path: str  # of the controller
    model: str
    fields: tuple[str, ...]
    rows: Callable[["RealOdoo", list[bytes]], list[list[list[str]]]]  # a list of rows a record


def order_gateway() -> Gateway:
    """Return the gateway of the example that the README shows."""
    os.environ.setdefault("SHOPIFY_SECRET", "benchmark")
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "examples/shopify/hooks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    gateway: Gateway = module.gateway
    return gateway


def order_bodies(count: int, first: int) -> list[bytes]:
    """Return orders as Shopify sends them."""
    return [order.body() for order in make(count, first=first)]


def order_rows(odoo: "RealOdoo", bodies: list[bytes]) -> list[list[list[str]]]:
    """Return an order's rows with database ids, as nobody has who has not asked before."""
    products = odoo.json2("product.product", "search_read", domain=[], fields=["default_code"])
    ids = {row["default_code"]: row["id"] for row in products}
    partner = str(odoo.json2("res.partner", "search", domain=[], limit=1)[0])
    return [_order_rows(json.loads(body), partner, ids) for body in bodies]


def _order_rows(order: Any, partner: str, ids: dict[str, int]) -> list[list[str]]:
    head = [f"__bench__.order_{order['id']}", partner, order["name"]]
    return [
        [*(head if n == 0 else [""] * 3), f"__bench__.line_{line['id']}",
         str(ids[line["sku"]]), str(line["quantity"]), line["price"]]
        for n, line in enumerate(order["line_items"])
    ]  # fmt: skip


def contact_gateway() -> Gateway:
    """Return a gateway that writes what it is sent."""
    gateway = Gateway()
    shop = gateway.source("shop", shopify.source(secret="benchmark"))

    @shop.on("orders/create")
    def contact(payload: dict[str, Any]) -> Upsert:
        values = {name: value for name, value in payload.items() if name != "id"}
        return Upsert("res.partner", ("contact", payload["id"]), values)

    return gateway


def contact_bodies(count: int, first: int) -> list[bytes]:
    """Return contacts."""
    return [json.dumps(_contact(n)).encode() for n in range(first, first + count)]


def _contact(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Contact {number}",
        "email": f"contact{number}@example.com",
        "city": "Turin",
    }


def contact_rows(_: "RealOdoo", bodies: list[bytes]) -> list[list[list[str]]]:
    """Return the contacts' rows."""
    read = [json.loads(body) for body in bodies]
    return [[[f"__bench__.contact_{c['id']}", c["name"], c["email"], c["city"]]] for c in read]


ORDERS = Kind(
    "orders", order_gateway, order_bodies, "order", "sale.order",
    ("id", "partner_id/.id", "client_order_ref", "order_line/id", "order_line/product_id/.id",
     "order_line/product_uom_qty", "order_line/price_unit"),
    order_rows,
)  # fmt: skip
CONTACTS = Kind(
    "contacts", contact_gateway, contact_bodies, "contact", "res.partner",
    ("id", "name", "email", "city"), contact_rows,
)  # fmt: skip


def event(number: int, body: bytes, now: float) -> Event:
    """Return what is sent as the receiver stores it."""
    return Event(
        id=new_id("evt", now),
        source="shop",
        topic="orders/create",
        idempotency_key=str(number),
        ordering_key=str(number),
        version=None,
        received_at=now,
        headers=(),
        body=body,
        body_hash=str(number),
    )


async def through_gateway(
    odoo: "RealOdoo", kind: Kind, bodies: Sequence[bytes], batch: int, *, bad: int = 0
) -> float:
    """Return records a second from the journal into Odoo; all but *bad* must be delivered."""
    gateway = kind.gateway()
    client = Json2(odoo.url, odoo.database, odoo.gateway_key, timeout=120, max_connections=2)
    destination = OdooDestination(client)
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        journal = SqliteJournal.open(Path(folder) / "journal.db")
        clock = SystemClock()
        planned = [route.planned for route in gateway.routes.values()]
        events = [event(n, body, clock.now()) for n, body in enumerate(bodies)]
        await asyncio.gather(*(journal.append(one, planned) for one in events))
        limits = DispatchLimits(batch=batch)
        dispatcher = Dispatcher(
            "odoo", destination, gateway.routes, journal, clock, owner="benchmark", limits=limits
        )
        began = time.perf_counter()
        await _drain(dispatcher)
        spent = time.perf_counter() - began
        done = (await journal.stats()).deliveries
        await journal.close()
        await destination.close()
    assert done[State.DELIVERED] == len(bodies) - bad, done
    assert done[State.DEAD] == bad, done
    return len(bodies) / spent


async def _drain(dispatcher: Dispatcher) -> None:
    """Deliver on two workers, as `run` does, until nothing is left."""

    async def worker() -> None:
        while await dispatcher.step():
            pass

    await asyncio.gather(worker(), worker())


async def through_controller(
    odoo: "RealOdoo", kind: Kind, bodies: Sequence[bytes], together: int
) -> float:
    """Return records a second, each posted to the controller."""
    waiting = iter(bodies)
    url = f"{odoo.url}/api/webhook/{kind.path}"
    async with aiohttp.ClientSession(headers={"content-type": "application/json"}) as session:

        async def sender() -> None:
            for body in waiting:
                async with session.post(url, data=body) as answer:
                    assert answer.status == 200, await answer.text()

        began = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(together)))
        return len(bodies) / (time.perf_counter() - began)


async def bare(odoo: "RealOdoo", kind: Kind, bodies: list[bytes], batch: int) -> float:
    """Return records a second by `load` alone, on one connection."""
    client = Json2(odoo.url, odoo.database, odoo.gateway_key, timeout=120, max_connections=1)
    records = kind.rows(odoo, bodies)
    began = time.perf_counter()
    for start in range(0, len(records), batch):
        part = records[start : start + batch]
        rows = [row for record in part for row in record]
        answer = await client.call(
            kind.model, "load", fields=kind.fields, data=rows, context=CONTEXT
        )
        assert len(answer.returned()["ids"]) == len(part), answer.returned()
    spent = time.perf_counter() - began
    await client.close()
    return len(bodies) / spent


def spoiled(bodies: list[bytes]) -> list[bytes]:
    """Return the contacts with one in a hundred that Odoo refuses: there is no such language."""
    bad = [json.dumps({**json.loads(body), "lang": "xx_XX"}).encode() for body in bodies]
    return [bad[n] if n % 100 == 50 else body for n, body in enumerate(bodies)]


async def one_round(odoo: "RealOdoo", kind: Kind, first: Iterator[int]) -> dict[str, float]:
    """Measure everything once, on records never used before."""
    found = {
        f"gateway, batches of {batch}": await through_gateway(
            odoo, kind, kind.bodies(count, next(first)), batch
        )
        for batch, count in BATCHES.items()
    }
    if kind is CONTACTS:
        bodies = spoiled(kind.bodies(400, next(first)))
        found["one in 100 is bad"] = await through_gateway(odoo, kind, bodies, ADAPTIVE, bad=4)
    found["load alone"] = await bare(odoo, kind, kind.bodies(800, next(first)), ADAPTIVE)
    found["controller"] = max(
        [
            await through_controller(odoo, kind, kind.bodies(60, next(first)), together)
            for together in (1, 4)
        ]
    )
    return found


async def measure(odoo: "RealOdoo", rounds: int) -> None:
    """Run the rounds and print the medians and their ratios."""
    first = itertools.count(1_000, 1_000)
    for kind in (ORDERS, CONTACTS):
        await through_gateway(odoo, kind, kind.bodies(50, next(first)), 50)
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name, rate in (await one_round(odoo, kind, first)).items():
                found.setdefault(name, []).append(rate)
        print(f"\n{kind.name}, a second")
        for name, rates in found.items():
            over = [_ratio(rates, found[other]) for other in ("controller", "load alone")]
            print(f"{name:24} {statistics.median(rates):7.1f} = {over[0]:4.1f} controller"
                  f" = {over[1]:.2f} load alone")  # fmt: skip


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


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
