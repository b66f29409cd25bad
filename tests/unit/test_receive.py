"""The receive path, driven as ASGI: what is accepted, and how each refusal looks."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journals import journal_of, temporary
from odoorway import Gateway, Upsert
from odoorway.diagnose.catalog import CATALOG
from odoorway.errors import JournalFull
from odoorway.journal.port import Appended
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Planned, State
from odoorway.model.event import Event, Flaw, Rejection
from odoorway.model.mask import shown_body
from odoorway.model.source import SourceDefinition
from odoorway.receive.app import ReceiveApp, ReceiveLimits
from odoorway.receive.signature import Verifier
from odoorway.sources import hmac, shopify, sign
from odoorway.telemetry import REGISTRY, Counter
from odoorway.testing import ManualClock

SECRET = "s3cret-of-the-shop"
DEFINITION = shopify.source(secret=SECRET)


def order(payload: dict[str, Any]) -> Upsert:
    return Upsert("sale.order", ("order", 1), {})


class Receiver:
    """The app with a real journal, and what a client would see."""

    def __init__(
        self,
        journal: SqliteJournal | None = None,
        shown: Callable[[bytes], str] | None = None,
        definition: SourceDefinition = DEFINITION,
        **limits: Any,
    ) -> None:
        gateway = Gateway()
        shop = gateway.source("shop", definition)
        shop.on("orders/create")(order)
        shop.on("orders/*", name="second")(order)
        self.journal = journal or temporary()
        self.appended = 0
        verifiers = {"shop": Verifier(definition, [SECRET])}
        self.app = ReceiveApp(
            gateway,
            verifiers,
            self.journal,
            ManualClock(),
            ReceiveLimits(**limits),
            on_append=self._count,
            shown=shown,
        )

    def _count(self) -> None:
        self.appended += 1

    async def send(
        self,
        body: bytes = b'{"id": 1}',
        headers: dict[str, str] | None = None,
        *,
        method: str = "POST",
        path: str = "/in/shop",
        chunks: Sequence[bytes] | None = None,
        length: str | None = "",
    ) -> tuple[int, dict[str, str], Any]:
        given_headers = signed(body) if headers is None else headers
        raw = [(k.lower().encode(), v.encode("latin-1")) for k, v in given_headers.items()]
        if length is not None:
            raw.append((b"content-length", (length or str(len(body))).encode("latin-1")))
        parts = list([body] if chunks is None else chunks)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not parts:
                return {"type": "http.disconnect"}
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def collect(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": raw}
        await self.app(scope, receive, collect)
        if not sent:
            return 0, {}, None
        answer = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return sent[0]["status"], answer, json.loads(sent[1]["body"])


def signed(body: bytes, event_id: str = "e-1", topic: str = "orders/create") -> dict[str, str]:
    return sign(DEFINITION, SECRET, body, topic=topic, event_id=event_id, now=0)


def problem(answer: tuple[int, dict[str, str], Any], status: int, code: str) -> None:
    """The answer is that refusal, as RFC 9457 wants it, and shows no secret."""
    got, headers, body = answer
    assert (got, body["code"]) == (status, code)
    assert headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["title"] == CATALOG[code].title
    assert SECRET not in json.dumps(body)


async def test_a_genuine_webhook_is_stored_with_its_deliveries_before_the_answer() -> None:
    """One delivery a matching route; the dispatcher is woken."""
    receiver = Receiver()
    status, _, body = await receiver.send()
    assert status == 202
    event = await receiver.journal.event(body["event"])
    assert event
    assert (event.topic, event.ordering_key, event.body) == (
        "orders/create",
        "orders/1",
        b'{"id": 1}',
    )
    found = await receiver.journal.deliveries(event_id=event.id)
    assert {d.route for d in found} == {"order", "second"}
    assert receiver.appended == 1


async def test_a_duplicate_gets_the_same_answer_and_stores_nothing() -> None:
    """A platform's retry cannot tell the difference."""
    receiver = Receiver()
    assert await receiver.send() == await receiver.send()
    assert (await receiver.journal.stats()).events == 1


