"""Is it the same event, and about the same thing? From signed requests to what Odoo holds."""

import asyncio
import base64
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from odoorway import Gateway, Upsert
from odoorway.model.delivery import Delivery, State
from odoorway.model.source import SourceDefinition
from odoorway.settings import Settings
from odoorway.sources import hmac, sign, standard_webhooks
from odoorway.testing import SandboxOdoo
from odoorway.wiring import Running, running

WAITING = {State.PENDING, State.LEASED}


class Sender:
    """One source that sends to a running gateway, one event after the other."""

    def __init__(self, running: Running, definition: SourceDefinition, odoo: SandboxOdoo) -> None:
        self.journal, self.odoo = running.journal, odoo
        self._url, self._definition = f"{running.url}/in/crm", definition

    async def send(self, payload: Any, topic: str = "", event_id: str = "") -> str:
        """Return the id of the event; what it changes in Odoo is done by then."""
        body = json.dumps(payload).encode()
        secret = self._definition.secrets[0]
        headers = sign(
            self._definition, secret, body, topic=topic, event_id=event_id, now=time.time()
        )
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._url, data=body, headers=headers) as answer,
        ):
            assert answer.status == 202, await answer.text()
            told = await answer.json()
        await self.settled()
        return str(told["event"])

    async def settled(self) -> Sequence[Delivery]:
        """Return all deliveries, the first first, once none waits."""
        async with asyncio.timeout(10):
            while True:
                rows = await self.journal.deliveries()
                if not [one for one in rows if one.state in WAITING]:
                    return rows[::-1]
                await asyncio.sleep(0.01)  # another task delivers; nothing rests on the time


@asynccontextmanager
async def sender(
    definition: SourceDefinition, handler: Callable[..., Any], **settings: Any
) -> AsyncIterator[Sender]:
    """Serve one source with one handler for all it sends."""
    gateway = Gateway()
    gateway.source("crm", definition).on("*")(handler)
    async with SandboxOdoo() as odoo:
        chosen = Settings(
            journal="memory", port=0, console_port=-1, odoo_url=odoo.url,
            odoo_database=odoo.database, odoo_api_key=odoo.api_key, **settings,
        )  # fmt: skip
        async with running(gateway, chosen, {}) as served:
            yield Sender(served, definition, odoo)


def partner(event: dict[str, Any]) -> Upsert:
    kind = event["type"].rpartition(".")[0].replace(".", "-")
    return Upsert("res.partner", (kind, event["data"]["id"]), {"name": event["type"]})


async def test_things_of_two_kinds_are_two_things_though_they_have_one_id() -> None:
    """A contact changed at 10:05 does not make an invoice of 10:00 stale, only one of its own."""
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()

    def about(topic: str, at: str) -> dict[str, Any]:
        return {"type": topic, "timestamp": f"2026-11-25T{at}:00Z", "data": {"id": 7}}

    async with sender(standard_webhooks.source(secret=secret), partner) as crm:
        for number, (topic, at) in enumerate(
            (
                ("contact.updated", "10:05"), ("invoice.paid", "10:00"),
                ("contact.address.updated", "10:01"), ("contact.created", "10:02"),
            )
        ):  # fmt: skip
            await crm.send(about(topic, at), event_id=f"m{number}")
        codes = [one.code for one in await crm.settled()]
        names = [one["name"] for one in crm.odoo.records("res.partner")]
    assert codes == [None, None, None, "event.stale"]
    assert names == ["contact.updated", "invoice.paid", "contact.address.updated"]


def stock(change: dict[str, Any]) -> Upsert:
    values = {"name": change["sku"], "list_price": change["qty"]}
    return Upsert("product.product", ("sku", change["sku"]), values)


WAREHOUSE = hmac.source(
    secret="a-secret", header="X-Sig", topic="header:X-Topic", ordering_key="stock/{json:sku}"
)


async def test_without_event_ids_stock_5_4_5_ends_as_5() -> None:
    """A change back is a change; only the request that came twice in a row is a repeat."""
    async with sender(WAREHOUSE, stock) as crm:
        ids = [await crm.send({"sku": "A", "qty": qty}, "stock") for qty in (5, 4, 4, 5)]
        (product,) = crm.odoo.records("product.product")
    assert product["list_price"] == 5
    assert [ids.index(one) for one in ids] == [0, 1, 1, 3]


async def test_with_no_window_every_request_without_an_id_is_an_event() -> None:
    """As the setting says."""
    async with sender(WAREHOUSE, stock, repeat_window=0) as crm:
        assert len({await crm.send({"sku": "A", "qty": 5}, "stock") for _ in range(3)}) == 3


async def test_an_event_id_is_known_for_the_days_that_are_set() -> None:
    """0 is for ever, as with all that is kept."""
    events = dataclasses.replace(WAREHOUSE.identity, event_id=("header:X-Id",))
    named = dataclasses.replace(WAREHOUSE, identity=events)
    for days, count in ((0, 1), (90, 1), (1e-9, 2)):
        async with sender(named, stock, keep_key_days=days) as crm:
            ids = {await crm.send({"sku": "A", "qty": 5}, "stock", "e1") for _ in range(2)}
        assert len(ids) == count
