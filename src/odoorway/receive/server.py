"""uvicorn, set up for the receive path, with a time limit on the head of a request."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from odoorway.receive.app import ReceiveApp, ReceiveLimits

_MAX_HEAD = 65536  # bytes


def build_server(
    app: ReceiveApp, host: str, port: int, *, limits: ReceiveLimits, grace: float
) -> uvicorn.Server:
    """Return a server that is not yet running.

    A connection that does not complete a request's head within ``read_timeout`` seconds, or
    within 64 KiB, is closed; so slow senders cannot hold it.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=type("Guarded", (_Guarded,), {"seconds": limits.read_timeout}),
        loop="uvloop",
        lifespan="off",
        ws="none",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=int(limits.read_timeout),
        timeout_graceful_shutdown=int(grace) or 1,
    )
    return EmbeddedServer(config)


class EmbeddedServer(uvicorn.Server):
    """uvicorn's server, with signals left to the process that it is a part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Catch nothing: uvicorn would raise a signal again once it has stopped."""
        yield


class _Guarded(HttpToolsProtocol):
    """uvicorn's protocol with a limit on how long, and how large, a request's head may be."""

    seconds: float
    _deadline: asyncio.TimerHandle | None = None
    _head = 0  # bytes of an unfinished head so far

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is not None:
            if self._head > _MAX_HEAD:
                self.transport.abort()
                return
            self._head += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._start()

    def on_headers_complete(self) -> None:
        self._stop()
        super().on_headers_complete()

    def _start(self) -> None:
        self._stop()
        self._deadline = self.loop.call_later(self.seconds, self._give_up)

    def _stop(self) -> None:
        self._head = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()