async def test_the_same_key_with_another_body_is_kept_and_flagged() -> None:
    """Never dropped."""
    receiver = Receiver()
    await receiver.send()
    other = b'{"id": 1, "note": "x"}'
    _, _, body = await receiver.send(other, signed(other))
    event = await receiver.journal.event(body["event"])
    assert event
    assert event.conflict
    assert (await receiver.journal.stats()).events == 2


async def test_a_topic_nobody_takes_is_stored_as_skipped() -> None:
    """Visible, and replayable once there is a handler."""
    receiver = Receiver()
    status, _, body = await receiver.send(headers=signed(b'{"id": 1}', topic="products/update"))
    (delivery,) = await receiver.journal.deliveries(event_id=body["event"])
    assert (status, delivery.state, delivery.code) == (202, State.SKIPPED, "event.no-route")


SECRET_HEADERS = {
    "authorization": "Basic hush",
    "cookie": "hush",
    "x-gitlab-token": "hush",
    "X-Auth-Token": "hush",
    "ocp-apim-subscription-key": "hush",
    "x_webhook_secret": "hush",
    "x-plain": SECRET,
    "x-hidden": f"key={SECRET}; v=1",
    "x-basic": "basic aHVzaA==",
}


async def test_credentials_are_not_stored() -> None:
    """Neither of an event nor of a rejection: not by their names, and not by what they say."""
    receiver = Receiver()
    kept = {"x-request-id": "r1", "idempotency-key": "k1", "x-author": "Ada"}
    given = SECRET_HEADERS | kept
    _, _, body = await receiver.send(headers=signed(b'{"id": 1}') | given)
    event = await receiver.journal.event(body["event"])
    await receiver.send(headers=given)
    await receiver.send(headers=given, path="/in/nobody")
    await receiver.app.idle()
    stranger, refused = await receiver.journal.rejections()
    assert event
    for headers in (event.headers, refused.headers, stranger.headers):
        told = repr(headers)
        assert not [word for word in ("hush", SECRET, "aHVzaA") if word in told]
        assert kept.items() <= dict(headers).items()


async def test_a_signature_is_cut_and_a_token_in_its_place_is_not_stored() -> None:
    """Of a signature the beginning is kept, to be compared; of what may be a password nothing."""
    receiver = Receiver()
    headers = signed(b'{"id": 1}')
    whole = headers["X-Shopify-Hmac-Sha256"]
    _, _, body = await receiver.send(headers=headers)
    event = await receiver.journal.event(body["event"])
    assert event
    assert event.header("x-shopify-hmac-sha256") == whole[:6] + "…"
    for token in ("a-password", SECRET):
        await receiver.send(headers={"x-shopify-hmac-sha256": token})
    await receiver.app.idle()
    ours, another = await receiver.journal.rejections()
    kept = [dict(one.headers).get("x-shopify-hmac-sha256") for one in (ours, another)]
    assert kept == [None, "…"]


async def test_each_refusal_in_its_order() -> None:
    """Source, method, size, encoding, signature: the first that is wrong is named."""
    receiver = Receiver(max_body=100)
    big = b"x" * 101
    nothing: dict[str, str] = {}
    odd = {"content-encoding": "br"}
    problem(await receiver.send(path="/in/other", method="GET"), 404, "request.unknown-source")
    problem(await receiver.send(path="/", method="GET"), 404, "request.not-found")
    wrong = await receiver.send(big, nothing, method="GET")
    problem(wrong, 405, "request.method-not-allowed")
    assert wrong[1]["allow"] == "POST"
    problem(await receiver.send(big, odd), 413, "request.too-large")
    problem(await receiver.send(b"x", odd), 415, "request.unsupported-encoding")
    problem(await receiver.send(b"x", nothing), 401, "signature.missing")
    problem(await receiver.send(b"x", signed(b"y")), 401, "signature.mismatch")
    problem(await receiver.send(b"{}", length="-1"), 400, "request.bad-length")
    problem(await receiver.send(b"{}", length="²"), 400, "request.bad-length")
    await receiver.app.idle()
    assert len(await receiver.journal.rejections()) == 9
    assert (await receiver.journal.stats()).events == 0


