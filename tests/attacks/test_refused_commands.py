"""What a handler computed and nobody can send or store is refused where it makes the command."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from odoorway import Call, Forward, Update, Upsert, find
from odoorway.errors import HandlerError


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": [value]}
    return value


def endless() -> Any:
    """A list that holds itself, twice."""
    value: list[Any] = []
    value += [value, value]
    return value


ONE = find("res.partner", name="x")
REFUSED: dict[str, Callable[[], object]] = {
    "a host that is none": lambda: Forward("http://[::1/hook"),
    "a port that is none": lambda: Forward("http://x:99999/hook"),
    "a label too long": lambda: Forward(f"http://{'x' * 70}.example/hook"),
    "a host with a blank": lambda: Forward("http://a b/hook"),
    "a host behind a backslash": lambda: Forward("http://x\\@y/hook"),
    "half a character": lambda: Forward("http://\ud800/hook"),
    "an empty label": lambda: Forward("http://a..b/hook"),
    "a path with NUL": lambda: Forward("/order/a\0 \r\n HTTP/1.1"),
    "a path up": lambda: Forward("/order/../../web/session"),
    "a path up, written": lambda: Forward("https://x.example/a/%2E%2e/b?c"),
    "a path without end": lambda: Forward("/" + "x" * 9_000),
    "a path with a mark of direction": lambda: Forward("/order/\u202e"),
    "an end of a line": lambda: Forward("/x", headers={"X-A": "Ada\rLovelace"}),
    "a header with NUL": lambda: Forward("/x", headers={"X-A": "\0"}),
    "a header of half a character": lambda: Forward("/x", headers={"X-A": "\ud800"}),
    "a header without end": lambda: Forward("/x", headers={"X-A": "x" * 100_000}),
    "headers without end": lambda: Forward("/x", headers={f"X-{n}": "" for n in range(100)}),
    "a framing header": lambda: Forward("/x", headers={"Content-Length": "1"}),
    "a header that is a number": lambda: Forward("/x", headers={"X-A": 1}),  # type: ignore[dict-item]  # as a handler may
    "a text of half a character": lambda: Forward("/x", "\ud800"),
    "a body of half a character": lambda: Forward("/x", {"a": "\ud800"}),
    "a body too deep": lambda: Forward("/x", nested(70)),
    "a body in itself": lambda: Forward("/x", endless()),
    "values too deep": lambda: Upsert("res.partner", ("c", 1), {"name": nested(70)}),
    "values in themselves": lambda: Upsert("res.partner", ("c", 1), {"name": endless()}),
    "the field id": lambda: Upsert("res.partner", ("c", 1), {"id": "base.main_partner"}),
    "a dotted field": lambda: Upsert("res.partner", ("c", 1), {"parent_id.name": "x"}),
    "a slashed field": lambda: Update("res.partner", ONE, {"parent_id/.id": 1}),
    "a field without end": lambda: Upsert("res.partner", ("c", 1), {"x" * 64: 1}),
    "an endless number": lambda: Upsert("res.partner", ("c", 1), {"color": 10**5000}),
    "an endless decimal": lambda: Upsert("res.partner", ("c", 1), {"x": Decimal("1e999999999")}),
    "an endless number among records": lambda: Upsert(
        "res.partner", ("c", 1), {"category_id": [ONE, 10**5000]}
    ),
    "an endless number looked for": lambda: find("res.partner", color=10**5000),
    "an endless number in a domain": lambda: find("res.partner", domain=[("x", "=", 10**5000)]),
    "an endless number as argument": lambda: Call(
        "res.partner", "go", ONE, {"n": [10**5000]}, {"state": ["done"]}
    ),
    "an endless id": lambda: Upsert("res.partner", ("c", "x" * 2_000)),
    "an endless id of numbers": lambda: Upsert("res.partner", ("c", 10**5000)),
    "an id of many other letters": lambda: Upsert("res.partner", ("c", "é" * 300)),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_its_place(make: Callable[[], object]) -> None:
    """In a line that anybody may print."""
    with pytest.raises(HandlerError) as refused:
        make()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 700


@pytest.mark.parametrize(
    "make",
    [
        lambda: Forward("/a b/ü?x=../y#z", {"v": nested(55)}),
        lambda: Forward("https://user:pw@münchen.example:8443/x", "é 😀"),
        lambda: Forward("http://[::1]:80/x", b"\xff\0", {"X-A": "Straße\t1", "Authorization": "x"}),
        lambda: Upsert("res.partner", ("c", "é" * 100), {"x_A1": 2**64, "f": Decimal("1e300")}),
        lambda: find("res.partner", id=7),
    ],
)  # fmt: skip
def test_what_can_be_sent_is_not(make: Callable[[], object]) -> None:
    """What platforms and people have."""
    make()
