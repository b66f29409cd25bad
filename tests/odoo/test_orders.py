"""The main job on a real Odoo 19."""

import asyncio
import random
from collections.abc import Callable

import aiohttp
import pytest

from acceptance.gateway_process import GatewayProcess, eventually, post, send
from acceptance.orders import expected, make
from acceptance.records import held
from acceptance.test_crash import arrives, crash_and_recover
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import State
from real_odoo import RealOdoo

pytestmark = pytest.mark.odoo
Make = Callable[..., GatewayProcess]


def target(odoo: RealOdoo) -> tuple[str, str, str]:
    """Return how the gateway, and the test, reach *odoo*: as its Sales user."""
    return odoo.url, odoo.database, odoo.gateway_key


async def test_500_orders_a_fifth_of_them_twice(odoo: RealOdoo, gateway: Make) -> None:
    """They end as exactly 500 orders with the right customers, lines and amounts."""
    orders = make(500)
    twice = orders + orders[::5]
    random.Random(19).shuffle(twice)
    process = gateway(*target(odoo))
    process.start()
    await process.ready()
    assert await send(process.url, twice) == {o.number for o in orders}
    await arrives(target(odoo), expected(orders))
    assert await held(*target(odoo)) == expected(orders)
    totals = odoo.json2("sale.order", "search_read", domain=[], fields=["amount_untaxed"])
    assert round(sum(t["amount_untaxed"] for t in totals), 2) == float(sum(o.total for o in orders))
    assert process.stop() == 0


async def test_killed_between_load_and_settle(odoo: RealOdoo, gateway: Make) -> None:
    """Odoo has the orders and the journal does not know it: they are not written twice."""
    process = gateway(*target(odoo), batch=10)
    await crash_and_recover(process, target(odoo), "after-load", 1)


async def test_odoo_away_for_a_while(odoo: RealOdoo, gateway: Make) -> None:
    """Nothing is lost or doubled, and no delivery spends an attempt on Odoo's absence."""
    process = gateway(*target(odoo), batch=10)
    process.start()
    await process.ready()
    before, during, after = make(30), make(30, first=31), make(30, first=61)
    assert len(await send(process.url, before)) == 30
    await asyncio.to_thread(odoo.kill)
    assert len(await send(process.url, during)) == 30
    await paused(process)
    await asyncio.to_thread(odoo.restart)
    assert len(await send(process.url, after)) == 30
    await arrives(target(odoo), expected(before + during + after))
    assert await held(*target(odoo)) == expected(before + during + after)
    assert process.stop() == 0
    journal = SqliteJournal.open(process.journal)
    deliveries = await journal.deliveries(limit=1000)
    await journal.close()
    # This Odoo puts a tax of its own on top, and the example tells a person so.
    assert {d.state for d in deliveries} == {State.BREACHED}
    assert max(d.attempts for d in deliveries) == 1


async def paused(process: GatewayProcess) -> None:
    """Wait until the gateway has noticed that Odoo is away."""

    async def noticed() -> bool:
        return "destination.paused" in await asyncio.to_thread(process.log.read_text)

    await eventually(noticed)


async def test_a_forged_order_does_not_arrive(odoo: RealOdoo, gateway: Make) -> None:
    """A wrong signature is answered 401, and Odoo never hears of it."""
    process = gateway(*target(odoo))
    process.start()
    await process.ready()
    good, forged = make(2)
    async with aiohttp.ClientSession() as session:
        assert await post(session, process.url, forged, secret="another secret") == 401
        assert await post(session, process.url, good) == 202
    await arrives(target(odoo), expected([good]))
    assert await held(*target(odoo)) == expected([good])