async def test_a_body_larger_than_it_says_is_counted_and_refused() -> None:
    """Never cut in silence."""
    receiver = Receiver(max_body=10)
    for length in ("5", None):
        answer = await receiver.send(b"", signed(b""), chunks=[b"12345678", b"9012"], length=length)
        problem(answer, 413, "request.too-large")
        assert answer[1]["connection"] == "close"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw"])
async def test_compressed_bodies_are_unpacked(encoding: str) -> None:
    """Signed over the bytes as sent, or over what they unpack to."""
    body = json.dumps({"id": 7, "text": "a" * 1000}).encode()
    packer = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "raw": packer.compress(body) + packer.flush(),
    }[encoding]
    header = {"content-encoding": "gzip" if encoding == "gzip" else "deflate"}
    for number, over in enumerate((body, packed)):
        receiver = Receiver()
        status, _, answer = await receiver.send(packed, signed(over, str(number)) | header)
        event = await receiver.journal.event(answer["event"])
        assert status == 202
        assert event
        assert event.body == body


FORM = hmac.source(
    secret=SECRET, header="X-Sig", topic="json:type", event_id="json:id",
    ordering_key="order/{json:order}", version=("json:at", "header:X-At"),
)  # fmt: skip


BAD = [b"not gzip", gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"more"]


async def test_a_forged_bomb_and_a_forged_damaged_body_are_refused() -> None:
    """Nobody knows who sent them; a bomb costs no more memory than the limit."""
    receiver = Receiver(max_body=10_000)
    bomb = gzip.compress(b"\0" * 5_000_000)
    header = signed(b"another body") | {"content-encoding": "gzip"}
    assert len(bomb) < 10_000
    problem(await receiver.send(bomb, header), 413, "request.too-large")
    for bad in BAD:
        problem(await receiver.send(bad, header), 400, "request.bad-encoding")


@pytest.mark.parametrize(
    ("sent", "encoding", "why"),
    [
        *((bad, "gzip", "gzip: request.bad-encoding") for bad in BAD),
        (gzip.compress(b"\0" * 5_000_000), "gzip", "gzip: unpacked, the limit is 10000 bytes"),
        (b'{"id": 1}', "br", "br: request.unsupported-encoding"),
    ],
)
async def test_what_is_verified_and_cannot_be_unpacked_is_an_event(
    sent: bytes, encoding: str, why: str
) -> None:
    """As it was sent; it goes the way of its topic, and is a dead letter where that is in it."""
    packed = {"content-encoding": encoding}
    receiver = Receiver(max_body=10_000)
    status, _, told = await receiver.send(sent, signed(sent) | packed)
    event = await receiver.journal.event(told["event"])
    assert event
    assert (status, event.body, event.topic) == (202, sent, "orders/create")
    assert len(await receiver.journal.deliveries(event_id=event.id, state=State.PENDING)) == 2
    receiver = Receiver(definition=FORM, max_body=10_000)
    headers = sign(FORM, SECRET, sent, topic="", event_id="", now=0)
    status, _, told = await receiver.send(sent, headers | packed)
    (dead,) = await receiver.journal.deliveries(event_id=told["event"], state=State.DEAD)
    assert (status, dead.code) == (202, "payload.packed")
    assert dead.detail == f"content-encoding {why}"


@pytest.mark.parametrize("body", [b"", b"x", b"NaN", b"a=1&b=2", b"\xff", b"[" * 100_000])
async def test_what_is_verified_and_no_json_is_an_event(body: bytes) -> None:
    """Known by its headers, and each sending of it by the platform's id."""
    receiver = Receiver()
    for _ in range(2):
        status, _, told = await receiver.send(body, signed(body))
        event = await receiver.journal.event(told["event"])
        assert event
        assert (status, event.body, event.idempotency_key) == (202, body, "e-1")
    assert (await receiver.journal.stats()).events == 1


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        (b"a=1&b=2", "payload.not-json", "no JSON: unexpected character"),
        (b'[{"type": "a"}, {"type": "b"}]', "event.no-topic",
         "the topic's place json:type names nothing in this body: it is an array of 2"),
        (b'{"kind": "a"}', "event.no-topic",
         "the topic's place json:type names nothing in this body: it is an object with kind"),
    ],
)  # fmt: skip
async def test_without_its_topic_an_event_is_a_dead_letter(
    body: bytes, code: str, why: str
) -> None:
    """Not one that no route wanted: which route would, nobody knows. It says what the body is."""
    receiver = Receiver(definition=FORM)
    headers = sign(FORM, SECRET, body, topic="", event_id="", now=0)
    status, _, told = await receiver.send(body, headers)
    (delivery,) = await receiver.journal.deliveries(event_id=told["event"])
    assert (status, delivery.state, delivery.code) == (202, State.DEAD, code)
    assert delivery.detail.startswith(why)
    assert (delivery.route, delivery.destination) == ("", "")


