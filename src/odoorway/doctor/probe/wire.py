"""Sends one request at a time, within a time limit for all of them."""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from odoorway.diagnose.evidence import Evidence
from odoorway.doctor.probe.request import Ask

_MOST = 64 << 10  # bytes of an answer that are read
_EACH = 8.0  # seconds for one request, at most
# OpenSSL's reasons for which a certificate is refused.
_EXPIRED, _WRONG_NAME = 10, (62, 64)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, or why there was none."""

    ask: Ask
    evidence: Evidence
    failure: str | None = None  # a diagnosis's code
    detail: str = ""
    seconds: float = 0.0
    version: str = field(default="", compare=False)

    @property
    def location(self) -> str:
        """Where the answer redirects to, as a whole URL; nothing when it does not."""
        target = self.evidence.headers.get("location", "")
        redirects = 300 <= self.evidence.status < 400  # noqa: PLR2004 - the HTTP class
        return urljoin(self.ask.url, target) if redirects and target else ""


class Wire:
    """One connection at a time. Follows no redirect by itself and keeps no cookie."""

    def __init__(self, limit: float) -> None:
        """Let all requests together take *limit* seconds."""
        self._until = time.monotonic() + limit
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let the connection go."""
        if self._session:
            await self._session.close()

    async def connect(self, ask: Ask) -> Exchange:
        """Resolve the name, connect, and agree on TLS where the URL wants it."""
        parts = urlsplit(ask.url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left()):
                context = ssl.create_default_context() if secure else None
                _, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
                writer.close()
        except (OSError, TimeoutError, ValueError) as error:
            return Exchange(ask, Evidence(), _code(error), str(error), time.monotonic() - began)
        return Exchange(ask, Evidence(), seconds=time.monotonic() - began)

    async def send(self, ask: Ask) -> Exchange:
        """Send the request; never raises for what the other side does."""
        began = time.monotonic()
        if self._left() <= 0:
            return Exchange(ask, Evidence(), "network.timeout", "the time for the probe is over")
        try:
            async with asyncio.timeout(self._left()), self._request(ask) as answer:
                body = await answer.content.read(_MOST)
                seen = evidence(ask, answer.status, answer.headers, body)
                return Exchange(ask, seen, seconds=time.monotonic() - began)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            text = f"{type(error).__name__} {error}"
            return Exchange(ask, Evidence(), _code(error), text, time.monotonic() - began)

    def _request(self, ask: Ask) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._open().request(
            ask.method,
            URL(ask.url, encoded=True),
            data=ask.body or None,
            headers=dict(ask.headers),
            allow_redirects=False,
            skip_auto_headers=("content-type",),
        )

    def _left(self) -> float:
        return min(_EACH, self._until - time.monotonic())

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def evidence(ask: Ask, status: int, headers: Mapping[str, str], body: bytes) -> Evidence:
    """Return what an exchange shows."""
    return Evidence(
        method=ask.method,
        path=urlsplit(ask.url).path,
        request_headers={name.lower(): value for name, value in ask.headers.items()},
        request_body=ask.body.decode(errors="replace"),
        status=status,
        headers={name.lower(): value for name, value in headers.items()},
        body=body.decode(errors="replace"),
    )


def _code(error: BaseException) -> str:
    """Return the diagnosis of a connection that came to nothing."""
    if isinstance(error, TimeoutError):
        return "network.timeout"
    cause = error.__cause__ or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause.verify_code)
    kinds = (
        (socket.gaierror, "network.dns"),
        (ssl.SSLError, "tls.failed"),
        (aiohttp.ServerDisconnectedError | ConnectionResetError, "odoo.empty-answer"),
    )
    return next((code for kind, code in kinds if isinstance(cause, kind)), "network.refused")


def _certificate(reason: int) -> str:
    if reason == _EXPIRED:
        return "tls.expired"
    return "tls.wrong-name" if reason in _WRONG_NAME else "tls.untrusted"
