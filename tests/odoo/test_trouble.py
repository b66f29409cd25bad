"""What goes wrong around a real Odoo 19 while orders flow; each ends with every order, once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from acceptance.gateway_process import GatewayProcess, eventually, send
from acceptance.orders import Order, expected, make
from acceptance.records import held
from acceptance.test_crash import arrives
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Delivery, State
from real_odoo import Postgres, RealOdoo

from .test_orders import paused, target

pytestmark = pytest.mark.odoo
Make = Callable[..., GatewayProcess]


async def running(make_one: Make, odoo: RealOdoo, **settings: object) -> GatewayProcess:
    process = make_one(*target(odoo), **settings)
    process.start()
    await process.ready()
    return process


async def deliveries(process: GatewayProcess) -> list[Delivery]:
    """Look into the journal, beside the gateway that may be serving it."""
    journal = SqliteJournal.open(process.journal, serve=False)
    found = await journal.deliveries(limit=5000)
    await journal.close()
    return list(found)


async def under_way(process: GatewayProcess) -> None:
    """Wait until a batch is on its way to Odoo."""

    async def leased() -> bool:
        return any(d.state is State.LEASED for d in await deliveries(process))

    await eventually(leased)


async def ends_well(odoo: RealOdoo, orders: list[Order], *processes: GatewayProcess) -> None:
    """Every order is there once and as it should be, and no dead letter was made."""
    await arrives(target(odoo), expected(orders))
    for process in processes:

        async def settled(process: GatewayProcess = process) -> bool:
            # A real Odoo puts its own tax on top, and the example tells a person so.
            return {d.state for d in await deliveries(process)} == {State.BREACHED}

        await eventually(settled)
        assert await asyncio.to_thread(process.stop) == 0
    assert await held(*target(odoo)) == expected(orders)


async def test_odoo_killed_in_the_middle_of_a_batch(odoo: RealOdoo, gateway: Make) -> None:
    """By SIGKILL, with 200 orders on their way; then it is started again."""
    process = await running(gateway, odoo, batch=200)
    orders = make(200)
    assert len(await send(process.url, orders, together=64)) == 200
    await under_way(process)
    await asyncio.to_thread(odoo.kill)
    await paused(process)
    await asyncio.to_thread(odoo.restart)
    await ends_well(odoo, orders, process)


async def test_postgresql_restarted_under_odoo(odoo: RealOdoo, gateway: Make) -> None:
    """As by a crash: every connection of Odoo's is lost in the middle of a batch."""
    process = await running(gateway, odoo, batch=50)
    orders = make(150)
    assert len(await send(process.url, orders, together=64)) == 150
    await under_way(process)
    await asyncio.to_thread(Postgres().restart, immediate=True)
    await ends_well(odoo, orders, process)


async def test_two_gateways_write_the_same_records(
    odoo: RealOdoo, gateway: Make, tmp_path: Path
) -> None:
    """Each from its own journal, at the same time: one order each all the same."""
    one = await running(gateway, odoo, batch=20)
    (tmp_path / "second").mkdir()
    two = GatewayProcess(tmp_path / "second", *target(odoo), batch=20)
    two.start()
    try:
        await two.ready()
        orders = make(80)
        sent = await asyncio.gather(*(send(process.url, orders) for process in (one, two)))
        assert [len(numbers) for numbers in sent] == [80, 80]
        await ends_well(odoo, orders, one, two)
    finally:
        two.stop()


async def test_a_person_edits_the_same_orders(odoo: RealOdoo, gateway: Make) -> None:
    """While they are updated: serialization failures cost nothing but time."""
    process = await running(gateway, odoo, batch=20)
    first = make(40)
    await send(process.url, first)
    await arrives(target(odoo), expected(first))
    ids = odoo.json2("sale.order", "search", domain=[["client_order_ref", "like", "#"]])
    more = [[(sku, q + 1, price) for sku, q, price in order.lines] for order in first]
    again = [
        replace(order, revision=1, lines=tuple(lines))
        for order, lines in zip(first, more, strict=True)
    ]

    def edit() -> None:
        for ident in ids:
            with contextlib.suppress(Exception):  # a person sees an error and tries again
                odoo.json2("sale.order", "write", ids=[ident], vals={"note": "seen"})

    editing = asyncio.gather(*(asyncio.to_thread(edit) for _ in range(3)))
    assert len(await send(process.url, again)) == 40
    await editing
    edited = odoo.json2("sale.order", "search_count", domain=[["note", "like", "seen"]])
    assert edited > 0
    await ends_well(odoo, again, process)
    assert len(await deliveries(process)) == 80


async def test_a_key_revoked_and_replaced(odoo: RealOdoo, gateway: Make) -> None:
    """A thousand deliveries wait for the new key, and none spends an attempt on the old one."""
    url, database, key = target(odoo)
    process = gateway(url, database, "a-key-that-was-revoked", batch=200)
    process.start()
    await process.ready()
    orders = make(1000)
    assert len(await send(process.url, orders, together=64)) == 1000
    await paused(process)
    waiting = await deliveries(process)
    assert {(d.state, d.attempts) for d in waiting} <= {(State.PENDING, 0), (State.LEASED, 0)}
    assert await asyncio.to_thread(process.stop) == 0
    process.env["ODOORWAY_ODOO_API_KEY"] = key
    process.start()
    await process.ready()
    await ends_well(odoo, orders, process)
    assert {d.attempts for d in await deliveries(process)} == {1}


async def test_a_proxy_that_loses_answers(odoo: RealOdoo, gateway: Make) -> None:
    """One in ten, after Odoo did the work: what is repeated is not written twice."""
    async with losing(odoo.url, every=10) as (url, lost):
        process = gateway(url, odoo.database, odoo.gateway_key, batch=5)
        process.start()
        await process.ready()
        orders = make(150)
        assert len(await send(process.url, orders)) == 150
        await ends_well(odoo, orders, process)
        assert lost[0] > 3


@contextlib.asynccontextmanager
async def losing(upstream: str, *, every: int) -> AsyncIterator[tuple[str, list[int]]]:
    """Forward to *upstream* and cut the connection instead of each so-many-th answer."""
    counts = [0, 0]  # lost, asked

    async def forward(request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        async with session.request(
            request.method, upstream + request.path_qs, data=await request.read(), headers=headers
        ) as answer:
            body = await answer.read()
        counts[1] += 1
        if counts[1] % every == 0 and request.transport:
            counts[0] += 1
            request.transport.abort()
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        return web.Response(status=answer.status, body=body, content_type=kind)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}", counts
        finally:
            await runner.cleanup()
