"""What an event is: read from headers and body where the source says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoorway.errors import DeclarationError
from odoorway.model.event import Headers
from odoorway.model.source import Identity
from odoorway.outside import Unreadable, storable
from odoorway.receive.document import Document
from odoorway.receive.identity import head, identify, locate, possible_flaws
from odoorway.sources import hmac, samples, shopify, standard_webhooks, stripe

HEADERS: Headers = (("x-topic", "orders/updated"), ("x-id", "e1"), ("x-empty", ""))
BODY = b"""{
    "order": {"id": 7, "at": "2026-01-01"}, "flag": true, "list": [1], "none": null,
    "lines": [{"id": 5}, {"id": 6}], "7": "seven", "float": 1764000000.1234567890123,
    "whole": 7.0, "long": 123456789012345678901234567890, "longer": 123456789012345678901234567891
}"""
PARSED = Document(BODY)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("header:X-Topic", "orders/updated"),
        ("header:X-None", None),
        ("header:X-Empty", None),
        ("json:order.id", "7"),
        ("json:order.none", None),
        ("json:flag", None),  # true is no id
        ("json:list", None),
        ("json:flag.deeper", None),
        ("json:none", None),
        ("json:lines.1.id", "6"),
        ("json:lines.2.id", None),
        ("json:lines.-1.id", None),
        ("json:lines.²", None),
        ("json:lines.id", None),
        ("json:7", "seven"),
        ("json:float", "1764000000.1234567890123"),
        ("json:whole", "7.0"),
        ("json:long", "123456789012345678901234567890"),
        ("json:longer", "123456789012345678901234567891"),
    ],
)
def test_a_place_is_a_header_or_a_path_into_the_body(place: str, found: str | None) -> None:
    """Only texts and numbers name something, and numbers as they are written."""
    assert locate(place, HEADERS, PARSED) == found


def test_everything_found() -> None:
    """Each part from the first place that has it."""
    identity = Identity(
        topic=("header:X-None", "header:X-Topic"),
        event_id=("header:X-Id",),
        ordering_key="{topic:head}:{json:order.id}",
        version=("json:order.at",),
    )
    found = identify(identity, HEADERS, BODY)
    assert (found.topic, found.idempotency_key) == ("orders/updated", "e1")
    assert (found.ordering_key, found.version) == ("orders:7", "2026-01-01")


def test_without_an_id_the_body_is_the_id() -> None:
    """The same body on another topic is another event; alone it shares its order with nothing."""
    identity = Identity(topic=("header:X-Topic",), event_id=(), ordering_key="{json:none}")
    first = identify(identity, HEADERS, BODY)
    again = identify(identity, HEADERS, BODY)
    other_body = identify(identity, HEADERS, BODY + b" ")
    other_topic = identify(identity, (("x-topic", "orders/paid"),), BODY)
    assert first == again
    assert first.ordering_key == first.idempotency_key
    keys = {first.idempotency_key, other_body.idempotency_key, other_topic.idempotency_key}
    assert len(keys) == 3
    assert first.version is None


def test_an_id_of_the_platform_never_looks_like_a_hash_of_ours() -> None:
    """Else it would be known for minutes only."""
    found = identify(Identity(event_id=("header:X-Id",)), (("x-id", "sha256:e1"),), b"")
    assert found.idempotency_key == "id:sha256:e1"


def test_long_values_that_differ_at_their_end_stay_different() -> None:
    """A hostile id does not grow the index, and two ids with one beginning are two events."""
    long = "x" * 9_999
    found = {
        locate(place, (("x-id", text),), Document(json.dumps({"id": text}).encode()))
        for place in ("header:X-Id", "json:id")
        for text in (long, long + "y", "x" * 512)
    }
    assert len(found) == 3
    assert max(len(one or "") for one in found) == 512


@pytest.mark.parametrize(
    "nobody", ["0", "-1", '""', '" "', '"0"', '"null"', '"None"', '"undefined"']
)
def test_what_stands_for_nobody_is_no_id(nobody: str) -> None:
    """All guests have the id 0: they are not one event, and not one thing."""
    identity = Identity(
        topic=("header:X-Topic",), event_id=("json:id",), ordering_key="customer/{json:id}",
        version=("json:id",),
    )  # fmt: skip
    bodies = [b'{"id": %s, "n": %d}' % (nobody.encode(), n) for n in range(2)]
    one, other = (identify(identity, HEADERS, body) for body in bodies)
    assert one.idempotency_key.startswith("sha256:")
    assert one.ordering_key == one.idempotency_key != other.ordering_key


@given(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_of_json_is_found_as_it_is_written(value: str | float) -> None:
    """Whatever its length; only an empty text is none, and NUL is written out."""
    body = json.dumps({"a": [{"b": value}]}).encode()
    written = storable(value) if isinstance(value, str) else json.dumps(value)
    assert Document(body).text(("a", "0", "b")) == written


@pytest.mark.parametrize(
    ("written", "found"), [(b"9" * 400, "9" * 400), (b"1e400", "1e400"), (b'"\\ud800"', r"\ud800")]
)
def test_what_the_fast_parser_refuses_is_read_all_the_same(written: bytes, found: str) -> None:
    """Numbers beyond a float, and half a surrogate pair, are JSON."""
    body = b'{"id": %s}' % written
    identity = Identity(event_id=("json:id",), topic=("json:id",))
    told = identify(identity, (), body)
    assert told.topic == told.idempotency_key == found


@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b'{"id": NaN}', b"\xff", b"[" * 100_000, "{}".encode("utf-16")]
)
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    """Never another exception, and never half of it."""
    with pytest.raises(Unreadable):
        Document(body)


@pytest.mark.parametrize(
    ("topic", "about"),
    [
        ("orders/create", "orders"),
        ("contact.updated", "contact"),
        ("customer.subscription.updated", "customer.subscription"),
        ("ping", "ping"),
        ("/odd", "/odd"),
    ],
)
def test_the_head_of_a_topic_is_what_it_is_about(topic: str, about: str) -> None:
    """Its last part says what happened; a customer's subscription is no customer."""
    assert head(topic) == about


