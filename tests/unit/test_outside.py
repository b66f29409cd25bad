"""What strangers send becomes values within bounds, or a clear error: never a bug behind."""

import ast
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import odoorway
from odoorway.outside import (
    Unreadable,
    printable,
    read_exactly,
    read_headers,
    read_json,
    readable,
    storable,
)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)
ANY_TEXT = st.text(st.characters())  # half characters and NUL among them


@given(VALUES)
def test_what_was_written_is_read(value: Any) -> None:
    """As any reader of JSON would."""
    assert read_json(json.dumps(value).encode()) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_unreadable(body: bytes) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(Unreadable):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" * 200_000, "no JSON"),
        (b"[" * 300 + b"]" * 300, "deeper than 100"),
        (b'{"a": ' * 101 + b"1" + b"}" * 101, "deeper than 100"),
        (b"[" + b"[]," * 1_000_000 + b"[]]", "more than 500000 values"),
        (b"", "no JSON"),
        (b'"\xff"', "no JSON"),
        (b"NaN", "no JSON"),
    ],
)
def test_what_is_too_deep_or_too_much_says_so(body: bytes, why: str) -> None:
    """Before anything recursive meets it."""
    with pytest.raises(Unreadable, match=why):
        read_json(body)


def test_a_hundred_deep_is_fine() -> None:
    """More than any platform sends."""
    value = read_json(b"[" * 100 + b"]" * 100)
    assert json.dumps(value) == "[" * 100 + "]" * 100


@given(ANY_TEXT)
@example("\\\ud800\\\0")
@example("\ud83d\ude00\ude00")
def test_what_no_store_takes_is_written_out(text: str) -> None:
    """NUL and half a character, wherever they stand; all readers of it read the same."""
    body = json.dumps({text: [text]}).encode()
    wanted = storable(json.loads(json.dumps(text)))
    assert read_json(body) == read_exactly(body) == json.loads(readable(body)) == {wanted: [wanted]}
    assert "\0" not in wanted
    wanted.encode()


def test_a_clean_body_is_read_as_it_came() -> None:
    body = b'{"name": "caf\\u00e9 \\ud83d\\ude00 \\\\u0000"}'
    assert readable(body) == body
    assert read_json(body) == {"name": "café 😀 \\u0000"}


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 2_000_000 + b"," * 600_000,
        b'"' * 5_000_000,
        b'"' + b"\\" * 4_000_000 + b"," * 600_000,
        b'"' + b"\\ud800" * 800_000 + b'"',
        b"[" * 5_000_000,
    ],
)
def test_reading_is_linear(body: bytes) -> None:
    """Were it not, these would not end."""
    with contextlib.suppress(Unreadable):
        read_json(body)


def test_commas_in_a_text_are_no_values() -> None:
    text = "{[," * 500_000
    assert read_json(json.dumps(text).encode()) == text


def test_numbers_are_exact_where_they_are_shown() -> None:
    body = b"[123456789012345678901234567890, 1.10, 1e400]"
    with pytest.raises(Unreadable, match="no JSON"):
        read_exactly(body)
    assert read_exactly(body[:-8] + b"]") == [123456789012345678901234567890, 1.1]
    assert read_exactly(body, as_written=True)[1:] == ["1.10", "1e400"]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([(b"x", b"y")] * 201, "201 headers"),
        ([(b"x" * 257, b"y")], "name has 257"),
        ([(b"x", b"y" * 40_000)] * 2, "80002 bytes"),
    ],
)
def test_headers_are_bounded(headers: list[tuple[bytes, bytes]], why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_headers(headers)


@given(ANY_TEXT)
def test_what_is_printed_obeys_nobody(text: str) -> None:
    """No control, no half character, no mark of direction, no end of a line."""
    told = printable(text)
    assert len(told.splitlines()) <= 1
    assert not set(map(ord, told)) & {*range(32), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200F}
    told.encode()


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert printable("a\n\tb\r\x1b\u202e", keep="\n") == r"a" "\n" r"\tb\r\x1b\u202e"


SOURCE = Path(odoorway.__file__).parent
# Who else parses: it is given what outside.py has read, and what it makes are a handler's types.
PARSERS = {("transform/validate.py", "validate_json")}
FORBIDDEN = {"JSONDecoder", "raw_decode", "from_json", "validate_json", "model_validate_json"}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.name))
def test_nothing_is_parsed_elsewhere(path: Path) -> None:
    """JSON of anybody, an answer's too, and headers become values in one module."""
    name = str(path.relative_to(SOURCE))
    if name == "outside.py":
        return
    found = {one for one in _parsed(ast.parse(path.read_text())) if (name, one) not in PARSERS}
    assert not found


def _parsed(tree: ast.AST) -> Iterator[str]:
    """Yield the names by which something of a stranger's is parsed."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(owner), attr="loads" | "load" as name) if owner in {
                "json",
                "orjson",
            }:
                yield f"{owner}.{name}"
            case ast.Attribute(attr=name) if name in FORBIDDEN:
                yield name
            case ast.Call(func=ast.Attribute(attr="json"), args=[]):
                yield ".json()"
            case ast.ImportFrom(module="json" | "orjson"):
                yield f"from {node.module} import"
            case ast.Call(func=ast.Attribute(attr="decode"), args=[ast.Constant(coding)]) if (
                str(coding).lower().replace("-", "").startswith(("latin", "iso8859"))
            ):
                yield "headers"
