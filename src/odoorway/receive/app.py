"""The receive path as a raw ASGI app: check, verify, identify, append, answer."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from odoorway import tracing
from odoorway.clock import Clock
from odoorway.errors import JournalUnavailable
from odoorway.gateway import Gateway, topic_class
from odoorway.journal.port import Appended, Journal
from odoorway.model.event import Event, Flaw, Headers, Rejection, new_id
from odoorway.outside import Unreadable, read_headers
from odoorway.receive import body as bodies
from odoorway.receive.headers import Credentials, safe_headers
from odoorway.receive.identity import Identified, identify, possible_flaws
from odoorway.receive.refusal import RequestRefused, problem
from odoorway.receive.signature import Verifier
from odoorway.telemetry import Counter, Histogram, Log, begin, count, log, observe

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_JSON = (b"content-type", b"application/json")
_PREFIX = "/in/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveLimits:
    """What the receiver bears. More is refused, and never makes memory grow."""

    max_body: int = 5 * 1024 * 1024  # bytes, as sent and once unpacked
    max_in_flight: int = 512  # requests
    max_buffered: int = 256 * 1024 * 1024  # bytes of all requests in flight
    read_timeout: float = 20.0  # seconds for a head, and again for a body
    max_rejections_waiting: int = 256  # refusals not yet recorded; more are not recorded


def _nowhere(_point: str) -> None:
    """Pass every named point; crash tests stop here instead."""


class ReceiveApp:
    """``POST /in/<source>``, ``/healthz`` and ``/readyz``."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root gives each part
        self,
        gateway: Gateway,
        verifiers: Mapping[str, Verifier],
        journal: Journal,
        clock: Clock,
        limits: ReceiveLimits,
        on_append: Callable[[], None] = lambda: None,
        shown: Callable[[bytes], str] | None = None,
        at: Callable[[str], None] = _nowhere,
        trouble: Callable[[], bool] = lambda: False,
    ) -> None:
        """Receive for *gateway* into *journal*; *on_append* is called after each append.

        With *shown*, each payload is logged as it returns it. While *trouble* says so, the gateway
        is not ready.
        """
        self._trouble = trouble
        self._written = (0.0, False)  # when the journal was last asked to write, and whether it did
        self._gateway, self._verifiers, self._journal = gateway, verifiers, journal
        self._clock, self._limits, self._on_append, self._at = clock, limits, on_append, at
        self._shown = shown
        self._credentials = Credentials(s for one in verifiers.values() for s in one.secrets)
        for name, source in gateway.sources.items():
            for code in possible_flaws(source.definition.identity):
                begin(Counter.FLAWS, name, code)
        self._in_flight = 0
        self._buffered = 0
        self._stopping = False
        self._recording: set[asyncio.Task[None]] = set()
        self._unrecorded = 0

    def stop(self) -> None:
        """Refuse whatever comes from now on; what is in flight is finished."""
        self._stopping = True

    async def idle(self) -> None:
        """Return when the refusals so far are recorded."""
        await asyncio.gather(*self._recording)

    async def __call__(self, scope: Scope, receive: bodies.Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: bodies.Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in {"/healthz", "/readyz"}:
            await self._health(path, send)
            return
        began = self._clock.now()
        seen = _Seen(())
        try:
            seen.headers = _headers(scope["headers"])
            appended = await self._admit(scope["method"], path, seen, receive)
        except bodies.Disconnected:
            return
        except RequestRefused as refused:
            await self._refuse(path, seen, refused, send)
            return
        except JournalUnavailable as error:
            log(Log.JOURNAL_FAILED, error=str(error))
            await self._refuse(path, seen, RequestRefused("gateway.journal-unavailable"), send)
            return
        except Exception:  # noqa: BLE001 - a bug must not show its traceback to a sender
            log(Log.INTERNAL, traceback=traceback.format_exc())
            await self._refuse(path, seen, RequestRefused("gateway.internal-error"), send)
            return
        self._on_append()
        if seen.accepted:
            self._tell(seen.accepted, appended, began)
        body = b'{"event": "%s"}' % appended.event_id.encode()
        await _answer(send, 202, [_JSON, _length(body)], body)

    def _tell(self, accepted: "_Accepted", appended: Appended, began: float) -> None:
        """Count what was appended, and log it; its payload only when that was asked for."""
        known, source = appended.duplicate, accepted.source
        count(Counter.EVENTS, source, accepted.topic_class, "duplicate" if known else "accepted")
        observe(Histogram.ACK, self._clock.now() - began, source)
        more = {"payload": self._shown(accepted.body)} if self._shown else {}
        if accepted.flaws and not known:
            for flaw in accepted.flaws:
                count(Counter.FLAWS, source, flaw.code)
            more["lacks"] = ", ".join(flaw.code for flaw in accepted.flaws)
        log(
            Log.DUPLICATE if known else Log.ACCEPTED,
            event_id=appended.event_id,
            source=source,
            topic=accepted.topic[:200],
            **more,
        )

    async def _admit(
        self, method: str, path: str, seen: "_Seen", receive: bodies.Receive
    ) -> Appended:
        """Check in the documented order, then append."""
        if self._stopping:
            raise RequestRefused("gateway.stopping")
        source = self._source(path)
        if method != "POST":
            raise RequestRefused("request.method-not-allowed")
        length = bodies.declared_length(seen.headers, self._limits.max_body)
        claim = length or self._limits.max_body if _chunked(seen.headers) else length
        self._claim(claim)
        try:
            return await self._append(source, seen, receive)
        finally:
            self._in_flight -= 1
            self._buffered -= claim

    def _source(self, path: str) -> str:
        if not path.startswith(_PREFIX):
            raise RequestRefused("request.not-found")
        name = path.removeprefix(_PREFIX)
        if name not in self._verifiers:
            raise RequestRefused("request.unknown-source")
        return name

    def _claim(self, size: int) -> None:
        """Count a request in, or refuse it before its body is read."""
        full = self._in_flight >= self._limits.max_in_flight
        if full or self._buffered + size > self._limits.max_buffered:
            raise RequestRefused("gateway.overloaded", unread=True)
        self._in_flight += 1
        self._buffered += size

    async def _append(self, source: str, seen: "_Seen", receive: bodies.Receive) -> Appended:
        raw = await bodies.read(receive, self._limits.max_body, self._limits.read_timeout)
        seen.body = raw
        now = self._clock.now()
        body, packed = self._genuine(source, seen.headers, raw, now)
        self._at("after-verify")
        definition = self._gateway.sources[source].definition
        identified = identify(definition.identity, seen.headers, body, packed)
        event = self._event(source, seen.headers, body, identified, now)
        routes = tuple(self._gateway.routes_for(source, event.topic))
        planned = [route.planned for route in routes]
        with tracing.receiving(dict(seen.headers), source) as traceparent:
            appended = await self._journal.append(
                _traced(event, traceparent), planned, identified.unrouted
            )
        named = topic_class(event.topic, routes)
        seen.accepted = _Accepted(source, event.topic, body, named, identified.flaws)
        return appended

    def _genuine(self, source: str, headers: Headers, raw: bytes, now: float) -> tuple[bytes, str]:
        """Return the body unpacked, or as it came and why it cannot be unpacked.

        Verified are the bytes as sent or, when they were compressed, what they unpack to. What is
        verified is never refused.
        """
        verifier = self._verifiers[source]
        wrong = verifier(headers, raw, now)
        encoding = next((value for name, value in headers if name == "content-encoding"), "")
        body, packed = raw, ""
        if encoding:
            try:
                body = bodies.unpack(raw, encoding, self._limits.max_body)
            except RequestRefused as refused:
                if wrong:
                    raise
                packed = f"content-encoding {encoding[:100]}: {refused.detail or refused.code}"
        if wrong and body is not raw:
            wrong = verifier(headers, body, now)
        if wrong:
            raise RequestRefused(wrong)
        return body, packed

    def _event(
        self, source: str, headers: Headers, body: bytes, identified: Identified, now: float
    ) -> Event:
        signature = self._gateway.sources[source].definition.hmac.header
        return Event(
            id=new_id("evt", now),
            source=source,
            topic=identified.topic,
            idempotency_key=identified.idempotency_key,
            ordering_key=identified.ordering_key,
            version=identified.version,
            received_at=now,
            headers=safe_headers(headers, self._credentials, signature),
            body=body,
            body_hash=identified.body_hash,
        )

    async def _refuse(self, path: str, seen: "_Seen", refused: RequestRefused, send: Send) -> None:
        headers, body = problem(refused)
        self._record(path, seen, refused)
        log(Log.REFUSED, path=path[:200], code=refused.code, status=refused.status)
        name = path.removeprefix(_PREFIX)
        count(Counter.REJECTIONS, name if name in self._verifiers else "unknown", refused.code)
        await _answer(send, refused.status, headers, body)

    def _record(self, path: str, seen: "_Seen", refused: RequestRefused) -> None:
        """Record the rejection in the background, so that a flood slows nobody."""
        if len(self._recording) >= self._limits.max_rejections_waiting:
            self._unrecorded += 1
            return
        if self._unrecorded:
            log(Log.UNRECORDED, count=self._unrecorded)
            self._unrecorded = 0
        task = asyncio.create_task(self._reject(path, seen, refused))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _reject(self, path: str, seen: "_Seen", refused: RequestRefused) -> None:
        now = self._clock.now()
        source = self._gateway.sources.get(path.removeprefix(_PREFIX))
        signature = source.definition.hmac.header if source else None
        rejection = Rejection(
            id=new_id("rej", now),
            source=path.removeprefix(_PREFIX)[:200],
            at=now,
            status=refused.status,
            code=refused.code,
            detail=refused.detail,
            headers=safe_headers(seen.headers, self._credentials, signature),
            body=seen.body,
            stranger=source is None,
        )
        try:
            await self._journal.reject(rejection)
        except JournalUnavailable as error:
            log(Log.JOURNAL_FAILED, error=str(error))

    async def _health(self, path: str, send: Send) -> None:
        """Answer for a load balancer: ``/healthz`` the process, ``/readyz`` what it rests on."""
        status = 200
        if path == "/readyz" and (self._stopping or self._trouble() or not await self._writes()):
            status = 503
        body = b'{"status": "ok"}' if status == 200 else b'{"status": "unavailable"}'  # noqa: PLR2004
        await _answer(send, status, [_JSON, _length(body)], body)

    async def _writes(self) -> bool:
        """Tell whether the journal can store now; asked of it once a second at most."""
        now, (asked, answer) = self._clock.now(), self._written
        if answer and 0 <= now - asked < 1:
            return True
        try:
            await self._journal.touch()
        except JournalUnavailable:
            self._written = now, False
        else:
            self._written = now, True
        return self._written[1]


@dataclass(frozen=True, slots=True)
class _Accepted:
    """What is told of a request once it is appended."""

    source: str
    topic: str
    body: bytes  # unpacked
    topic_class: str
    flaws: tuple[Flaw, ...]


@dataclass(slots=True)
class _Seen:
    """What has been read of a request so far; a rejection keeps it."""

    headers: Headers
    body: bytes = b""
    accepted: _Accepted | None = None


def _traced(event: Event, traceparent: str) -> Event:
    """Keep our part of the trace with the event, in place of the sender's."""
    if not traceparent:
        return event
    others = tuple(pair for pair in event.headers if pair[0] != tracing.HEADER)
    return replace(event, headers=(*others, (tracing.HEADER, traceparent)))


def _headers(raw: list[tuple[bytes, bytes]]) -> Headers:
    """Return them as text; ASGI has their names in lower case already.

    Raises:
        RequestRefused: they are too many, or too long.
    """
    try:
        return read_headers(raw)
    except Unreadable as error:
        raise RequestRefused("request.headers-too-large", str(error), unread=True) from None


def _chunked(headers: Headers) -> bool:
    return not any(name == "content-length" for name, _ in headers)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: bodies.Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
