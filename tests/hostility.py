"""Handlers, an Odoo and a receiver that do the worst they can, each on command."""

import asyncio
import contextlib
import ctypes
import json
import os
import re
import signal
import sys
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

from odoorway import Upsert
from odoorway.testing import SandboxOdoo

LARGE = 5 << 20  # bytes of an answer that is too large
_MARK = re.compile(rb"<do:([a-z0-9-]+)>")


def do(deed: str) -> Any:  # noqa: C901, PLR0912 - a table of deeds
    """Do to this process what a handler may do, or return what it may return; else None."""
    match deed:
        case "raise":
            raise ZeroDivisionError("a handler of the tests")
        case "loop":
            while True:
                pass
        case "hang":
            time.sleep(3600)
        case "exit":
            sys.exit(3)
        case "os-exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "allocate":
            return len(bytearray(2 << 30))
        case "nonsense":
            return {"model": "res.partner"}
        case "few":
            return []
        case "large":
            return Upsert("res.partner", ("large", 1), {"name": "x" * LARGE})
        case "huge":
            return Upsert("res.partner", ("huge", 1), {"name": "x" * (40 << 20)})
        case "kill-parent":
            os.kill(os.getppid(), signal.SIGKILL)
        case "kill-group":
            os.killpg(0, signal.SIGKILL)
    return None


def mark(deed: str) -> str:
    """Return the text by which a hostile Odoo or receiver knows what to do with a request."""
    return f"<do:{deed}>"


def marked(body: bytes) -> str:
    found = _MARK.search(body)
    return found[1].decode() if found else ""


class HostileOdoo(SandboxOdoo):
    """A sandbox Odoo that does to a call what the mark in it says, else what ``mood`` says."""

    def __init__(self) -> None:
        super().__init__()
        self.done: Counter[str] = Counter()  # deeds
        self.mood: Callable[[], str] = str  # of each call without a mark
        self.written: list[tuple[str, list[list[str]]]] = []  # (model, rows), as they were loaded
        self._hung = asyncio.Event()
        self._under_way: dict[int, web.Request] = {}

    async def cut(self) -> None:
        """Be away at once: open connections are reset, then connections are refused."""
        for one in list(self._under_way.values()):
            _reset(one)
        self._hung.set()
        await self.stop()

    async def start(self) -> None:
        self._hung.clear()
        await super().start()

    async def _json2(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        deed = marked(body) or self.mood()
        self.done[deed] += 1
        self._under_way[id(request)] = request
        try:
            return await self._done(deed, request, body)
        finally:
            del self._under_way[id(request)]

    async def _done(  # noqa: C901, PLR0911 - a table of deeds
        self, deed: str, request: web.Request, body: bytes
    ) -> web.StreamResponse:
        match deed:
            case "hang":
                await self._hung.wait()
                return _reset(request)
            case "drop":
                return _reset(request)
            case "raise":
                said = {"name": "builtins.ZeroDivisionError", "message": "division by zero"}
                return web.json_response({**said, "arguments": [], "debug": ""}, status=500)
            case "nonsense":
                return web.Response(text="<html>Welcome to nginx!</html>", content_type="text/html")
            case "shape":
                return web.json_response({"messages": 7, "ids": {"a": [None]}})
            case "few" if request.match_info["method"] == "load":
                return web.json_response({"ids": [], "messages": [], "nextrow": 0})
            case "large":
                return web.json_response({"ids": "x" * LARGE, "messages": []})
            case "slow":
                return await self._slowly(request)
            case "endless":
                return await self._endless(request)
        answer = await super()._json2(request)
        self._note(request, body, answer)
        if deed == "lost":
            _reset(request)
        return answer

    async def _slowly(self, request: web.Request) -> web.StreamResponse:
        """Answer a byte a second, for ever."""
        return await self._without_end(request, b" ", pause=1)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        """Answer two gigabytes, and more."""
        return await self._without_end(request, bytes(1 << 20), pause=0)

    async def _without_end(
        self, request: web.Request, piece: bytes, pause: float
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not self._hung.is_set():
                await response.write(piece)
                if pause:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._hung.wait(), pause)
        return response

    def _note(self, request: web.Request, body: bytes, answer: web.StreamResponse) -> None:
        """Keep what a `load` wrote, in order."""
        if request.match_info["method"] != "load" or not isinstance(answer, web.Response):
            return
        assert isinstance(answer.body, bytes)
        told = json.loads(answer.body)
        if isinstance(told, dict) and told.get("ids"):
            rows = json.loads(body)["data"]
            self.written.append((request.match_info["model"], rows))


def _reset(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


class HostileReceiver:
    """A receiver on a bare socket that does to a POST what its mark, else ``mood``, says."""

    def __init__(self) -> None:
        self.mood: Callable[[], str] = str
        self.done: Counter[str] = Counter()
        self.took: list[tuple[str, Any]] = []  # (webhook-id, JSON), as they arrived and were taken
        self._server: asyncio.Server | None = None
        self._closing = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._closing.set()
        self._server.close()
        for one in list(self._writers):
            one.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"(?i)content-length: *(\d+)", head)
                body = await reader.readexactly(int(found[1])) if found else b""
                await self._answer(head, body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _answer(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if not head.startswith(b"POST"):
            writer.write(_http(200, b"here"))
            return
        deed = marked(body) or self.mood()
        self.done[deed] += 1
        if deed not in {"raise", "drop", "refuse"}:
            found = re.search(rb"(?i)webhook-id: *(\S+)", head)
            self.took.append((found[1].decode() if found else "", json.loads(body)))
        await self._do(deed, writer)

    async def _do(self, deed: str, writer: asyncio.StreamWriter) -> None:
        deeds: dict[str, Callable[[], bytes]] = {
            "raise": lambda: _http(500, b"Traceback"),
            "refuse": lambda: _http(403, b"no"),
            "nonsense": lambda: b"\x16\x03\x01 not HTTP\r\n\r\n",
            "few": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            "large": lambda: _http(200, b"x" * LARGE),
            "heads": lambda: b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * LARGE + b"\r\n\r\n",
            "bomb": lambda: _http(200, zlib.compress(bytes(64 << 20), 1), "deflate"),
        }
        slow: dict[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
            "hang": self._hang,
            "slow": self._slowly,
            "endless": self._endless,
            "split": self._split,
        }
        if deed in slow:
            await slow[deed](writer)
            return
        writer.write(deeds[deed]() if deed in deeds else b"" if deed == "drop" else _http(200, b""))
        if deed in {"drop", "few", "nonsense"}:
            await writer.drain()
            raise ConnectionResetError

    async def _hang(self, _writer: asyncio.StreamWriter) -> None:
        await self._closing.wait()

    async def _slowly(self, writer: asyncio.StreamWriter) -> None:
        """Answer a byte a second, of a thousand."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not self._closing.is_set():
            writer.write(b"x")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._closing.wait()

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        """Answer two gigabytes, and more."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n")
        while not self._closing.is_set():
            writer.write(bytes(1 << 20))
            await writer.drain()

    @staticmethod
    async def _split(writer: asyncio.StreamWriter) -> None:
        """Say that it failed, with HTTP 200 and in two parts."""
        whole = _http(200, b'{"error": {"message": "no such order"}}')
        writer.write(whole[:-20])
        await writer.drain()
        await asyncio.sleep(0.2)  # or both parts are one for the other side
        writer.write(whole[-20:])


def _http(status: int, body: bytes, encoding: str = "") -> bytes:
    coded = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    return f"HTTP/1.1 {status} X\r\n{coded}Content-Length: {len(body)}\r\n\r\n".encode() + body
