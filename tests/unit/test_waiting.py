"""What waits for another event: it lets the others pass, is woken, and a person can give it up."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import aiohttp
from console_desk import PLAN, Bench, event

from odoorway import Call, Gateway, Update, Upsert, find
from odoorway.journal.port import Journal
from odoorway.model.delivery import Outcome, Settlement, State
from odoorway.settings import Settings
from odoorway.sources import hmac, sign
from odoorway.testing import SandboxOdoo
from odoorway.wiring import running

SECRET = "a-secret-of-the-tests"


def gateway_of() -> Gateway:
    gateway = Gateway()
    shop = gateway.source(
        "shop",
        hmac.source(
            secret=SECRET, header="X-Sig", topic="header:X-Topic", ordering_key="order/{json:id}"
        ),
    )

    @shop.on("orders/paid")
    def paid(order: dict) -> Update:
        on = find("sale.order", missing="retry", client_order_ref=order["name"])
        return Update("sale.order", on, {"note": "paid"})

    @shop.on("orders/create")
    def create(order: dict) -> Upsert:
        partner = Upsert("res.partner", ("customer", order["id"]), {"name": order["name"]})
        values = {"client_order_ref": order["name"], "partner_id": partner}
        return Upsert("sale.order", ("order", order["id"]), values)

    return gateway


async def post(url: str, topic: str, body: dict) -> int:
    definition = gateway_of().sources["shop"].definition
    raw = json.dumps(body).encode()
    headers = dict(sign(definition, SECRET, raw, topic=topic, event_id="", now=time.time()))
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/in/shop", data=raw, headers=headers | {"X-Topic": topic}) as answer,
    ):
        return answer.status


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(40):
        while not await check():  # noqa: ASYNC110 - the gateway tells nobody
            await asyncio.sleep(0.01)


async def states(journal: Journal) -> list[State]:
    found = await journal.deliveries(limit=50)
    return [one.state for one in sorted(found, key=lambda one: one.id)]


async def test_a_payment_before_its_order_ends_right_within_seconds() -> None:
    """Also from a lane of its own, and with every retry an hour away: writing it wakes it."""
    async with SandboxOdoo() as odoo:
        settings = Settings(
            journal="memory", port=0, console_port=-1, odoo_url=odoo.url,
            odoo_database=odoo.database, odoo_api_key=odoo.api_key, retry_base=7200.0,
            retry_cap=7200.0,
        )  # fmt: skip
        async with running(gateway_of(), settings, {}) as served:
            assert await post(served.url, "orders/paid", {"id": 7, "name": "#7"}) == 202

            async def waits() -> bool:
                (one,) = await served.journal.deliveries()
                return one.code == "odoo.awaiting-match"

            await until(waits)
            assert await post(served.url, "orders/create", {"id": 7, "name": "#7"}) == 202

            async def done() -> bool:
                return await states(served.journal) == [State.DELIVERED] * 2

            await until(done)
        (order,) = odoo.records("sale.order")
        assert "paid" in str(order)


async def waiting(bench: Bench) -> None:
    """Have one delivery that waits for its order."""
    await bench.journal.append(event(1), [PLAN])
    (one,) = await bench.journal.lease("odoo", "me", limit=9, now=1000.0, until=2000.0)
    aside = Settlement(
        delivery=one.delivery.id, outcome=Outcome.RETRY, at=1001.0, seconds=0.1, due_at=9e9,
        code="odoo.awaiting-match", detail="sale.order matches nothing", waits_for="sale.order",
    )  # fmt: skip
    await bench.journal.settle("me", [aside])


async def test_a_person_sees_what_waits_long_and_gives_it_up() -> None:
    """On the Problems page with its cause; given up by page or API, with who and why."""
    bench = Bench()
    await waiting(bench)
    name = event(1).id
    async with bench.client() as client:
        page = (await client.get("/problems")).text
        assert "odoo.awaiting-match" in page
        assert "what comes after it is delivered" in page
        assert "Give it up" in (await client.get(f"/events/{name}")).text
        tried = await client.post(f"/api/v1/events/{name}/try-now")
        assert tried.json() == {"deliveries": 1}
        assert bench.woken == 1
        asked = {"reason": "the shop cancelled it"}
        gone = await client.post(f"/api/v1/events/{name}/give-up", params=asked)
        assert gone.json() == {"deliveries": 1}
    (one,) = await bench.journal.deliveries()
    assert (one.state, one.code) == (State.SKIPPED, "delivery.given-up")
    assert one.detail.endswith("the shop cancelled it")
    assert [deed.action for deed in await bench.accounts.deeds()] == ["give up", "try now"]


def test_a_call_may_make_anything_of_its_model() -> None:
    """So it wakes whoever waits for a record of it; an Upsert those whose values fit."""
    from odoorway.transform.makes import makes

    order = Upsert("sale.order", ("order", 1), {"client_order_ref": "#1", "x": None})
    call = Call("sale.order", "action_confirm", order, unless={"state": ["sale"]})
    assert makes([order, call]) == (
        ("sale.order", {"client_order_ref": "#1"}),
        ("sale.order", {"client_order_ref": "#1"}),
        ("sale.order", {}),
    )
