"""How a handler's values are written for Odoo: as the text of a cell, or as JSON. Pure."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from odoorway.commands import Empty, Find
from odoorway.errors import OdoorwayError
from odoorway.transform.plan import DbId, Lines, Many, Ref


class Unwritable(OdoorwayError):
    """A value that no field of Odoo takes; the message names it and says what to give."""


def cell(value: Any) -> str:
    """Return a scalar as `load` reads it, exactly; None is the empty text, which clears.

    A number is written without exponent, an aware datetime in UTC, a naive one as it is: it is
    taken to be UTC.

    Raises:
        Unwritable: Odoo could not store it.
    """
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case Enum():
            return cell(_of_enum(value))
        case dict() | list() | tuple():
            return json.dumps(plain(value))
        case int() | float() | Decimal():
            return _digits(value)
    return str(plain(value))


def plain(value: Any, ids: Mapping[str, int] | None = None) -> Any:
    """Return *value* as JSON for ``write`` and other methods; None is False, which clears.

    *ids* are the database ids of the records it may refer to.

    Raises:
        Unwritable: Odoo could not store it, or it holds what only an Upsert can.
    """
    match value:
        case Enum():
            return plain(_of_enum(value), ids)
        case dict():
            return {_text(str(key)): plain(inner, ids) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner, ids) for inner in value]
        case Ref() | DbId() | Many() | Lines():
            return _related(value, ids or {})
    return _scalar(value)


def _of_enum(value: Enum) -> Any:
    return None if value is Empty else value.value


def _scalar(value: Any) -> str | int | float | bool:
    match value:
        case None | bool() | int():
            return False if value is None else value
        case float() | Decimal():
            return float(_digits(value))
        case datetime():
            return _utc(value).isoformat(sep=" ")
        case date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case str() | UUID():
            return _text(str(value))
    raise Unwritable(
        f"{type(value).__name__} {value!r:.60} cannot be written; give text or a number"
    )


def _related(value: Ref | DbId | Many | Lines, ids: Mapping[str, int]) -> Any:
    match value:
        case Ref(xid):
            return ids[xid]
        case DbId(ident):
            return ident
        case Many(members):
            return [[6, 0, [_related(one, ids) for one in members if not isinstance(one, Find)]]]
        case Lines(()):
            return []
    raise Unwritable("lines can be written by an Upsert of their parent only")


def _text(value: str) -> str:
    """Refuse what PostgreSQL cannot store, before it fails a whole batch."""
    if "\0" in value:
        raise Unwritable(f"the text {value!r:.60} holds a NUL character, which Odoo cannot store")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unwritable(f"the text {value!r:.60} is not valid Unicode") from error
    return value


def _digits(number: float | Decimal) -> str:
    if (isinstance(number, Decimal) and number.is_snan()) or not math.isfinite(number):
        raise Unwritable(f"{number} is no number that Odoo can store")
    exact = number if isinstance(number, Decimal | int) else Decimal(repr(number))
    return format(exact, "d" if isinstance(exact, int) else "f")


def _utc(value: datetime) -> datetime:
    try:
        return (value.astimezone(UTC) if value.tzinfo else value).replace(
            tzinfo=None, microsecond=0
        )
    except OverflowError as error:
        raise Unwritable(f"the time {value} is beyond the calendar in UTC") from error
