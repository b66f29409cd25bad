"""Several destinations: declared by name, read from the environment, each with its own port."""

import asyncio
import json
import time
from datetime import UTC, datetime
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web
from pydantic import BaseModel

from acceptance.gateway_process import free_port
from hostility import HostileReceiver, mark
from odoorway import Forward, Gateway, Upsert
from odoorway.deliver.http import Forwarder, HttpDestination
from odoorway.deliver.port import Job
from odoorway.deliver.retry_after import seconds
from odoorway.errors import DeclarationError, SettingsError
from odoorway.model.delivery import Outcome, State
from odoorway.settings import Settings
from odoorway.sources import hmac, sign
from odoorway.testing import SandboxOdoo
from odoorway.wiring import running

SECRET = "s3cret"


class Recorder:
    """An outside system that remembers what came."""

    def __init__(self):
        self.status, self.seen = 200, []

    async def __aenter__(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()

    async def _take(self, request):
        if request.method == "POST":
            self.seen.append((request.path, dict(request.headers), await request.read()))
        return web.Response(status=self.status)


def gateway_of(**urls):
    gateway = Gateway()
    shop = gateway.source(
        "shop", hmac.source(secret=SECRET, header="X-Signature", topic="header:X-Topic")
    )
    second = gateway.odoo("second", url="env:SECOND_URL", database="sandbox", api_key="env:KEY")
    erp = gateway.http("erp", url=urls["erp"])

    @shop.on("lead")
    def first(body: dict) -> Upsert:
        return Upsert("crm.lead", ("lead", body["id"]), {"name": body["name"]})

    @shop.on("lead", name="second", destination=second)
    def there(body: dict) -> Upsert:
        return Upsert("crm.lead", ("lead", body["id"]), {"name": "2: " + body["name"]})

    @shop.on("*", name="erp", destination=erp)
    def forward(body: bytes) -> Forward:
        return Forward("/hooks")

    return gateway


async def post(url, body, topic):
    definition = hmac.source(secret=SECRET, header="X-Signature", topic="header:X-Topic")
    headers = sign(definition, SECRET, body, topic=topic, event_id="1", now=time.time())
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/in/shop", data=body, headers=headers) as answer,
    ):
        assert answer.status == 202, await answer.text()


async def settled(journal, count):
    async with asyncio.timeout(10):
        while True:
            rows = await journal.deliveries()
            if len([d for d in rows if d.state is State.DELIVERED]) == count:
                return rows
            await asyncio.sleep(0.02)  # polls a real process; no decision rests on the time


async def test_an_event_goes_to_three_destinations():
    """Two Odoos and an outside system get it; one being away holds back no other."""
    async with SandboxOdoo() as one, SandboxOdoo() as two, Recorder() as erp:
        gateway = gateway_of(erp=erp.url)
        settings = Settings(
            journal="memory", port=0, console_port=0, odoo_url=one.url, odoo_database="sandbox",
            odoo_api_key="sandbox-key",
        )  # fmt: skip
        environ = {"SECOND_URL": two.url, "KEY": "sandbox-key"}
        await two.stop()
        async with running(gateway, settings, environ) as served:
            body = json.dumps({"id": 1, "name": "x"}).encode()
            await post(served.url, body, "lead")
            await settled(served.journal, 2)
            assert list(await served.journal.destinations()) == ["erp", "odoo", "second"]
            assert (await served.journal.standing("second")).failures
            assert not (await served.journal.standing("odoo")).failures
            await two.start()
            rows = await settled(served.journal, 3)
        assert {row.destination for row in rows} == {"odoo", "second", "erp"}
        assert [r["name"] for r in one.records("crm.lead")] == ["x"]
        assert [r["name"] for r in two.records("crm.lead")] == ["2: x"]
        ((path, headers, sent),) = erp.seen
        assert (path, sent) == ("/hooks", body)
        assert headers["webhook-id"].startswith("evt_")


async def test_a_missing_variable_is_told_before_anything_starts():
    """The name of the variable, and nothing listens."""
    async with Recorder() as erp:
        settings = Settings(journal="memory", odoo_url="x", odoo_database="d", odoo_api_key="k")
        with pytest.raises(SettingsError, match="set SECOND_URL"):
            async with running(gateway_of(erp=erp.url), settings, {"KEY": "k"}):
                pass


def test_an_unknown_destination_is_refused_at_declaration():
    """With what is declared, and how to declare one."""
    gateway = Gateway()
    shop = gateway.source("shop", hmac.source(secret=SECRET, header="X-Signature"))
    with pytest.raises(DeclarationError, match=r"unknown destination 'frnace'.*gateway\.odoo"):
        shop.on("*", destination="frnace")(forwards)
    gateway.http("erp", url="https://x")
    for again in ("erp", "odoo", "Not A Name"):
        with pytest.raises(DeclarationError):
            gateway.http(again, url="https://y")


