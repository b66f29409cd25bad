"""What strangers send becomes values within bounds, or a clear error: never a bug behind."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoorway.outside import Unreadable, read_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


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
