"""What a command may hold, looked at when it is made. Pure."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from odoorway.errors import HandlerError
from odoorway.outside import MAX_DEPTH

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")  # PostgreSQL knows no longer names
_AROUND = 20  # levels that a handler may put around a payload
_BITS, _EXP = 1_100, 330  # a float goes to 1e308
Nested = tuple[type, ...]  # the commands that may stand where a record is referred to
_SCALARS = (str, int, float, Decimal, bytes, date, UUID, Enum, type(None))


def check_written(path: str, values: object, nested: Nested) -> None:
    """Refuse values of a record that no field can hold.

    Raises:
        HandlerError: it names the place.
    """
    if not isinstance(values, Mapping):
        raise HandlerError(f"{path} are {_short(values)}; give a dict of field: value")
    with _bounded(path, values):
        for name, value in values.items():
            check_field(path, name)
            if name == "id":  # `load` would write another record
                raise HandlerError(f"{path} name the field 'id'; the record is known otherwise")
            _check_value(f"{path}[{name!r}]", value, nested)


def check_field(path: str, name: object) -> None:
    """Refuse what no field is called: a path to one would be read as something else.

    Raises:
        HandlerError: it names the place.
    """
    if not isinstance(name, str) or not _FIELD.fullmatch(name):
        raise HandlerError(
            f"{path} name a field {_short(name)}; a field is called like 'partner_id'. To write a"
            " field of another record, give that record as an Upsert"
        )


def check_text(place: str, text: str) -> None:
    """Refuse half a character, which nobody can send.

    Raises:
        HandlerError: it names the place.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise HandlerError(f"{place} is {text!r:.60}, which is no text: {error.reason}") from None


def check_searched(place: str, value: object, nested: Nested) -> None:
    """Refuse what Odoo cannot look for, in a domain as well.

    Raises:
        HandlerError: it names the place.
    """
    if isinstance(value, nested):
        raise HandlerError(
            f"{place} is a {type(value).__name__}: a find looks for plain values. Look further in"
            " its domain=, like [('partner_id.email', '=', mail)], or make the other record an"
            " Upsert of its own and refer to that"
        )
    if not is_scalar(value):
        raise HandlerError(f"{place} is {_short(value)}; give text, a number or a time")
    check_number(place, value)


def is_scalar(value: object) -> bool:
    """Tell whether it is one plain value."""
    return isinstance(value, _SCALARS)


def json_ready(place: str, value: Any) -> Any:
    """Return *value* as what JSON has: a Decimal and a time as text, a model as its fields.

    Raises:
        HandlerError: Pydantic cannot make JSON of it, or JSON has no such number or text; it
            names the place.
    """
    with _bounded(place, value):
        return _json_ready(place, value)


def _json_ready(place: str, value: Any) -> Any:
    try:
        from pydantic_core import to_jsonable_python  # noqa: PLC0415 - hooks.py may need none

        ready = to_jsonable_python(value)
        json.dumps(ready, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError) as error:
        for name, inner in _inside(value):
            _json_ready(f"{place}[{name!r}]", inner)
        raise HandlerError(
            f"{place} is {_short(value)}, which cannot be written as JSON ({error!s:.200}); give"
            " text, a number, a time, a list, a dict or a Pydantic model"
        ) from None
    return ready


def arguments(place: str, value: Any, nested: Nested) -> Any:
    """Return a method's arguments with what Odoo takes no otherwise as JSON.

    Numbers, times and bytes stay, and are written as Odoo reads them; commands stay, wherever
    they stand.

    Raises:
        HandlerError: JSON cannot be made of it; it names the place.
    """
    with _bounded(place, value):
        return _arguments(place, value, nested)


def _arguments(place: str, value: Any, nested: Nested) -> Any:
    if _is_model(value):
        return _arguments(place, value.model_dump(), nested)
    match value:
        case Mapping():
            return {str(n): _arguments(f"{place}[{n!r}]", o, nested) for n, o in value.items()}
        case list() | tuple():
            return [_arguments(f"{place}[{n}]", o, nested) for n, o in enumerate(value)]
    check_number(place, value)
    plain = isinstance(value, (*_SCALARS, *nested))
    return value if plain else _json_ready(place, value)


@contextmanager
def _bounded(place: str, value: object) -> Iterator[None]:
    text = f"{place} is nested too deep, or holds itself; give what is meant only"
    if not _within(value):
        raise HandlerError(text)
    try:
        yield
    except RecursionError:  # in a stranger's own types
        raise HandlerError(text) from None


def _within(value: object) -> bool:
    """Tell whether it is nested as deep as a payload may be, and a little more."""
    level = {id(value): value}
    for _ in range(MAX_DEPTH + _AROUND):
        level = {id(one): one for outer in level.values() for _, one in _inside(outer)}
        if not level:
            return True
    return False


def check_number(place: str, value: object) -> None:
    """Refuse a number that would take megabytes to write.

    Raises:
        HandlerError: it names the place.
    """
    large = isinstance(value, int) and value.bit_length() > _BITS
    if large or (isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) > _EXP):
        raise HandlerError(f"{place} is a number of too many digits, which no field holds")


def _check_value(place: str, value: Any, nested: Nested) -> None:
    if isinstance(value, list | tuple) and any(isinstance(one, nested) for one in value):
        _check_members(place, value, nested)
    elif not isinstance(value, nested):
        _check_plain(place, value, nested)


def _check_members(place: str, members: Sequence[Any], nested: Nested) -> None:
    for number, one in enumerate(members):
        if not isinstance(one, (*nested, int)):
            raise HandlerError(
                f"{place}[{number}] is {_short(one)} among records; give Upsert, find(...) or"
                " database ids only"
            )
        check_number(f"{place}[{number}]", one)


def _check_plain(place: str, value: object, nested: Nested) -> None:
    if isinstance(value, nested):
        raise HandlerError(
            f"{place} is a {type(value).__name__} inside other values; a record stands in a field"
            " of its own, or in a list of records"
        )
    if isinstance(value, Mapping | list | tuple):
        for name, inner in _inside(value):
            _check_plain(f"{place}[{name!r}]", inner, nested)
    elif not is_scalar(value) and not _is_model(value):
        raise HandlerError(
            f"{place} is {_short(value)}, which no field holds; give text, a number, a time, an"
            " Upsert, find(...) or a list of those"
        )
    else:
        check_number(place, value)


def _inside(value: object) -> Iterable[tuple[Any, Any]]:
    match value:
        case Mapping():
            return value.items()
        case list() | tuple():
            return enumerate(value)
    return ()


def _is_model(value: object) -> bool:
    """Tell whether it is a Pydantic model; where Pydantic was never imported, nothing is."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def _short(value: object) -> str:
    """Return a value and its type for a message, whatever its repr does."""
    try:
        return f"{type(value).__name__} {value!r:.60}"
    except Exception:  # noqa: BLE001 - a stranger's repr
        return f"a {type(value).__name__}"
