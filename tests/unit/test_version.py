"""Which of two versions is the older one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoorway.model.version import is_older


@pytest.mark.parametrize(
    ("version", "than", "older"),
    [
        ("9", "10", True),
        ("10", "9", False),
        ("1.5", "1.50", False),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z", True),  # 8 o'clock before 9
        ("2026-01-01T09:00:00Z", "2026-01-01T10:00:00+02:00", False),
        ("2026-01-01T09:00:00", "2026-01-01T09:00:00.5Z", True),
        ("a", "b", False),
        ("1", "2026-01-01T09:00:00Z", False),
        ("NaN", "5", False),
        ("", "5", False),
    ],
)
def test_older_is_only_what_certainly_is(version: str, than: str, older: bool) -> None:
    """Numbers as numbers, times as instants, and nothing else."""
    assert is_older(version, than) is older


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_have_an_answer_and_never_both(one: str, other: str) -> None:
    """A platform writes what it likes."""
    assert not (is_older(one, other) and is_older(other, one))
    assert not is_older(one, one)


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_times_compare_as_instants(one: object, other: object) -> None:
    """Whatever their zones."""
    from datetime import UTC, datetime

    assert isinstance(one, datetime)
    assert isinstance(other, datetime)
    try:
        wanted = one.astimezone(UTC) < other.astimezone(UTC)
    except OverflowError:
        return
    if "." not in str(one.utcoffset()) + str(other.utcoffset()):
        assert is_older(one.isoformat(), other.isoformat()) is wanted
