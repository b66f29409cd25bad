"""What a command may hold, looked at when it is made. Pure."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from odoorway.errors import HandlerError

Nested = tuple[type, ...]  # the commands that may stand where a record is referred to
_SCALARS = (str, int, float, Decimal, bytes, date, UUID, Enum, type(None))


def check_written(path: str, values: object, nested: Nested) -> None:
    """Refuse values of a record that no field can hold.

    Raises:
        HandlerError: it names the place.
    """
    if not isinstance(values, Mapping):
        raise HandlerError(f"{path} are {_short(values)}; give a dict of field: value")
    with _bounded(path):
        for name, value in values.items():
            if not isinstance(name, str) or not name:
                raise HandlerError(f"{path} name a field {_short(name)}; a field's name is text")
            _check_value(f"{path}[{name!r}]", value, nested)


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


def is_scalar(value: object) -> bool:
    """Tell whether it is one plain value."""
    return isinstance(value, _SCALARS)


def json_ready(place: str, value: Any) -> Any:
    """Return *value* as what JSON has: a Decimal and a time as text, a model as its fields.

    Raises:
        HandlerError: Pydantic cannot make JSON of it, or JSON has no such number or text; it
            names the place.
    """
    with _bounded(place):
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
    with _bounded(place):
        return _arguments(place, value, nested)


def _arguments(place: str, value: Any, nested: Nested) -> Any:
    if _is_model(value):
        return _arguments(place, value.model_dump(), nested)
    match value:
        case Mapping():
            return {str(n): _arguments(f"{place}[{n!r}]", o, nested) for n, o in value.items()}
        case list() | tuple():
            return [_arguments(f"{place}[{n}]", o, nested) for n, o in enumerate(value)]
    plain = isinstance(value, (*_SCALARS, *nested))
    return value if plain else _json_ready(place, value)


@contextmanager
def _bounded(place: str) -> Iterator[None]:
    try:
        yield
    except RecursionError:
        text = f"{place} is nested too deep, or holds itself; give what is meant only"
        raise HandlerError(text) from None


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
