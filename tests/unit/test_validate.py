"""What validation says, and what a handler's result becomes."""

import gzip
from dataclasses import replace
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from odoorway.commands import Upsert
from odoorway.errors import Reject, RetryLater, Skip
from odoorway.gateway import Route
from odoorway.model.delivery import Outcome
from odoorway.model.event import Event
from odoorway.transform.run import Commands, Settled, transform
from odoorway.transform.validate import InvalidPayload, validate


class Line(BaseModel):
    price: float
    sku: str


class Order(BaseModel):
    id: int
    line_items: list[Line]


def test_valid_payload_becomes_the_annotated_type():
    """A body that fits arrives as the type the handler asks for."""
    order = validate(Order, b'{"id": 7, "line_items": [{"price": "1.5", "sku": "A"}]}')
    assert order == Order(id=7, line_items=[Line(price=1.5, sku="A")])


def test_bytes_get_the_body_unchanged():
    """`bytes` is the raw body, JSON or not."""
    assert validate(bytes, b"\xff not json") == b"\xff not json"


def test_every_error_has_its_path():
    """All errors are told at once, each with where it stands and what it should be."""
    body = b'{"id": "x", "line_items": [{"price": "abc", "sku": 1}, {"price": 1}]}'
    with pytest.raises(InvalidPayload) as caught:
        validate(Order, body)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "id",
        "line_items[0].price",
        "line_items[0].sku",
        "line_items[1].sku",
    ]
    assert "Input should be a valid number" in lines[1]
    assert "(got 'abc')" in lines[1]
    assert caught.value.code == "payload.invalid"


def test_errors_are_bounded():
    """Neither many errors nor large values make a long text."""
    body = (
        b'{"id": 1, "line_items": [' + b",".join([b'{"price": "%s"}' % (b"x" * 9999)] * 50) + b"]}"
    )
    with pytest.raises(InvalidPayload) as caught:
        validate(Order, body)
    lines = str(caught.value).splitlines()
    assert len(lines) == 20
    assert lines[-1] == "… and 81 more errors"
    assert max(map(len, lines)) < 300


def test_malformed_json_and_unhashable_annotations():
    """A body that is no JSON is told as such; metadata that cannot be hashed is no obstacle."""
    with pytest.raises(InvalidPayload, match="no JSON: "):
        validate(dict, b"{")
    odd = Annotated[int, Field(json_schema_extra={"a": []}), ["unhashable"]]
    assert validate(odd, b"3") == 3


def _event(body=b'{"id": 1}'):
    return Event(
        id="evt_1",
        source="shop",
        topic="orders/create",
        idempotency_key="k",
        ordering_key="o",
        version=None,
        received_at=0.0,
        headers=(),
        body=body,
        body_hash="",
    )


def _route(handler, payload=dict, *, wants_event=False):
    return Route(
        name="r",
        source="shop",
        topics=("*",),
        handler=handler,
        payload=payload,
        wants_event=wants_event,
        destination="odoo",
        hold=False,
    )


def _settled(route, event):
    settled = transform(route, event)
    assert isinstance(settled, Settled)
    return settled


ONE = Upsert("res.partner", ("customer", 1), {"name": "A"})


@pytest.mark.parametrize("returned", [ONE, [ONE], (ONE,)])
def test_one_command_or_a_list(returned):
    """A single command, a list and a tuple are the same."""
    assert transform(_route(lambda _order: returned), _event()) == Commands((ONE,))


def test_the_event_is_the_second_parameter():
    """A handler that asks for the event gets it."""
    seen: list[Any] = []
    transform(_route(lambda *both: seen.append(both), wants_event=True), _event())
    assert seen == [({"id": 1}, _event())]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "None (is a return missing?)"),
        ({"name": "A"}, "a dict"),
        ([ONE, "x"], "a str at [1]"),
        ("Upsert", "a str"),
    ],
)
def test_what_is_no_command_is_told(returned, words):
    """A dead letter says what came and what to write instead."""
    settled = _settled(_route(lambda _order: returned), _event())
    assert (settled.outcome, settled.code) == (Outcome.DEAD, "handler.no-command")
    assert words in settled.detail
    assert "return an Upsert" in settled.detail


