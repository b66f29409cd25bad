"""The real server on a real socket: slow and broken senders do not hold it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from journals import temporary
from odoorway import Gateway
from odoorway.clock import SystemClock
from odoorway.receive.app import ReceiveApp, ReceiveLimits
from odoorway.receive.server import build_server
from odoorway.receive.signature import Verifier
from odoorway.sources import shopify

from .gateway_process import eventually, free_port


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that waits a fifth of a second for a head, and for a body."""
    gateway, definition = Gateway(), shopify.source(secret="s")
    gateway.source("shop", definition)
    limits = ReceiveLimits(read_timeout=0.2)
    app = ReceiveApp(
        gateway, {"shop": Verifier(definition, ["s"])}, temporary(), SystemClock(), limits
    )
    number = free_port()
    server = build_server(app, "127.0.0.1", number, limits=limits, grace=1)
    with contextlib.suppress(asyncio.CancelledError):
        serving = asyncio.create_task(server._serve())

        async def started() -> bool:
            return server.started

        await eventually(started)
        yield number
        server.should_exit = True
        await serving


async def exchange(port: int, text: bytes) -> bytes:
    """Send *text*, then nothing; return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


async def test_a_head_that_does_not_end_is_closed(port: int) -> None:
    """Without an answer: there is no request to answer."""
    assert await exchange(port, b"POST /in/shop HTTP/1.1\r\nhost: x\r\n") == b""
    assert await exchange(port, b"") == b""


async def test_a_body_that_does_not_come_is_408(port: int) -> None:
    """And the connection is closed."""
    head = b"POST /in/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"
    answer = await exchange(port, head + b"{")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request.too-slow" in answer


async def test_garbage_is_refused_without_a_traceback(port: int) -> None:
    """Bytes that are no HTTP."""
    answer = await exchange(port, b"\x16\x03\x01\x02\x00 not http\r\n\r\n")
    assert b"Traceback" not in answer
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
