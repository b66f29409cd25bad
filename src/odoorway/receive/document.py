"""A body as JSON, and the text that stands at a path in it. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from odoorway.outside import Unreadable, read_exactly, read_json

_UNSET: Final = object()
_DIGITS: Final = 10  # no list has an index with more
_LONG: Final = 1 << 64
_SHOWN: Final = 40  # characters of a key
_SHOWN_KEYS: Final = 10


class Document:
    """A parsed body. Numbers come back as they are written, however long they are."""

    __slots__ = ("_body", "_written", "value")

    def __init__(self, body: bytes) -> None:
        """Parse *body*.

        Raises:
            Unreadable: it is not JSON in UTF-8, or nested too deep.
        """
        self._body = body
        self._written: Any = _UNSET
        try:
            self.value: Any = read_json(body)
        except Unreadable as error:  # perhaps a number that is larger than any
            self.value = self._written = _as_written(body, error)

    def text(self, steps: Sequence[str]) -> str | None:
        """Return the text or number at *steps*, keys of objects and indexes of lists; else None."""
        found = _walk(self.value, steps)
        if isinstance(found, str):
            return found
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        if isinstance(found, float) or abs(found) >= _LONG:  # rounded, or too long for Python
            return str(_walk(self._as_written(), steps))
        return str(found)

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
        if self._written is _UNSET:
            self._written = read_exactly(self._body, as_written=True)
        return self._written


def _as_written(body: bytes, why: Unreadable) -> Any:
    try:
        return read_exactly(body, as_written=True)
    except Unreadable:
        raise why from None


def _walk(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else _element(value, step)
    return value


def _element(value: Any, step: str) -> Any:
    if not isinstance(value, list) or not (step.isascii() and step.isdigit()):
        return None
    return value[int(step)] if len(step) < _DIGITS and int(step) < len(value) else None
