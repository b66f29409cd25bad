"""What an event is: read from headers and body where the source says."""

import pytest

from odoorway.model.event import Headers
from odoorway.model.source import Identity
from odoorway.receive.identity import identify, locate, needs_json

HEADERS: Headers = (("x-topic", "orders/updated"), ("x-id", "e1"), ("x-empty", ""))
PARSED = {"order": {"id": 7, "at": "2026-01-01"}, "flag": True, "list": [1]}


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
    ],
)
def test_a_place_is_a_header_or_a_path_into_the_body(place: str, found: str | None) -> None:
    """Only texts and integers name something."""
    assert locate(place, HEADERS, PARSED) == found


def test_everything_found() -> None:
    """Each part from the first place that has it."""
    identity = Identity(
        topic=("header:X-None", "header:X-Topic"),
        event_id=("header:X-Id",),
        ordering_key="{topic:head}:{json:order.id}",
        version=("json:order.at",),
    )
    found = identify(identity, HEADERS, b"{}", PARSED)
    assert (found.topic, found.idempotency_key) == ("orders/updated", "e1")
    assert (found.ordering_key, found.version) == ("orders:7", "2026-01-01")


def test_without_an_id_the_body_is_the_id() -> None:
    """The same body on another topic is another event; alone it shares its order with nothing."""
    identity = Identity(topic=("header:X-Topic",), event_id=(), ordering_key="{json:none}")
    first = identify(identity, HEADERS, b"{}", PARSED)
    again = identify(identity, HEADERS, b"{}", PARSED)
    other_body = identify(identity, HEADERS, b"{ }", PARSED)
    other_topic = identify(identity, (("x-topic", "orders/paid"),), b"{}", PARSED)
    assert first == again
    assert first.ordering_key == first.idempotency_key
    keys = {first.idempotency_key, other_body.idempotency_key, other_topic.idempotency_key}
    assert len(keys) == 3
    assert first.version is None


def test_a_long_value_is_capped() -> None:
    """A hostile id does not grow the index."""
    assert len(locate("json:id", (), {"id": "x" * 9999}) or "") == 512


def test_only_places_in_the_body_need_it_parsed() -> None:
    """A source known by headers alone takes any bytes."""
    by_header = Identity(topic=("header:A",), event_id=("header:B",))
    assert not needs_json(by_header)
    assert needs_json(Identity(topic=("header:A",), event_id=("json:id",)))
    assert needs_json(Identity(topic=("header:A",), event_id=(), ordering_key="{json:id}"))
