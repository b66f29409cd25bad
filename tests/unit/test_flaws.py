"""What a source declares and an event lacks: said by the console and by check, and mended."""

import json
from dataclasses import replace

import pytest
from console_desk import PLAN, Bench, event
from test_console import csrf_of

from odoorway.cli.checking import _places
from odoorway.cli.transfer import _plain
from odoorway.model.delivery import State
from odoorway.model.event import Flaw
from odoorway.model.mask import shown_body
from odoorway.model.source import SourceDefinition
from odoorway.sources import hmac, shopify

BODY = b'[{"subscriptionType": "orders/create", "id": 5}]'
FLAW = Flaw(
    "event.no-topic", "the topic's place json:type names nothing in this body: an array of 1"
)


def misdeclared(topic: str) -> SourceDefinition:
    return hmac.source(secret="s", header="X-Sig", topic=topic, platform="shopify")


async def test_an_event_says_what_it_lacks_and_is_replayed_once_the_source_is_mended() -> None:
    """Today's declaration is what counts: its topic is read anew, and its route gets it."""
    bench = Bench()
    source = bench.desk.gateway.sources["shop"]
    source.definition = misdeclared("json:0.type")
    sent = replace(event(1, ""), body=BODY, headers=())
    await bench.journal.append(sent, [], FLAW)
    page, dry = f"/events/{sent.id}", f"/api/v1/events/{sent.id}/dry-run"
    async with bench.client() as client:
        shown = (await client.get(page)).text
        assert "json:0.type names nothing in this body: it is an array of 1" in shown
        assert (await client.get(dry)).json() == {"routes": []}
        await client.post(f"{page}/replay", data={"csrf": csrf_of(shown)})
        assert (await bench.journal.stats()).deliveries[State.DEAD] == 1
        source.definition = misdeclared("json:0.subscriptionType")
        shown = (await client.get(page)).text
        assert "names nothing" not in shown.partition("Delivery")[0]
        assert len((await client.get(dry)).json()["routes"]) == 1
        await client.post(f"{page}/replay", data={"csrf": csrf_of(shown)})
    waiting = await bench.journal.deliveries(state=State.PENDING)
    assert [one.route for one in waiting] == ["order"]
    assert (await bench.journal.stats()).deliveries[State.DEAD] == 0


async def test_an_event_of_a_source_that_is_gone_lacks_nothing() -> None:
    """Nobody knows any more what it should have."""
    bench = Bench()
    await bench.journal.append(replace(event(1), source="gone"), [])
    async with bench.client() as client:
        told = (await client.get(f"/api/v1/events/{event(1).id}")).json()
    assert told["flaws"] == []


def test_check_reads_the_samples_of_each_source() -> None:
    """A place that names nothing in a recorded sample is a warning with its diagnosis."""
    assert not [*_places("shop", shopify.source(secret="s"), "s")]
    wrong = hmac.source(
        secret="s", header="X-Sig", platform="shopify", topic="header:X-Topic",
        event_id="header:X-Id", ordering_key="order/{json:order_id}", version="json:modified",
    )  # fmt: skip
    found = [*_places("shop", wrong, "s")]
    assert {(one.level, one.code) for one in found} == {
        ("warn", "event.no-ordering-key"), ("warn", "event.no-version"),
    }  # fmt: skip
    assert "source shop on the sample orders/create: the version's place json:modified" in {
        one.what.partition(" names")[0] for one in found
    }


HOSTILE = [
    b"", b"\x1f\x8b\x08 packed", b'{"id": "\\ud800"}', b'{"id": NaN}',
    b'{"v": ' + b"[" * 900 + b"]" * 900 + b"}", b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900,
]  # fmt: skip


@pytest.mark.parametrize("names", [(), ("email",)])
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_what_nobody_can_read_can_be_looked_at(body: bytes, names: tuple[str, ...]) -> None:
    """On its page, by the API and in the shell; masked, it is hidden whole."""
    bench = Bench(masked=names)
    sent = replace(event(1), body=body)
    await bench.journal.append(sent, [PLAN])
    async with bench.client() as client:
        for path in ("/events", "/api/v1/events"):
            assert (await client.get(f"{path}/{sent.id}")).status_code == 200
            assert (await client.get(f"{path}/{sent.id}/dry-run")).status_code == 200
    assert shown_body(body, names).encode() or not body
    assert json.dumps(_plain(sent, names))
