"""Bodies forwarded over HTTP: to a controller of Odoo's, or to any other system."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic_core import PydanticSerializationError, to_jsonable_python

from odoorway.clock import Clock, SystemClock
from odoorway.commands import Command, Find, Forward
from odoorway.deliver.forwarded import failed, judge_forward
from odoorway.deliver.port import Job, Verdict, raised
from odoorway.deliver.reading import beginning
from odoorway.deliver.retry_after import seconds
from odoorway.model.delivery import Outcome
from odoorway.sources import sign, standard_webhooks

CONNECTIONS = 4  # to one destination at once
_MAX_ANSWER = 64 << 10  # bytes of an answer that are looked at
_DOWN = {"forward.unreachable", "forward.server-error"}


class Forwarder:
    """Posts bodies. Follows no redirect, keeps no cookie, and signs when asked to."""

    def __init__(  # noqa: PLR0913 - each is one fact about the other side
        self,
        url: str,
        environ: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        max_connections: int = CONNECTIONS,
        clock: Clock | None = None,
    ) -> None:
        """Take the address that paths are relative to, and where ``env:`` secrets are read."""
        self._url, self._environ, self._headers = url.rstrip("/"), environ, dict(headers or {})
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._going = asyncio.Semaphore(max_connections)
        self._clock = clock or SystemClock()
        self._session: aiohttp.ClientSession | None = None

    async def send(self, forward: Forward, ident: str) -> Verdict:
        """Post the body under that id, the same however often it is tried.

        The time-out begins when the request may go out, not while it waits for a connection.
        """
        own = forward.to.startswith("/")
        try:
            body, kind = _encoded(forward.body)
        except (ValueError, TypeError, RecursionError, PydanticSerializationError) as error:
            return failed("forward.unwritable", f"the body cannot be written as JSON: {error}")
        headers = {"content-type": kind, "webhook-id": ident, **(self._headers if own else {})}
        try:
            headers |= self._signed(forward, body, ident)
        except ValueError as error:
            return failed("forward.no-secret", str(error))
        url = f"{self._url}{forward.to}" if own else forward.to
        async with self._going:
            return await self._post(url, body, {**headers, **forward.headers})

    def is_own(self, forward: Forward) -> bool:
        """Tell whether it goes to this destination's own host."""
        return forward.to.startswith("/") or _origin(forward.to) == _origin(self._url)

    async def probe(self) -> Verdict:
        """Ask whether anybody answers there."""
        try:
            async with self._open().get(self._url, allow_redirects=False) as answer:
                down = answer.status >= 500  # noqa: PLR2004 - the HTTP class of server errors
                return (
                    judge_forward(answer.status, b"")
                    if down
                    else Verdict(outcome=Outcome.DELIVERED)
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return failed("forward.unreachable", f"{self._url}: {error}")

    async def close(self) -> None:
        """Let the connections go."""
        if self._session:
            await self._session.close()
            self._session = None

    def _signed(self, forward: Forward, body: bytes, ident: str) -> dict[str, str]:
        if forward.secret is None:
            return {}
        secret = forward.secret
        if secret.startswith("env:"):
            name = secret.removeprefix("env:")
            secret = self._environ.get(name, "")
            if not secret:
                raise ValueError(f"the environment variable {name} is not set")
        definition = standard_webhooks.source(secret=secret)
        now = self._clock.now()
        signed = sign(definition, secret, body, topic="", event_id=ident, now=now)
        return {name: value for name, value in signed.items() if name.startswith("webhook-")}

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Verdict:
        try:
            async with self._open().post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                told = await beginning(answer.content, _MAX_ANSWER)
                wait = seconds(answer.headers.get("Retry-After", ""), self._clock.now())
                return judge_forward(answer.status, told, wait)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            return failed("forward.bad-address", f"{url}: {type(error).__name__} {error}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return failed("forward.unreachable", f"{url}: {type(error).__name__} {error}")

    def _open(self) -> aiohttp.ClientSession:
        """Return the session, made in the running loop on first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # `send` keeps the number small
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class HttpDestination:
    """An outside system that takes forwarded bodies. Implements ``deliver.port.Destination``."""

    def __init__(self, forwarder: Forwarder, secret: str | None = None) -> None:
        """Sign with *secret* what has none of its own."""
        self._forwarder, self._secret = forwarder, secret

    async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        """See ``Destination.deliver``. A job that was sent and not answered is sent again."""
        return await asyncio.gather(*map(self._contained, jobs))

    async def look_up(self, questions: Sequence[Sequence[Find]]) -> Sequence[Verdict]:
        """See ``Destination.look_up``. There is nothing to look up here."""
        text = "find(...) needs an Odoo; this destination takes Forward only"
        return [Verdict(outcome=Outcome.DEAD, code="handler.no-command", detail=text)] * len(
            questions
        )

    async def probe(self) -> Verdict:
        """See ``Destination.probe``."""
        verdict = await self._forwarder.probe()
        return replace(verdict, blame_destination=verdict.outcome is not Outcome.DELIVERED)

    async def close(self) -> None:
        """See ``Destination.close``."""
        await self._forwarder.close()

    async def _contained(self, job: Job) -> Verdict:
        """Deliver one job; what it raises is its own, since nothing else shares its requests."""
        try:
            return await self._one(job)
        except Exception as error:  # noqa: BLE001 - whatever its commands hold may raise anything
            return replace(raised(error), blame_destination=False)

    async def _one(self, job: Job) -> Verdict:
        """Send its commands in order. Only this destination's own host can be down for all."""
        for number, command in enumerate(job.commands):
            verdict = await self._send(command, f"{job.event}_{number}")
            if verdict.outcome is not Outcome.DELIVERED:
                own = isinstance(command, Forward) and self._forwarder.is_own(command)
                return replace(verdict, blame_destination=own and verdict.code in _DOWN)
        return Verdict(outcome=Outcome.DELIVERED)

    async def _send(self, command: Command, ident: str) -> Verdict:
        if not isinstance(command, Forward):
            text = f"a {type(command).__name__} needs an Odoo; this destination takes Forward only"
            return Verdict(outcome=Outcome.DEAD, code="handler.no-command", detail=text)
        secret = command.secret or self._secret
        return await self._forwarder.send(replace(command, secret=secret), ident)


def _encoded(body: Any) -> tuple[bytes, str]:
    match body:
        case bytes():
            return body, "application/octet-stream"
        case str():
            return body.encode(), "text/plain; charset=utf-8"
    plain = to_jsonable_python(body)
    try:
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:  # half a character: JSON can say it, UTF-8 cannot
        text = json.dumps(plain, allow_nan=False).encode()
    return text, "application/json"


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port; None for what is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port
