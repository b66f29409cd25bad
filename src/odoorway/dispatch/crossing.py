"""What a handler returned, as bytes that hold only values of known types. Pure.

A handler may return an object of any class. What crosses into the gateway are commands, builtins,
times, decimals and UUIDs: nothing of a stranger's own is looked at there.
"""

import io
import pickle
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from odoorway import commands
from odoorway.errors import OdoorwayError
from odoorway.model.delivery import Outcome
from odoorway.transform.run import Asks, Commands, Settled, Transformed

_KNOWN: Final = frozenset(
    {
        commands.Call, commands.Find, commands.Forward, commands.Update, commands.Upsert,
        Asks, Commands, Settled, Decimal, date, datetime, time, timedelta, timezone, UUID,
    }
)  # fmt: skip
_BUILTIN: Final[tuple[Any, ...]] = (bool, int, float, str, bytes, list, tuple, dict, set, frozenset)


class CannotCross(OdoorwayError):
    """A handler's commands hold a value of a type that cannot be written; the message names it."""


def pack(result: Transformed) -> bytes:
    """Return *result* as bytes.

    Raises:
        CannotCross: it holds what is neither plain nor known.
    """
    into = io.BytesIO()
    try:
        _Packer(into, pickle.HIGHEST_PROTOCOL).dump(result)
    except (CannotCross, MemoryError):
        raise
    except RecursionError:
        raise CannotCross("the commands are nested too deep, or hold themselves") from None
    except Exception as error:
        raise CannotCross(f"the commands cannot be read: {type(error).__name__}") from error
    return into.getvalue()


def unpack(packed: bytes) -> Transformed:
    """Return what was packed.

    Raises:
        ValueError: nobody packed this.
    """
    try:
        result = pickle.loads(packed)  # noqa: S301 - from a process of our own
    except Exception as error:
        raise ValueError(f"no result of a handler: {type(error).__name__}") from error
    match result:
        case Commands() | Settled() | Asks():
            return result
    raise ValueError(f"no result of a handler: {type(result).__name__}")


class _Packer(pickle.Pickler):
    """Writes known types as they are, and of others what they stand for."""

    def reducer_override(self, obj: Any) -> Any:
        """Return how *obj*, which is no builtin, is written."""
        kind = type(obj)
        if kind in _KNOWN or kind is Outcome or obj is commands.Empty or isinstance(obj, type):
            return NotImplemented
        if isinstance(obj, Enum):
            return _same, (obj.value,)
        if isinstance(obj, BaseModel):
            return _same, (obj.model_dump(),)
        for builtin in _BUILTIN:
            if isinstance(obj, builtin):
                return _same, (builtin(obj),)
        if isinstance(obj, Mapping):
            return _same, (dict(obj),)
        if obj is _same:
            return NotImplemented
        raise CannotCross(
            f"a value is a {kind.__module__}.{kind.__qualname__}, which cannot be written; give"
            " text, a number, a time, a list or a dict"
        )


def _same(value: Any) -> Any:
    return value
