"""Is what Odoo holds what the handler expects? Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from odoorway.commands import Empty
from odoorway.commands.empty import is_absent
from odoorway.deliver.odoo.values import Unwritable, cell, plain

_NUMBERS: Final = frozenset({"integer", "float", "monetary"})
_CENT: Final = Decimal("0.01")  # where a currency does not say how it rounds
_EXACT: Final = Decimal("0.000001")  # the step of a float field whose digits are not limited
_NOISE: Final = 9  # decimals of a float that count
_MOST: Final = 25  # digits before and behind the point; with more it is no figure of Odoo's


@dataclass(frozen=True, slots=True)
class Held:
    """What a field holds, as ``read`` answers it, with its kind."""

    value: Any
    kind: str
    step: Decimal | None = None  # the least difference that counts: a currency's rounding


def step_of(info: Mapping[str, Any], rounding: Any) -> Decimal | None:
    """Return the least difference that counts in a field that ``fields_get`` tells of."""
    match info:
        case {"type": "monetary"}:
            return _decimal(rounding) or _CENT
        case {"type": "float", "digits": [_, int(places)]} if 0 <= places < _MOST:
            return Decimal(1).scaleb(-places)
        case {"type": "float"}:
            return _EXACT
    return None


def broken(
    path: str, expected: Any, held: Held, tolerance: float | Decimal | None = None
) -> str | None:
    """Return both figures when *held* is not what is *expected*; None when it is.

    Numbers are equal within *tolerance*, by default when they differ by less than half of what
    the field or its currency rounds to.
    """
    if is_absent(expected) and not (expected is False and held.kind == "boolean"):
        return (
            f"{path} is {_shown(held.value, held)} in Odoo, and the payload has no value to"
            " compare it with"
        )
    if _is_equal(expected, held, tolerance):
        return None
    more = f" (give or take {tolerance})" if tolerance is not None else ""
    shown = _shown(expected, held)
    return f"{path} is {_shown(held.value, held)} in Odoo, and {shown} was expected{more}"


def _is_equal(expected: Any, held: Held, tolerance: float | Decimal | None) -> bool:
    if expected is Empty:
        return not held.value
    if held.kind in _NUMBERS:
        return _are_close(expected, held, tolerance)
    try:
        return _is_same(expected, held)
    except Unwritable:
        return False


def _is_same(expected: Any, held: Held) -> bool:
    """Compare with what writing *expected* would have left there."""
    match held:
        case Held(kind="boolean"):
            return plain(expected) in (True, False) and held.value is bool(expected)
        case Held(kind="many2one", value=[int(ident), str(name)]):
            is_id = isinstance(expected, int) and not isinstance(expected, bool)
            return bool(expected == ident) if is_id else cell(expected) == name
        case Held(kind="datetime" | "date"):
            return bool(_moment(expected, held.kind) == held.value)
        case Held(value=str(text)):
            return cell(expected) == text
    return bool(plain(expected) == held.value)


def _are_close(expected: Any, held: Held, tolerance: float | Decimal | None) -> bool:
    want, have = _decimal(expected), _decimal(held.value)
    if want is None or have is None:
        return False
    apart = abs(want - have)
    if tolerance is not None:
        return apart <= (_decimal(tolerance) or 0)
    return bool(apart < held.step / 2 if held.step else apart == 0)


def _decimal(number: Any) -> Decimal | None:
    """Return a number, or a text that is one, without what a float adds to it."""
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal | str):
        return None
    try:
        exact = Decimal(repr(round(number, _NOISE)) if isinstance(number, float) else number)
    except InvalidOperation:
        return None
    return exact if exact.is_finite() and -_MOST < exact.adjusted() < _MOST else None


def _moment(expected: Any, kind: str) -> Any:
    """Return a time as Odoo shows it: in UTC, and of a date its day."""
    if isinstance(expected, str):
        try:
            expected = datetime.fromisoformat(expected) if kind == "datetime" else expected[:10]
        except ValueError:
            return expected
    if kind == "date" and isinstance(expected, datetime):
        expected = expected.astimezone(UTC).date() if expected.tzinfo else expected.date()
    if kind == "datetime" and isinstance(expected, date) and not isinstance(expected, datetime):
        expected = datetime(expected.year, expected.month, expected.day)  # noqa: DTZ001 - Odoo's UTC
    return plain(expected)


def _shown(value: Any, held: Held) -> str:
    number = _decimal(value) if held.kind in _NUMBERS else None
    if number is not None:
        places = _places(held.step) if held.step else 0
        exact = number == round(number, places)
        return str(round(number, places)) if exact and held.step else f"{number.normalize():f}"
    match value:
        case [int(ident), str(name)]:
            return f"{name:.200} (id {ident})"
        case False if held.kind != "boolean":
            return "empty"
    return f"{value!s:.200}"


def _places(step: Decimal) -> int:
    """Return the decimals of what is a multiple of *step*."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
