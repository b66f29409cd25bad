"""The HTTP client, against a server that misbehaves."""

import asyncio
import contextlib
from typing import Any

import pytest
from aiohttp import web

from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.odoo.transport import TransportFailure
from odoorway.deliver.outcome import Failure

KEY = "k3y-of-the-gateway"


@contextlib.asynccontextmanager
async def serving(handler):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def client_of(handler, **options):
    async with serving(handler) as url:
        client = Json2(url, "db", KEY, **options)
        try:
            yield client
        finally:
            await client.close()


async def test_a_call_carries_key_database_and_arguments():
    """A call is one POST with the bearer key, the database and the named arguments."""
    seen: dict[str, Any] = {}

    async def handler(request):
        seen.update(path=request.path, headers=dict(request.headers), body=await request.json())
        return web.json_response([7])

    async with client_of(handler) as client:
        answer = await client.call("res.partner", "load", fields=["id"], data=[["ü"]])
    assert (answer.status, answer.returned()) == (200, [7])
    assert seen["path"] == "/json/2/res.partner/load"
    assert seen["headers"]["Authorization"] == f"bearer {KEY}"
    assert seen["headers"]["X-Odoo-Database"] == "db"
    assert seen["body"] == {"fields": ["id"], "data": [["ü"]]}


async def test_connections_are_kept():
    """Calls one after the other use one connection."""
    peers = set()

    async def handler(request):
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response(True)

    async with client_of(handler) as client:
        for _ in range(5):
            await client.call("m", "x")
    assert len(peers) == 1


async def test_no_redirect_is_followed_with_the_key():
    """A redirect is an answer, judged as no Odoo; nothing is sent elsewhere."""
    paths = []

    async def handler(request):
        paths.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async with client_of(handler) as client:
        verdict = await OdooDestination(client).probe()
    assert (verdict.code, verdict.blame_destination) == ("odoo.not-odoo", True)
    assert paths == ["/json/2/res.users/context_get"]


async def test_an_endless_answer_is_cut_off():
    """An answer over the limit ends the call instead of filling memory."""

    async def handler(_request):
        return web.Response(body=b"x" * 5000)

    async with client_of(handler, max_answer=1000) as client:
        with pytest.raises(TransportFailure) as caught:
            await client.call("m", "x")
    assert caught.value.kind is Failure.TOO_LARGE


async def test_a_slow_answer_is_a_time_out():
    """No answer within the time limit is told as such."""
    ended = asyncio.Event()

    async def handler(_request):
        await ended.wait()

    async with client_of(handler, timeout=0.05) as client:
        with pytest.raises(TransportFailure) as caught:
            await client.call("m", "x")
        ended.set()
    assert caught.value.kind is Failure.TIMEOUT


async def test_a_connection_that_ends_is_an_empty_answer():
    """A worker killed half-way leaves no answer; whether the work was done is not known."""

    async def handler(request):
        request.transport.abort()

    async with client_of(handler) as client:
        with pytest.raises(TransportFailure) as caught:
            await client.call("m", "x")
    assert caught.value.kind is Failure.EMPTY


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "not a url", "ftp://127.0.0.1"])
async def test_nobody_there(url):
    """A port where nothing listens and a malformed address are unreachable."""
    client = Json2(url, "db", KEY)
    with pytest.raises(TransportFailure) as caught:
        await client.call("m", "x")
    await client.close()
    assert caught.value.kind is Failure.UNREACHABLE


async def test_the_key_is_in_no_text():
    """Neither the client's repr nor an error shows the key."""
    client = Json2("http://127.0.0.1:1", "db", KEY)
    with pytest.raises(TransportFailure) as caught:
        await client.call("m", "x")
    await client.close()
    assert KEY not in f"{client!r}{caught.value!r}{caught.value}"
