"""What an Odoo, a destination, or whoever sits on their address answers: bounded, and only told."""

import asyncio
import contextlib
import gzip
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from odoorway.commands import Call, Command, Forward, Upsert, find
from odoorway.deliver.http import Forwarder, HttpDestination
from odoorway.deliver.odoo.about import Asker
from odoorway.deliver.odoo.anyversion import AnyVersion
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.transport import MAX_ANSWER, needed
from odoorway.deliver.port import Job, Verdict
from odoorway.model.delivery import Outcome, State
from odoorway.testing import ManualClock
from served import OBEYED, Sink, gateway_to, printed, served, sink, told

KEY = "the-api-key-of-odoo"
EVIL = "\x1b]0;owned\x07\x9b31m <script>alert(1)</script>\r\nforged"
VERSION = {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}
DEEP = b"[" * 200_000
BODIES = {
    "deep": DEEP,
    "deep and closed": b"[" * 900 + b"]" * 900,
    "many values": b"[" + b"[]," * 1_000_000 + b"[]]",
    "white space": b" " * (40 << 20),
    "nothing": b"",
    "null": b"null",
    "true": b"true",
    "texts": b'["a", "b"]',
    "a list of nulls": b"[null, null]",
    "lists": b'[["a"], ["b"]]',
    "rows without an id": b'[{"code": "FR"}]',
    "an id that is none": b'[{"id": "x", "code": "FR"}]',
    "an id that is true": b'[{"id": true, "code": "FR"}]',
    "an endless id": b'[{"id": ' + b"9" * 4_000 + b', "code": "FR"}]',
    "a field that is an object": b'[{"id": 1, "code": {"a": [{}]}}]',
    "a field of objects": b'[{"id": 1, "code": [{"a": 1}, [2]]}]',
    "no number": b'[{"id": NaN}]',
    "half a character": rb'[{"id": 1, "code": "\ud800\u0000"}]',
    "messages of texts": b'{"ids": false, "messages": ["x", 1, null]}',
    "messages of nothing": b'{"ids": [1], "messages": 7}',
    "messages without rows": b'{"ids": false, "messages": [{"type": "error", "rows": 1}]}',
    "rows from a text": b'{"ids": false, "messages": [{"type": "error", "rows": {"from": "x"}}]}',
    "ids that are texts": b'{"ids": ["x"], "messages": []}',
    "too many ids": b'{"ids": [1, 2, 3], "messages": []}',
    "an error that is none": b'{"error": 7}',
    "an object": b'{"a": {"b": []}}',
    "no UTF-8": b"\xff\xfe\x00",
    "HTML": b"<html>" + b"<b>" * 100_000,
}
COMMANDS: dict[str, list[Command]] = {
    "an upsert": [Upsert("res.partner", ("c", "1"), {"name": "x"})],
    "a lookup": [
        Upsert("res.partner", ("c", "1"), {"country_id": find("res.country", code="FR")})
    ],
    "lines": [
        Upsert(
            "sale.order", ("o", "1"),
            {"order_line": [Upsert("sale.order.line", ("l", "1"), {"name": "x"})]}, lines="sync",
        )
    ],
    "an expectation": [
        Upsert(
            "res.partner", ("c", "1"), {"name": "x"}, initial={"ref": "y"},
            expect={"name": "x", "country_id.code": "FR"},
        )
    ],
    "an adoption": [Upsert("res.partner", ("c", "1"), {"name": "x"}, match={"email": "a@b.c"})],
    "a call": [
        Call("res.partner", "action", find("res.partner", ref="x"), unless={"state": ["done"]})
    ],
}  # fmt: skip


def answering(body: bytes, status: int = 200, **headers: str) -> Any:
    """Answer every question so, but for the version of the server."""

    async def answer(request: web.Request, _body: bytes) -> web.StreamResponse:
        if request.path == "/web/version":
            return web.json_response(VERSION)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


async def delivered(odoo: Sink, commands: list[Command]) -> Verdict:
    """Return the verdict of one delivery; what it is must be storable and short."""
    client = AnyVersion(odoo.url, "db", "", KEY, timeout=10)
    destination = OdooDestination(client)
    try:
        (verdict,) = await destination.deliver([Job(1, "s", tuple(commands), "evt_1")])
    finally:
        await destination.close()
    assert len(verdict.detail) < 5_000
    assert KEY not in verdict.detail
    assert "Traceback" not in verdict.detail
    return verdict


