"""HTTP with an Odoo server, over connections that are kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from odoorway.deliver.outcome import Failure
from odoorway.errors import OdoorwayError
from odoorway.outside import read_json

_CHUNK = 65_536
_CONNECT_SECONDS = 10.0
MAX_ANSWER = 32 * 1024 * 1024  # bytes


class TransportFailure(OdoorwayError):
    """There was no answer; whether Odoo did the work is not known unless it was unreachable."""

    def __init__(self, kind: Failure, detail: str) -> None:
        """Say how it ended, and in which words."""
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read to its end. ``headers`` are found whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    rpc: bool = False  # the result, or the error, stands inside a JSON-RPC envelope

    def json(self) -> Any:
        """Return what the method returned.

        Raises:
            ValueError: the body is no JSON.
            KeyError: it is JSON-RPC without a result.
        """
        parsed = read_json(self.body)
        return parsed["result"] if self.rpc else parsed


class Caller(Protocol):
    """Who can call a method of Odoo."""

    async def call(self, model: str, method: str, **body: Any) -> Answer:
        """Return Odoo's answer, or raise TransportFailure."""
        ...

    @property
    def http(self) -> "Http":
        """Requests to the server."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...


class Http:
    """Requests to one server. No redirect is followed, and no cookie kept."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = 120.0,
        max_connections: int = 4,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        """Take the address without a path; ``timeout`` is seconds a request, sizes are bytes."""
        self.url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS)
        self._max_connections, self._max_answer = max_connections, max_answer
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, path: str, body: Any = None, *, what: str, rpc: bool = False
    ) -> Answer:
        """Send *body* as JSON; *what* names the request in errors.

        Raises:
            TransportFailure: there was no answer, or too large a one.
        """
        data = None if body is None else json.dumps(body).encode()
        # Odoo 14 answers 400 to a GET that says it is JSON and has no body.
        kind = {} if data is None else {"Content-Type": "application/json"}
        try:
            async with self._open().request(
                method, f"{self.url}{path}", data=data, headers=kind, allow_redirects=False
            ) as response:
                read = await self._read(response)
                return Answer(response.status, response.headers, read, rpc)
        except (
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientConnectorError,
            aiohttp.InvalidURL,
            aiohttp.NonHttpUrlClientError,
        ) as error:
            raise TransportFailure(Failure.UNREACHABLE, str(error)) from error
        except TimeoutError as error:
            raise TransportFailure(Failure.TIMEOUT, what) from error
        except (aiohttp.ClientError, OSError) as error:
            text = f"{what}: {type(error).__name__} {error}"
            raise TransportFailure(Failure.EMPTY, text) from error

    async def close(self) -> None:
        """Let the connections go."""
        if self._session:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        """Return the session, made in the running loop on first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._max_connections),
                headers=self._headers,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),  # a session cookie would clash with the key
            )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_chunked(_CHUNK):
            size += len(part)
            if size > self._max_answer:
                response.close()
                raise TransportFailure(Failure.TOO_LARGE, f"more than {self._max_answer} bytes")
            parts.append(part)
        return b"".join(parts)