def forwards(body: dict) -> Forward:
    return Forward("/x")


async def test_an_outside_system_takes_forwards_only():
    """An Upsert there is the integrator's mistake; an outage is the destination's."""
    async with Recorder() as erp:
        destination = HttpDestination(Forwarder(erp.url, {}), secret="whsec_" + "QUJD" * 8)
        jobs = [
            Job(1, "s", (Forward("/a", {"x": 1}),), "evt_1"),
            Job(2, "s", (Upsert("crm.lead", ("lead", 1)),), "evt_2"),
        ]
        fine, wrong = await destination.deliver(jobs)
        assert fine.outcome is Outcome.DELIVERED
        assert "webhook-signature" in erp.seen[0][1]
        assert (wrong.outcome, wrong.code) == (Outcome.DEAD, "handler.no-command")
        erp.status = 503
        down, _ = await destination.deliver(jobs)
        assert (down.code, down.blame_destination) == ("forward.server-error", True)
        assert (await destination.probe()).blame_destination
        erp.status = 404
        refused, _ = await destination.deliver(jobs)
        assert (refused.outcome, refused.blame_destination) == (Outcome.DEAD, False)
        assert (await destination.probe()).outcome is Outcome.DELIVERED
        await destination.close()


async def test_a_body_of_decimals_dates_and_models_is_written_as_json():
    """Decimal as text, times as ISO; what has no JSON form costs its own delivery only."""

    class Total(BaseModel):
        amount: Decimal

    async with Recorder() as erp:
        destination = HttpDestination(Forwarder(erp.url, {}))
        when = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
        body = {"total": Decimal("9.90"), "at": when, "all": Total(amount=Decimal("1.10"))}
        (fine,) = await destination.deliver([Job(1, "s", (Forward("/a", body),), "evt_1")])
        assert fine.outcome is Outcome.DELIVERED
        sent = json.loads(erp.seen[0][2])
        assert sent == {"total": "9.90", "at": "2026-01-02T03:04:00Z", "all": {"amount": "1.10"}}
        nonsense = Forward("/a", {})
        object.__setattr__(nonsense, "body", {"x": object()})  # that no handler can make
        wrong = await Forwarder(erp.url, {}).send(nonsense, "evt_2")
        assert (wrong.outcome, wrong.code) == (Outcome.DEAD, "forward.unwritable")
        await destination.close()


async def test_only_its_own_host_is_down_for_all():
    """A dead address of somebody else's is that delivery's own; a malformed one is dead."""
    async with Recorder() as erp:
        destination = HttpDestination(Forwarder(erp.url, {}))
        port = free_port()
        odd = Forward("/x", {})
        object.__setattr__(odd, "to", "http://[::bad/x")  # that no handler can make
        third, fine = await destination.deliver(
            [
                Job(1, "s", (Forward(f"http://127.0.0.1:{port}/x", {}),), "evt_1"),
                Job(3, "s", (Forward("/x", {}),), "evt_3"),
            ]
        )
        assert (third.outcome, third.code) == (Outcome.RETRY, "forward.unreachable")
        assert not third.blame_destination
        malformed = await Forwarder(erp.url, {}).send(odd, "evt_2")
        assert (malformed.outcome, malformed.code) == (Outcome.DEAD, "forward.bad-address")
        assert fine.outcome is Outcome.DELIVERED
        await destination.close()


async def test_an_answer_in_parts_is_read_to_its_end():
    """An error inside a 200 is one, also when it comes in two packets."""
    async with HostileReceiver() as receiver:
        forwarder = Forwarder(receiver.url, {})
        told = await forwarder.send(Forward("/x", {"do": mark("split")}), "evt_1")
        await forwarder.close()
    assert (told.code, told.outcome) == ("forward.refused", Outcome.DEAD)
    assert "no such order" in told.detail


async def test_a_slow_receiver_is_not_unreachable_because_others_wait():
    """The time-out counts from the moment a request goes out."""

    async def slow(request):
        await asyncio.sleep(0.05)  # the receiver's own slowness, not the test's
        return web.Response()

    app = web.Application()
    app.router.add_post("/slow", slow)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    destination = HttpDestination(Forwarder(url, {}, timeout=0.5))
    jobs = [Job(n, "s", (Forward("/slow", {}),), f"evt_{n}") for n in range(80)]
    verdicts = await destination.deliver(jobs)
    assert {one.outcome for one in verdicts} == {Outcome.DELIVERED}
    await destination.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("value", "seconds_"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("9" * 400, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_a_wait_is_read_as_seconds_or_a_date_and_over_a_day_is_none(value, seconds_):
    """In one place, for Odoo and for whoever takes a forward."""
    assert seconds(value, 10.0) == seconds_
