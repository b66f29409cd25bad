"""A whole gateway on loopback for hostile tests: what is sent, what it tells, what a sink got."""

import asyncio
import hashlib
import hmac as hashing
import io
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from acceptance.gateway_process import eventually
from odoorway import Forward, Gateway, wiring
from odoorway.cli.serving import configure_logs
from odoorway.journal.port import Journal
from odoorway.model.delivery import Delivery, State
from odoorway.settings import Settings
from odoorway.sources import hmac, shopify

SECRET = "the-secret-of-these-tests"
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


def signature(body: bytes) -> str:
    return hashing.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def gateway_to(url: str, *, declare: Callable[[Gateway], None] = lambda _: None) -> Gateway:
    """Return a gateway with a source whose identity stands in the body, and one of bytes."""
    gateway = Gateway()
    gateway.http("sink", url=url)
    plain = gateway.source(
        "plain",
        hmac.source(
            secret=SECRET, header="X-Sig", event_id="json:id", topic="json:topic",
            ordering_key="{json:key}", version="json:version",
        ),
    )  # fmt: skip
    raw = gateway.source(
        "raw",
        hmac.source(secret=SECRET, header="X-Sig", event_id="header:X-Id", topic="header:X-Topic"),
    )
    gateway.source("shop", shopify.source(secret=SECRET))

    @plain.on("*", destination="sink")
    def any_topic(body: dict) -> Forward:
        return Forward("/plain", body=body)

    @raw.on("bytes", destination="sink")
    def any_bytes(body: bytes) -> Forward:
        return Forward("/raw", body=body)

    declare(gateway)
    return gateway


@dataclass
class Sink:
    """A destination that keeps what it was sent."""

    url: str = ""
    got: list[tuple[str, bytes]] = field(default_factory=list)  # path, body
    answer: Answer | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.got.append((request.path, body))
        return await self.answer(request, body) if self.answer else web.Response(text="{}")


@asynccontextmanager
async def sink() -> AsyncIterator[Sink]:
    """Serve a sink on loopback."""
    made = Sink()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", made.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


@dataclass
class Served:
    """A gateway that serves, and a client of it."""

    url: str
    console: str
    journal: Journal
    session: aiohttp.ClientSession
    stream: io.StringIO
    folder: Path

    @property
    def log(self) -> str:
        return self.stream.getvalue()

    async def send(
        self, body: bytes, source: str = "plain", headers: Mapping[str, str] | None = None
    ) -> int:
        """Post a genuine request; return its status."""
        given = {"X-Sig": signature(body), **(headers or {})}
        async with self.session.post(f"{self.url}/in/{source}", data=body, headers=given) as answer:
            await answer.read()
            return answer.status

    async def post(self, path: str, body: bytes = b"", **headers: str) -> int:
        """Post anything anywhere; return its status."""
        async with self.session.post(f"{self.url}{path}", data=body, headers=headers) as answer:
            return answer.status

    async def get(self, path: str) -> tuple[int, str]:
        """Return the status and the text of a page, or of an answer of the API."""
        async with self.session.get(f"{self.console}{path}") as answer:
            return answer.status, await answer.text()

    async def settled(self) -> list[Delivery]:
        """Return all deliveries once none waits."""

        async def none_waits() -> bool:
            count = (await self.journal.stats()).deliveries
            return not count[State.PENDING] and not count[State.LEASED]

        await eventually(none_waits)
        return list(await self.journal.deliveries(limit=1000))


@asynccontextmanager
async def served(
    gateway: Gateway, folder: Path, *, log_format: str = "console", **given: Any
) -> AsyncIterator[Served]:
    """Serve *gateway* with these settings; its log is kept."""
    settings = Settings.model_validate(
        {"journal": str(folder / "journal.db"), "port": 0, "console_port": 0, "grace": 1,
         "retry_base": 0.05, "retry_cap": 0.1, "log_format": log_format, **given}
    )  # fmt: skip
    stream = io.StringIO()
    configure_logs(log_format, stream)
    try:
        async with (
            wiring.running(gateway, settings, {}) as running,
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(30), cookie_jar=aiohttp.CookieJar(unsafe=True)
            ) as session,
        ):
            assert running.console
            console, journal = running.console.rstrip("/"), running.journal
            yield Served(running.url, console, journal, session, stream, folder)
    finally:
        structlog.reset_defaults()


def printed(folder: Path, words: Iterable[str]) -> str:
    """Return what a command prints of the journal in *folder*."""
    done = subprocess.run(
        [sys.executable, "-c", "from odoorway.cli.main import main; main()", *words,
         "--journal", str(folder / "journal.db")],
        cwd=folder, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode in {0, 1}, printed
    assert "Traceback" not in printed
    return printed


def told(**values: Any) -> bytes:
    """Return a payload of the plain source."""
    return json.dumps({"id": "i", "topic": "t", "key": "k", **values}).encode()
