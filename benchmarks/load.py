"""A load generator that costs little: keep-alive connections, one request at a time on each."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import aiohttp


@dataclass(frozen=True, slots=True)
class Load:
    """What one run came to: requests answered as wanted a second, and times of answer in ms."""

    rate: float
    p50: float
    p99: float


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last is answered; notes how long each took."""

    def __init__(self, make: Callable[[], bytes], until: float, wanted: bytes) -> None:
        self._make, self._until, self._wanted = make, until, wanted
        self._buffer = b""
        self._sent = 0.0
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        self._sent = time.perf_counter()
        if self._sent >= self._until:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        if self._wanted not in head[:20]:
            self.done.set_exception(RuntimeError(self._buffer[:500].decode(errors="replace")))
            self._transport.close()
            return
        self.times.append(time.perf_counter() - self._sent)
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"the server closed the connection: {exc}"))


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    end = lower.find(b"\r\n", start)
    return int(lower[start : end if end > 0 else None])


async def run(
    port: int, make: Callable[[], bytes], *, seconds: float, connections: int, wanted: bytes
) -> Load:
    """Load 127.0.0.1:*port* for that many seconds with requests made by *make*.

    Raises:
        RuntimeError: an answer's status was not *wanted*; the answer is in the message.
    """
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: _Connection(make, began + seconds, wanted), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in opened))
    times = [t for _, protocol in opened for t in protocol.times]
    return _summary(times, time.perf_counter() - began)


async def post_each(url: str, body: bytes, *, seconds: float, connections: int) -> Load:
    """Load a server that closes each connection, as Odoo's own does; 200 is what is wanted."""
    times: list[float] = []
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:

        async def sender() -> None:
            while (sent := time.perf_counter()) < began + seconds:
                headers = {"content-type": "application/json"}
                async with session.post(url, data=body, headers=headers) as answer:
                    if answer.status != 200:
                        raise RuntimeError(await answer.text())
                    await answer.read()
                times.append(time.perf_counter() - sent)

        await asyncio.gather(*(sender() for _ in range(connections)))
    return _summary(times, time.perf_counter() - began)


def _summary(times: list[float], spent: float) -> Load:
    times = sorted(times)
    return Load(
        len(times) / spent, 1000 * times[len(times) // 2], 1000 * times[int(len(times) * 0.99)]
    )