@pytest.mark.parametrize("commands", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("answer", BODIES.values(), ids=BODIES)
async def test_no_answer_of_odoo_is_more_than_a_verdict(
    answer: bytes, commands: list[Command]
) -> None:
    """Of any shape, to any question: it is judged, never raised."""
    async with sink() as odoo:
        odoo.answer = answering(answer)
        verdict = await delivered(odoo, commands)
    assert verdict.code != "gateway.delivery-failed"


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_no_answer_tells_more_than_nothing_about_odoo(body: bytes) -> None:
    """What the console asks for people."""
    async with sink() as odoo:
        odoo.answer = answering(body)
        clock = ManualClock()
        told = await Asker(lambda: AnyVersion(odoo.url, "db", "", KEY, timeout=10), clock).about()
    assert (told.user, told.key_expires) == ("", None)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_no_answer_to_a_forward_is_more_than_a_verdict(body: bytes, status: int) -> None:
    async with sink() as erp:
        erp.answer = answering(body, status)
        destination = HttpDestination(Forwarder(erp.url, {}))
        (verdict,) = await destination.deliver([Job(1, "s", (Forward("/x", {}),), "evt_1")])
        await destination.close()
    assert verdict.code != "gateway.delivery-failed"
    assert len(verdict.detail) < 1_000


async def test_an_endless_answer_is_left_after_what_could_be_needed() -> None:
    """A `load` of one row needs no megabytes; packed ones are not unpacked further either."""
    wrote = 0

    async def endless(request: web.Request, _body: bytes) -> web.StreamResponse:
        nonlocal wrote
        if request.path == "/web/version":
            return web.json_response(VERSION)
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while wrote < 200 << 20:
                await response.write(b"[" * 65_536)
                wrote += 65_536
        return response

    async with sink() as odoo:
        odoo.answer = endless
        verdict = await delivered(odoo, COMMANDS["an upsert"])
    assert (verdict.outcome, verdict.code) == (Outcome.RETRY, "odoo.unexpected-answer")
    assert wrote < 16 << 20  # what sockets hold comes on top of what is read
    async with sink() as odoo:
        bomb = gzip.compress(bytes(100 << 20), 9)
        odoo.answer = answering(bomb, Content_Encoding="gzip")
        verdict = await delivered(odoo, COMMANDS["an upsert"])
    assert "more than" in verdict.detail


@pytest.mark.parametrize(
    ("method", "body", "most"),
    [
        ("load", {"data": [[]] * 400}, 4 << 20),
        ("load", {"data": [[]]}, 1 << 20),
        ("search_read", {"fields": ["id"], "limit": 2_000}, 8 << 20),
        ("has_access", {}, 1 << 20),
        ("fields_get", {"allfields": ["a"]}, 1 << 20),
        ("read", {"fields": ["image_1920"]}, MAX_ANSWER),
    ],
)
def test_what_an_answer_may_have_follows_from_the_question(
    method: str, body: dict[str, Any], most: int
) -> None:
    assert needed(method, body) <= most


async def test_no_redirect_takes_the_key_elsewhere() -> None:
    """Neither of Odoo's nor of a destination's answers is followed."""
    async with sink() as other, sink() as odoo:
        odoo.answer = answering(b"", 307, Location=f"{other.url}/json/2/x/y")
        await delivered(odoo, COMMANDS["an upsert"])
        destination = HttpDestination(Forwarder(odoo.url, {}, headers={"Authorization": KEY}))
        (verdict,) = await destination.deliver([Job(1, "s", (Forward("/x", {}),), "evt_1")])
        await destination.close()
    assert verdict.code == "forward.redirected"
    assert other.got == []


@pytest.mark.parametrize(
    "asked", ["9" * 300, "Fri, 31 Dec 9999 23:59:59 GMT", "-5", "1e9", "٣", "\t", "86401"]
)
async def test_a_wait_of_years_is_not_believed(asked: str) -> None:
    async with sink() as odoo:
        odoo.answer = answering(b"{}", 503, Retry_After=asked)
        verdict = await delivered(odoo, COMMANDS["an upsert"])
        destination = HttpDestination(Forwarder(odoo.url, {}))
        (forward,) = await destination.deliver([Job(1, "s", (Forward("/x", {}),), "evt_1")])
        await destination.close()
    assert (verdict.retry_after or 0, forward.retry_after or 0) == (0, 0)


async def test_what_an_answer_says_is_only_said(tmp_path: Path) -> None:
    """Its controls are told, and nowhere obeyed: log, page, API, terminal."""
    async with sink() as erp, served(gateway_to(erp.url), tmp_path) as gateway:
        erp.answer = answering(EVIL.encode(), 400)
        assert await gateway.send(told()) == 202
        (dead,) = await gateway.settled()
        assert (dead.state, dead.code) == (State.DEAD, "forward.refused")
        pages = [await gateway.get(f"{at}/{dead.event_id}") for at in ("/events", "/api/v1/events")]
    assert [status for status, _ in pages] == [200, 200]
    assert "<script>alert" not in pages[0][1]
    assert not OBEYED.search(gateway.log.replace("\n", ""))
    for words in (["events", "show", dead.event_id], ["dead", "list"], ["status"]):
        text = await asyncio.to_thread(printed, tmp_path, words)
        assert not OBEYED.search(text.replace("\n", "")), words
