"""A body as JSON, and the text that stands at a path in it. Pure."""

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson

from odoorway.outside import Unreadable

_UNSET: Final = object()
_DIGITS: Final = 10  # no list has an index with more
_SHOWN: Final = 40  # characters of a key
_SHOWN_KEYS: Final = 10


class Document:
    """A parsed body. Numbers come back as they are written, however long they are."""

    __slots__ = ("_body", "_exact", "value")

    def __init__(self, body: bytes) -> None:
        """Parse *body*.

        Raises:
            Unreadable: it is not JSON in UTF-8, or nested too deep.
        """
        self._body = body
        self._exact: Any = _UNSET
        try:
            self.value: Any = orjson.loads(body)
        except ValueError as error:
            self.value = self._exact = _exactly(body, why=str(error))

    def text(self, steps: Sequence[str]) -> str | None:
        """Return the text or number at *steps*, keys of objects and indexes of lists; else None."""
        found = _walk(self.value, steps)
        if isinstance(found, str):
            return found
        if isinstance(found, float):  # also an integer over 64 bits, rounded
            return str(_walk(self._as_written(), steps))
        return str(found) if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def shape(self) -> str:
        """What kind of value the body is, for people."""
        match self.value:
            case dict():
                keys = ", ".join(str(key)[:_SHOWN] for key in [*self.value][:_SHOWN_KEYS])
                more = ", …" if len(self.value) > _SHOWN_KEYS else ""
                return f"an object with {keys}{more}" if keys else "an empty object"
            case list():
                return f"an array of {len(self.value)}"
            case str():
                return "a text"
            case None:
                return "null"
        return "a number or a boolean"

    def _as_written(self) -> Any:
        if self._exact is _UNSET:
            self._exact = _exactly(self._body, why="")
        return self._exact


def _walk(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else _element(value, step)
    return value


def _element(value: Any, step: str) -> Any:
    if not isinstance(value, list) or not (step.isascii() and step.isdigit()):
        return None
    return value[int(step)] if len(step) < _DIGITS and int(step) < len(value) else None


def _exactly(body: bytes, *, why: str) -> Any:
    """Return *body* parsed with its numbers as text: slower, and as long as they are."""
    try:
        return json.loads(
            body.decode(), parse_float=str, parse_int=str, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(why or str(error)) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
