"""HTTP with an Odoo server, over connections that are kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from odoorway.deliver.outcome import Failure
from odoorway.deliver.reading import TooLarge, whole
from odoorway.errors import OdoorwayError
from odoorway.outside import read_json

_CONNECT_SECONDS = 10.0
MAX_ANSWER = 32 << 20  # bytes
SHORT = 256 << 10  # bytes: an error with its traceback
_SAID = 8 << 10  # bytes of what `load` says of one row
_FIELD = 1 << 10  # bytes of a field of a row that is searched for; none is read that holds files
_NAMED = 4 << 10  # bytes of what a model says of one of its fields


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

    def returned(self) -> Any:
        """Return what the method returned.

        Raises:
            Unreadable: the body is no JSON, or more of it than anybody needs.
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

    async def request(  # noqa: PLR0913 - the parts of one request
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        what: str,
        rpc: bool = False,
        most: int = SHORT,
    ) -> Answer:
        """Send *body* as JSON; *what* names the request in errors.

        Of the answer *most* bytes are read, and twice those that were sent: an error quotes them.

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
                read = await self._read(response, most + 2 * len(data or b""))
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

    async def _read(self, response: aiohttp.ClientResponse, most: int) -> bytes:
        try:
            return await whole(response.content, min(most, self._max_answer))
        except TooLarge as error:
            response.close()
            raise TransportFailure(Failure.TOO_LARGE, str(error)) from None


def needed(method: str, body: Mapping[str, Any]) -> int:
    """Return how many bytes the answer to a question may have, beside what it quotes. Pure.

    What a handler reads, or a method of somebody's own returns, may
    be a file.
    """
    match method, body:
        case "load", {"data": rows}:
            most = len(rows) * _SAID
        case "search_read", {"fields": fields, "limit": int(limit)}:
            most = limit * (1 + len(fields)) * _FIELD
        case "fields_get", {"allfields": fields}:
            most = len(fields) * _NAMED
        case "has_access" | "check_object_reference" | "context_get" | "create" | "write", _:
            most = 0
        case _:
            return MAX_ANSWER
    return SHORT + most
