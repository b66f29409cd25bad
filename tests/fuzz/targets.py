"""What must take any bytes: each target raises only where something is wrong with the gateway.

A target takes bytes that a stranger chose. What a part of them means, it tells from its first
lines, so that a corpus can be read and mended by hand.
"""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from odoorway import Forward, Gateway
from odoorway.cli.output import safe, safe_lines, to_json
from odoorway.commands import Call, Upsert, find
from odoorway.deliver.forwarded import judge_forward
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.transport import Answer, Caller
from odoorway.deliver.outcome import judge_answer, judge_load_message, judge_rpc
from odoorway.deliver.port import Job
from odoorway.deliver.retry_after import LONGEST, seconds
from odoorway.diagnose.evidence import read
from odoorway.diagnose.recognise import recognise
from odoorway.doctor.logs.parse import seconds as log_seconds
from odoorway.journal.caps import cap_event, cap_rejection
from odoorway.journal.port import Appended, Journal, Limits
from odoorway.journal.rows import events_bindings, rejection_bindings
from odoorway.model.event import Event, Headers, Rejection
from odoorway.model.mask import Mask, shown_body
from odoorway.outside import (
    Unreadable,
    printable,
    read_exactly,
    read_headers,
    read_json,
    readable,
    storable,
)
from odoorway.receive.app import ReceiveApp, ReceiveLimits
from odoorway.receive.server import build_server
from odoorway.receive.signature import Verifier
from odoorway.sources import hmac, shopify, sign, standard_webhooks, stripe
from odoorway.testing import ManualClock
from odoorway.transform.run import transform

SECRET = "whsec_c2VjcmV0LW9mLXRoZS1mdXp6ZXI="
LIMITS = Limits()
SOURCES = {
    "shopify": shopify.source(secret=SECRET),
    "stripe": stripe.source(secret=SECRET),
    "standard": standard_webhooks.source(secret=SECRET),
    "plain": hmac.source(
        secret=SECRET, header="X-Sig", event_id="json:id", topic="json:topic",
        ordering_key="{topic:head}/{json:a.0.b}", version="json:version",
    ),
    "timed": hmac.source(
        secret=SECRET, header="X-Sig", prefix="v0=", timestamp="header:X-Time",
        signed="v0:{timestamp}:{header:X-More}:{body}", event_id="header:X-Id",
    ),
}  # fmt: skip
VERIFIERS = {name: Verifier(one, [SECRET]) for name, one in SOURCES.items()}
NOW = 1_000.0