@pytest.mark.parametrize("key", ["{json:id}", "{header:X-Id}", "{json:kind}{json:id}"])
def test_an_ordering_key_without_a_kind_gets_the_topic_s(key: str) -> None:
    """Contact 7 and invoice 7 are two things; without a topic there is one kind only."""
    told = hmac.source(secret="s", header="X-Sig", ordering_key=key, topic="json:type")
    assert told.identity.ordering_key == "{topic:head}/" + key
    alone = hmac.source(secret="s", header="X-Sig", ordering_key=key)
    assert alone.identity.ordering_key == key


@pytest.mark.parametrize(
    "key", ["order/{json.id}", "order/{}", "order/{json:id", "{topic}/{json:a}"]
)
def test_an_ordering_key_that_cannot_be_filled_is_refused(key: str) -> None:
    """A misspelt place would never be found."""
    with pytest.raises(DeclarationError, match="write text with"):
        hmac.source(secret="s", header="X-Sig", ordering_key=key)


@pytest.mark.parametrize("platform", [shopify, stripe, standard_webhooks])
def test_what_platforms_send_is_ordered_by_its_kind(platform: Any) -> None:
    """Each recorded sample is about a thing of the kind that its topic names."""
    definition = platform.source(secret="s")
    recorded = samples(definition.platform)
    for topic, body in recorded.items():
        headers = (("x-shopify-topic", topic),)
        found = identify(definition.identity, headers, body)
        assert found.ordering_key.startswith(f"{head(topic)}/")
    assert recorded


@pytest.mark.parametrize(
    "key", ["everything", "{json:kind}/{json:id}", "{topic:head}-{header:X_Id}", "order/{json:0.a}"]
)
def test_any_ordering_key_with_a_kind_is_taken(key: str) -> None:
    """One key for all is one queue, which is a kind as well."""
    hmac.source(secret="s", header="X-Sig", ordering_key=key)


def test_only_what_is_declared_is_missed() -> None:
    """A source that says nothing of versions lacks none."""
    assert identify(Identity(), (), b"no JSON").flaws == ()
    declared = Identity(topic=("header:X-Id",), version=("header:X-At",))
    assert [one.code for one in identify(declared, (("x-id", "1"),), b"").flaws] == [
        "event.no-version"
    ]


@pytest.mark.parametrize(("packed", "code"), [("", "payload.not-json"), ("br", "payload.packed")])
def test_a_body_that_nobody_reads_is_one_flaw_and_its_topic_may_be_known(
    packed: str, code: str
) -> None:
    """All that is missed follows from it; where a header has the topic, its routes are known."""
    identity = Identity(
        topic=("json:type", "header:X-Topic"), event_id=("json:id",), version=("json:at",)
    )
    unknown = identify(identity, (), b"x", packed)
    known = identify(identity, HEADERS, b"x", packed)
    assert [one.code for one in (*unknown.flaws, *known.flaws)] == [code, code]
    assert (unknown.unrouted, known.unrouted) == (unknown.flaws[0], None)
    assert known.topic == "orders/updated"


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("[]", "an array of 0"), ("{}", "an empty object"), ('"a"', "a text"), ("null", "null"),
        ("1", "a number or a boolean"), ('{"a": 1, "b": 2}', "an object with a, b"),
        (json.dumps(dict.fromkeys(map(str, range(99)))),
         "an object with 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"),
    ],
)  # fmt: skip
def test_a_body_without_the_place_is_described(body: str, shape: str) -> None:
    """So that a person sees at once what came instead."""
    (flaw,) = identify(Identity(topic=("json:type",)), (), body.encode()).flaws
    assert flaw.detail == f"the topic's place json:type names nothing in this body: it is {shape}"


def test_only_places_in_the_body_need_it_parsed() -> None:
    """A source known by headers alone takes any bytes."""
    for identity in (
        Identity(event_id=("json:id",)), Identity(topic=("header:A", "json:a")),
        Identity(ordering_key="a/{json:id}"), Identity(version=("json:at",)),
    ):  # fmt: skip
        assert "payload.not-json" in possible_flaws(identity)
        assert identify(identity, (), b"x").flaws[0].code == "payload.not-json"
    by_header = Identity(topic=("header:X-Id",), event_id=("header:X-Id",))
    assert possible_flaws(by_header) == ("event.no-topic", "event.no-id", "payload.packed")
    assert identify(by_header, HEADERS, b"x").flaws == ()