@pytest.mark.parametrize(
    ("body", "lacks"),
    [
        (b'{"type": "orders/create", "id": "e", "order": 7, "at": 1}', []),
        (b'{"type": "orders/create", "id": 0, "order": 7}', ["event.no-id", "event.no-version"]),
        (b'{"type": "orders/create", "id": "e", "order": null, "at": 1}',
         ["event.no-ordering-key"]),
        (b'{"type": "nobody/wants", "id": "e", "at": 1}', ["event.no-ordering-key"]),
    ],
)  # fmt: skip
async def test_places_that_name_nothing_are_said_and_counted(body: bytes, lacks: list[str]) -> None:
    """Never silently something else; a repeat does not say it again."""
    receiver = Receiver(definition=FORM)
    headers = sign(FORM, SECRET, body, topic="", event_id="", now=0)
    before = counted(lacks)
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            status, _, told = await receiver.send(body, headers)
    assert status == 202
    assert [line.get("lacks", "") for line in logged] == [", ".join(lacks), ""]
    assert {line["event_id"] for line in logged} == {told["event"]}
    assert counted(lacks) == [number + 1 for number in before]
    assert {*lacks} <= {*CATALOG}


def counted(codes: Sequence[str]) -> list[float]:
    name = f"{Counter.FLAWS.value}_total"
    return [
        REGISTRY.get_sample_value(name, {"source": "shop", "code": code}) or 0.0 for code in codes
    ]


class Full(SqliteJournal):
    """Always full."""

    async def append(
        self, event: Event, planned: Sequence[Planned], flaw: Flaw | None = None
    ) -> Appended:
        raise JournalFull("full")


async def test_a_full_journal_is_503_and_overload_429_both_with_retry_after() -> None:
    """Before memory grows; what was refused can come again."""
    full = await Receiver(journal_of(Full)).send()
    problem(full, 503, "gateway.journal-unavailable")
    busy = await Receiver(max_in_flight=0).send()
    problem(busy, 429, "gateway.overloaded")
    large = await Receiver(max_buffered=5).send()
    problem(large, 429, "gateway.overloaded")
    assert full[1]["retry-after"]
    assert busy[1]["retry-after"]


async def test_what_was_claimed_is_given_back() -> None:
    """One request after the other never becomes too many, refused ones included."""
    receiver = Receiver(max_in_flight=1, max_buffered=9)
    for number in range(5):
        body = b'{"id": %d}' % number
        assert (await receiver.send(body, signed(body, f"e-{number}")))[0] == 202
        problem(await receiver.send(headers={}), 401, "signature.missing")


async def test_a_flood_of_refusals_is_counted_and_does_not_pile_up() -> None:
    """Each is answered; those that cannot be recorded are told in the log."""

    class Slow(SqliteJournal):
        async def reject(self, rejection: Rejection) -> None:
            await opened.wait()
            await super().reject(rejection)

    opened = asyncio.Event()
    receiver = Receiver(journal_of(Slow), max_rejections_waiting=2)
    with structlog.testing.capture_logs() as logged:
        for _ in range(5):
            problem(await receiver.send(headers={}), 401, "signature.missing")
        opened.set()
        await receiver.app.idle()
        await receiver.send(headers={})
        await receiver.app.idle()
    assert len(await receiver.journal.rejections()) == 3
    told = [line for line in logged if line["event"] == "rejection.unrecorded"]
    assert [line["count"] for line in told] == [3]