def _head(data: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers in *data*, up to a blank line, and the rest."""
    head, _, body = data.partition(b"\n\n")
    pairs = (line.partition(b":") for line in head.split(b"\n") if b":" in line)
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs], body


class Kept:
    """A journal that binds what it is given as the real one does, and keeps nothing."""

    async def append(self, event: Event, *_: object) -> Appended:
        capped = cap_event(event, LIMITS)
        for text in (capped.topic, capped.idempotency_key, capped.ordering_key, capped.version):
            assert text is None or (text == storable(text) and len(text) < 4_096)
        json.loads(events_bindings([(capped, False)])["rows"])
        return Appended(event.id, duplicate=False)

    async def reject(self, rejection: Rejection) -> None:
        told = cap_rejection(rejection, LIMITS)
        rejection_bindings(told)
        assert len(told.body) <= LIMITS.rejection_body


def _gateway() -> Gateway:
    gateway = Gateway()
    gateway.http("sink", url="http://127.0.0.1:1")
    for name, definition in SOURCES.items():
        source = gateway.source(name, definition)

        @source.on("*", destination="sink", name=f"of_{name}")
        def forwarded(body: dict) -> Forward:
            return Forward("/x", body={"it": body})

    return gateway


GATEWAY = _gateway()
APP = ReceiveApp(GATEWAY, VERIFIERS, cast("Journal", Kept()), ManualClock(NOW), ReceiveLimits())


def request(data: bytes) -> None:
    """A whole request: the source's name in a line, headers, a blank line, a body.

    With ``signed`` before the name the body is signed, so that what is behind the door is met.
    """
    first, _, rest = data.partition(b"\n")
    name = first.removeprefix(b"signed ").decode("latin-1")
    pairs, body = _head(rest)
    if first.startswith(b"signed ") and name in SOURCES.keys() - {"timed"}:
        genuine = sign(SOURCES[name], SECRET, body, topic="t", event_id="e", now=NOW)
        given = {one for one, _ in pairs}
        pairs += [
            (one.lower().encode(), value.encode("latin-1"))
            for one, value in genuine.items()
            if one.lower().encode() not in given
        ]
    status = asyncio.run(_received(f"/in/{name}", pairs, body))
    assert status < 500
    if status == 202:
        _handled(name, body)


async def _received(path: str, pairs: list[tuple[bytes, bytes]], body: bytes) -> int:
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": pairs}
    await APP(scope, receive, send)
    await APP.idle()
    return int(sent[0]["status"])


def _handled(name: str, body: bytes) -> None:
    """Do with an event what handlers and pages do."""
    event = Event(
        id="evt_1", source=name, topic="t", idempotency_key="k", ordering_key="o", version=None,
        received_at=NOW, headers=(), body=body, body_hash="",
    )  # fmt: skip
    for route in GATEWAY.routes_for(name, "t"):
        transform(route, event)
    _shown(body)


def _shown(body: bytes) -> None:
    for names in ((), ("email", "id")):
        for pretty in (True, False):
            text = shown_body(body, names, pretty=pretty)
            assert len(text) < 60 * len(body) + 100
        told = Mask.of(names, body).text("id: Input should be 1 (got 'a')\n" + text[:500])
        safe_lines(told).encode()


def head(data: bytes) -> None:
    """Bytes on a connection, as they come in parts that end at NUL."""
    asyncio.run(_on_a_connection(data.split(b"\0")))


class _Wire(asyncio.Transport):
    """A transport to nowhere."""

    closed = False

    def write(self, data: Any) -> None: ...
    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)


async def _on_a_connection(parts: Sequence[bytes]) -> None:
    server = build_server(APP, "127.0.0.1", 0, limits=ReceiveLimits(), grace=1)
    server.config.load()
    kind = cast("Callable[..., Any]", server.config.http_protocol_class)
    wire = _Wire()
    protocol = kind(config=server.config, server_state=server.server_state, app_state={})
    protocol.connection_made(wire)
    for part in parts:
        if wire.closed:
            break
        protocol.data_received(part)
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    for task in list(server.server_state.tasks):
        task.cancel()
    await asyncio.gather(*server.server_state.tasks, return_exceptions=True)


def verification(data: bytes) -> None:
    """Headers, a blank line, a body: no source takes what nobody signed."""
    pairs, body = _head(data)
    try:
        headers: Headers = read_headers(pairs)
    except Unreadable:
        return
    for name, verifier in VERIFIERS.items():
        assert verifier(headers, body, NOW), name


class _Odoo:
    """An Odoo that gives one answer to every question."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def call(self, model: str, method: str, **body: Any) -> Answer:
        return self._answer

    async def close(self) -> None: ...


COMMANDS = (
    Upsert("res.partner", ("c", "1"), {"country_id": find("res.country", code="FR")}),
    Upsert("res.partner", ("c", "2"), {"name": "x"}, match={"email": "a@b.c"}),
    Upsert(
        "sale.order", ("o", "1"), {"order_line": [Upsert("sale.order.line", ("l", "1"))]},
        lines="sync",
    ),
    Upsert(
        "res.partner", ("c", "3"), {"name": "x"}, initial={"ref": "y"},
        expect={"name": "x", "country_id.code": "FR", "amount": 1},
    ),
    Call("res.partner", "action", find("res.partner", ref="x"), unless={"state": ["done"]}),
)  # fmt: skip


def answer(data: bytes) -> None:
    """An answer: its status in a line, headers, a blank line, a body."""
    first, _, rest = data.partition(b"\n")
    status = int(first) if first.isdigit() and len(first) == 3 else 200
    pairs, body = _head(rest)
    headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in pairs}
    wait = seconds(headers.get("Retry-After", ""), NOW)
    assert wait is None or 0 <= wait <= LONGEST
    for verdict in (
        judge_answer(status, headers, body, now=NOW),
        judge_rpc(status, headers, body, now=NOW),
        judge_forward(status, body, wait),
    ):
        safe(verdict.detail).encode()
        assert len(verdict.detail) < 5_000
    with contextlib.suppress(Unreadable):
        told = read_json(body)
        if isinstance(told, dict):
            judge_load_message(told)
    for rpc in (False, True):
        asyncio.run(_delivered(Answer(status, headers, body, rpc)))


async def _delivered(told: Answer) -> None:
    for command in COMMANDS:
        destination = OdooDestination(cast("Caller", _Odoo(told)), clock=ManualClock(NOW))
        (verdict,) = await destination.deliver([Job(1, "s", (command,), "evt_1")])
        assert len(verdict.detail) < 5_000


def pasted(data: bytes) -> None:
    """What somebody pastes into the doctor."""
    text = data.decode(errors="replace")
    evidence = read(text)
    told = recognise(evidence)
    to_json({"log": evidence.log, "sent": evidence.sent, "json": evidence.json})
    safe(told).encode()
    log_seconds(text[:30])


def outside(data: bytes) -> None:
    """JSON: whoever reads it reads the same, and all of it can be stored and printed."""
    try:
        value = read_json(data)
    except Unreadable:
        value = None
    else:
        assert json.loads(readable(data)) == read_exactly(data)
        text = json.dumps(value, ensure_ascii=False)
        assert text == storable(text)
        io.StringIO().write(printable(text))
    _shown(data)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "answer": answer,
    "head": head,
    "outside": outside,
    "pasted": pasted,
    "request": request,
    "verification": verification,
}
