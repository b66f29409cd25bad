"""Is what Odoo holds what the handler expects? Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from odoorway.commands import Empty
from odoorway.commands.empty import is_absent
from odoorway.deliver.odoo.values import plain

_NUMBERS: Final = frozenset({"integer", "float", "monetary"})
_EXACT: Final = Decimal("0.000001")  # the step of a float field whose digits are not limited
_NOISE: Final = 9  # decimals of a float that count


@dataclass(frozen=True, slots=True)
class Held:
    """What a field holds, as ``read`` answers it, with its kind."""

    value: Any
    kind: str
    step: Decimal | None = None  # the least difference that counts: a currency's rounding


def step_of(info: Mapping[str, Any], rounding: Any) -> Decimal | None:
    """Return the least difference that counts in a field that ``fields_get`` tells of."""
    if info.get("type") == "monetary":
        return _decimal(rounding) or Decimal("0.01")
    digits = info.get("digits")
    if info.get("type") == "float":
        return Decimal(1).scaleb(-int(digits[1])) if digits else _EXACT
    return None


def broken(
    path: str, expected: Any, held: Held, tolerance: float | Decimal | None = None
) -> str | None:
    """Return both figures when *held* is not what is *expected*; None when it is.

    Numbers are equal within *tolerance*, by default when they round to the same.
    """
    if expected is not False and is_absent(expected):
        told = _shown(held.value, held)
        return f"{path} is {told} in Odoo, and the payload has no value to compare it with"
    if _is_equal(expected, held, tolerance):
        return None
    more = f" (give or take {tolerance})" if tolerance is not None else ""
    shown = _shown(expected, held)
    return f"{path} is {_shown(held.value, held)} in Odoo, and {shown} was expected{more}"


def _is_equal(expected: Any, held: Held, tolerance: float | Decimal | None) -> bool:
    if expected is Empty:
        return not held.value
    match held:
        case Held(kind=kind) if kind in _NUMBERS:
            return _are_close(expected, held, tolerance)
        case Held(value=[int(ident), str(name)], kind="many2one"):
            return bool(plain(expected) == (ident if isinstance(expected, int) else name))
        case Held(value=str(text), kind="datetime") if isinstance(expected, str):
            return _moment(expected) == text
    return bool(plain(expected) == held.value)


def _are_close(expected: Any, held: Held, tolerance: float | Decimal | None) -> bool:
    want, have = _decimal(expected), _decimal(held.value)
    if want is None or have is None:
        return False
    apart = abs(want - have)
    if tolerance is not None:
        return bool(apart <= (_decimal(tolerance) or 0))
    return bool(apart < held.step / 2 if held.step else apart == 0)


def _decimal(number: Any) -> Decimal | None:
    """Return a number, or a text that is one, without what a float adds to it."""
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal | str):
        return None
    try:
        exact = Decimal(repr(round(number, _NOISE)) if isinstance(number, float) else number)
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None


def _moment(text: str) -> Any:
    try:
        return plain(datetime.fromisoformat(text))
    except ValueError:
        return text


def _shown(value: Any, held: Held) -> str:
    number = _decimal(value) if held.kind in _NUMBERS else None
    if number is not None and held.step and number == round(number, -_exponent(held.step)):
        return str(round(number, -_exponent(held.step)))
    if number is not None:
        return str(number)
    match value:
        case [int(ident), str(name)]:
            return f"{name} (id {ident})"
        case False if held.kind != "boolean":
            return "empty"
    return f"{value!s:.200}"


def _exponent(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