def test_an_empty_list_is_nothing_to_do():
    """A list without commands settles the delivery as skipped."""
    settled = _settled(_route(lambda _order: []), _event())
    assert (settled.outcome, settled.code) == (Outcome.SKIPPED, "handler.skipped")


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (Skip("test order"), Settled(Outcome.SKIPPED, "handler.skipped", "test order")),
        (Reject("no VAT"), Settled(Outcome.DEAD, "handler.rejected", "no VAT")),
        (RetryLater(60, "soon"), Settled(Outcome.RETRY, "handler.retry-later", "soon", 60)),
    ],
)
def test_signals_decide(signal, expected):
    """What a handler raises to decide its delivery is obeyed."""

    def handler(_order):
        raise signal

    assert transform(_route(handler), _event()) == expected


def test_an_exception_keeps_its_traceback_from_the_handler_down():
    """A handler's error is a dead letter whose traceback shows the handler, not the engine."""

    def handler(order):
        return order["missing"]

    settled = _settled(_route(handler), _event())
    assert (settled.outcome, settled.code) == (Outcome.DEAD, "handler.failed")
    assert 'return order["missing"]' in settled.detail
    assert "KeyError: 'missing'" in settled.detail
    assert "run.py" not in settled.detail


WRONG: Any = "key"


def test_a_malformed_command_is_the_handlers():
    """A command that cannot be made is told as no command, with the line that made it."""
    settled = _settled(_route(lambda _order: Upsert("res.partner", WRONG)), _event())
    assert settled.code == "handler.no-command"
    assert "write (kind, id)" in settled.detail
    assert "test_validate.py" in settled.detail


def test_an_invalid_payload_never_reaches_the_handler():
    """A payload that does not validate is a dead letter with its errors."""
    settled = _settled(_route(lambda _order: 1 / 0, payload=Order), _event())
    assert (settled.outcome, settled.code) == (Outcome.DEAD, "payload.invalid")
    assert settled.detail.startswith("line_items: ")


def test_an_interrupt_passes():
    """Ctrl-C inside a handler is not swallowed."""

    def handler(_order):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transform(_route(handler), _event())


NO_JSON = [b"", b"{", b"a=1", b'{"a": NaN}', b'{"a": -Infinity}', b"\xff", b"[" * 999 + b"]" * 999]


@pytest.mark.parametrize("annotation", [dict, str, object])
@pytest.mark.parametrize("body", NO_JSON)
def test_a_body_that_is_no_json_runs_no_handler(body, annotation):
    """Whatever it is annotated with; NaN is none, though Pydantic would take it."""
    ran: list[Any] = []
    told = _settled(_route(ran.append, annotation), _event(body))
    assert (told.outcome, told.code, ran) == (Outcome.DEAD, "payload.not-json", [])
    assert told.detail


@pytest.mark.parametrize("body", [*NO_JSON, gzip.compress(b"{}")[:-1]])
def test_bytes_handlers_get_what_nobody_can_read(body):
    """As it was sent."""
    seen: list[Any] = []
    transform(_route(seen.append, bytes), _event(body))
    assert seen == [body]


@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("br", b"\x0b\x02\x80{}\x03", "payload.packed"),
        ("gzip", gzip.compress(b"{}")[:-1], "payload.packed"),
        ("gzip", b"a=1", "payload.not-json"),  # it was unpacked, and is text
    ],
)
def test_what_is_still_packed_says_so(encoding, body, code):
    """With the encoding that it came with."""
    event = replace(_event(body), headers=(("content-encoding", encoding),))
    told = _settled(_route(dict), event)
    assert told.code == code
    assert (encoding in told.detail) is (code == "payload.packed")


def test_a_text_may_say_nan():
    """Only a number may not be it."""
    assert validate(dict, b'{"a": "NaN", "b": "Infinity"}') == {"a": "NaN", "b": "Infinity"}