async def test_a_stopping_gateway_refuses_and_is_not_ready() -> None:
    """The platform sends again, to whoever comes next."""
    receiver = Receiver()
    health = [await receiver.send(path=p, method="GET") for p in ("/healthz", "/readyz")]
    assert [h[0] for h in health] == [200, 200]
    receiver.app.stop()
    answer = await receiver.send()
    problem(answer, 503, "gateway.stopping")
    assert answer[1]["retry-after"]
    health = [await receiver.send(path=p, method="GET") for p in ("/healthz", "/readyz")]
    assert [h[0] for h in health] == [200, 503]


async def test_a_sender_that_goes_away_leaves_nothing() -> None:
    """Half a body is no event, and nobody is there to answer."""
    receiver = Receiver()
    half = [b'{"id"']

    async def receive() -> dict[str, Any]:
        if half:
            return {"type": "http.request", "body": half.pop(), "more_body": True}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/in/shop", "headers": []}
    await receiver.app(scope, receive, send)
    assert (await receiver.journal.stats()).events == 0


DEFINED = {202, 400, 401, 404, 405, 413, 415}
latin = st.text(alphabet=st.characters(max_codepoint=255), max_size=50)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    body=st.binary(max_size=300),
    extra=st.dictionaries(st.sampled_from(
        ["content-encoding", "content-type", "x-shopify-topic", "x-shopify-hmac-sha256",
         "x-shopify-webhook-id", "x-anything"]), latin),
    genuine=st.booleans(),
    method=st.sampled_from(["POST", "GET", "PUT", "É"]),
    path=st.one_of(st.just("/in/shop"), latin),
    length=st.one_of(st.just(""), st.none(), latin),
)  # fmt: skip
async def test_every_request_gets_a_defined_answer(
    body: bytes,
    extra: dict[str, str],
    genuine: bool,
    method: str,
    path: str,
    length: str | None,
) -> None:
    """Whatever bytes come: never a traceback, never an undefined status."""
    receiver = Receiver()
    headers = (signed(body) if genuine else {}) | extra
    status, answer, told = await receiver.send(
        body, headers, method=method, path=path, length=length
    )
    if path in {"/healthz", "/readyz"}:
        assert status == 200
        return
    assert status in DEFINED
    assert (status == 202) == ("event" in told)
    assert "Traceback" not in json.dumps(told)
    assert answer["content-type"] in {"application/json", "application/problem+json"}


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_each_event_is_logged_and_its_payload_only_when_asked(encoding: str) -> None:
    """Accepted, then known already: both with the event's id; masked fields stay hidden."""
    body = b'{"id": 1, "email": "ada@example.com", "note": "mine", "updated_at": "2026-11-25"}'
    sent = gzip.compress(body) if encoding else body
    headers = {**signed(sent), **({"content-encoding": encoding} if encoding else {})}
    for shown in (None, lambda body: shown_body(body, ["email"], pretty=False)):
        receiver = Receiver(shown=shown)
        with structlog.testing.capture_logs() as logged:
            _, _, first = await receiver.send(sent, headers)
            await receiver.send(sent, headers)
        assert [line["event"] for line in logged] == ["event.accepted", "event.duplicate"]
        assert {line["event_id"] for line in logged} == {first["event"]}
        assert "ada@example.com" not in str(logged)
        assert ("mine" in str(logged)) is (shown is not None)


@pytest.mark.parametrize(
    "more", [{f"X-{n}": "" for n in range(201)}, {"X" * 300: ""}, {"X-Long": "x" * 70_000}]
)
async def test_headers_without_end_are_refused(more: dict[str, str]) -> None:
    """Before anything looks at them; and the refusal is told like any other."""
    receiver = Receiver()
    status, headers, told = await receiver.send(headers={**signed(b'{"id": 1}'), **more})
    await receiver.app.idle()
    (rejection,) = await receiver.journal.rejections(limit=2)
    assert (status, told["code"], rejection.code) == (431, *["request.headers-too-large"] * 2)
    assert headers["connection"] == "close"
    assert rejection.headers == ()
