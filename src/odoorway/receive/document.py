"""A body as JSON, and the text that stands at a path in it. Pure."""

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson

_UNSET: Final = object()


class Unreadable(ValueError):
    """The body is not JSON; the text says where it ends to be."""


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
        if isinstance(found, float):  # also an integer over 64 bits, rounded
            found = _walk(self._as_written(), steps)
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            return None
        return str(found)

    def _as_written(self) -> Any:
        if self._exact is _UNSET:
            self._exact = _exactly(self._body, why="")
        return self._exact


def _walk(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        match value:
            case dict():
                value = value.get(step)
            case list() if step.isascii() and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            case _:
                return None
    return value


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
