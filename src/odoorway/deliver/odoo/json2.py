"""Odoo 19's JSON-2 API over aiohttp."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from odoorway.deliver.outcome import Failure
from odoorway.errors import OdoorwayError

_CHUNK = 65_536
_CONNECT_SECONDS = 10.0
MAX_ANSWER = 32 * 1024 * 1024


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

    def json(self) -> Any:
        """Return the parsed body.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)


class Caller(Protocol):
    """Who can call a method of Odoo."""

    async def call(self, model: str, method: str, **body: Any) -> Answer:
        """Return Odoo's answer, or raise TransportFailure."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...


class Json2:
    """Calls methods of one Odoo database, over connections that are kept.

    The key is sent in a header, is never a part of an error or of the repr, and no redirect is
    followed with it.
    """

    def __init__(  # noqa: PLR0913 - the composition root gives each setting
        self,
        url: str,
        database: str,
        api_key: str,
        *,
        timeout: float = 120.0,
        max_connections: int = 4,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        """Take Odoo's address without a path; ``timeout`` is seconds a call, sizes are bytes."""
        self._url, self._database = url.rstrip("/"), database
        self._headers = {
            "Authorization": f"bearer {api_key}",
            "X-Odoo-Database": database,
            "Content-Type": "application/json",
        }
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_SECONDS)
        self._max_connections, self._max_answer = max_connections, max_answer
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Json2({self._url!r}, {self._database!r})"

    async def call(self, model: str, method: str, **body: Any) -> Answer:
        """Call a method of a model with named arguments; ``ids`` and ``context`` among them.

        Raises:
            TransportFailure: there was no answer, or too large a one.
        """
        url = f"{self._url}/json/2/{model}/{method}"
        try:
            async with self._open().post(
                url, data=json.dumps(body).encode(), allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await self._read(response))
        except (
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientConnectorError,
            aiohttp.InvalidURL,
            aiohttp.NonHttpUrlClientError,
        ) as error:
            raise TransportFailure(Failure.UNREACHABLE, str(error)) from error
        except TimeoutError as error:
            raise TransportFailure(Failure.TIMEOUT, f"{model}.{method}") from error
        except (aiohttp.ClientError, OSError) as error:
            text = f"{model}.{method}: {type(error).__name__} {error}"
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
