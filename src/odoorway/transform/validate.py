"""Check a body against a handler's annotation, and say every error with its path."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from odoorway.errors import OdoorwayError
from odoorway.outside import Unreadable, readable

_MAX_LINES = 20
_MAX_VALUE = 60


class InvalidPayload(OdoorwayError):
    """The body is not what the annotation says; the text has one line an error, bounded."""

    code = "payload.invalid"


class UnreadablePayload(InvalidPayload):
    """The body is nothing that a handler could read."""

    def __init__(self, code: str, detail: str) -> None:
        """Be that diagnosis."""
        super().__init__(detail)
        self.code = code


def validate(payload_type: Any, body: bytes, encoding: str | None = None) -> Any:
    """Return *body* as the type a handler asks for; ``bytes`` gets it unchanged.

    *encoding* is the Content-Encoding that it came with.

    Raises:
        InvalidPayload: it does not validate; the message names each path and what it should be.
        UnreadablePayload: it is no JSON.
    """
    if payload_type is bytes:
        return body
    try:
        clean = readable(body)
    except Unreadable as error:
        raise _unreadable(body, str(error), encoding) from None
    try:
        return _adapter(payload_type).validate_json(clean)  # a strict model takes a time as text
    except ValidationError as error:
        raise InvalidPayload("\n".join(_lines(error))) from error


def _unreadable(body: bytes, detail: str, encoding: str | None) -> UnreadablePayload:
    if encoding and not _is_text(body):
        return UnreadablePayload("payload.packed", f"content-encoding {encoding}: {detail}")
    return UnreadablePayload("payload.not-json", detail)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _adapter(payload_type: Any) -> TypeAdapter[Any]:
    try:
        return _cached(payload_type)
    except TypeError:  # an annotation whose metadata cannot be hashed
        return TypeAdapter(payload_type)


@functools.cache
def _cached(payload_type: Any) -> TypeAdapter[Any]:
    return TypeAdapter(payload_type)


def _lines(error: ValidationError) -> Iterable[str]:
    errors = error.errors(include_url=False, include_context=False)
    shown = errors if len(errors) <= _MAX_LINES else errors[: _MAX_LINES - 1]
    for one in shown:
        yield f"{_path(one['loc'])}: {_short(one['msg'], 200)}{_given(one)}"
    if len(shown) < len(errors):
        yield f"… and {len(errors) - len(shown)} more errors"


def _path(location: Sequence[int | str]) -> str:
    """Return ``line_items[0].price``; the payload as a whole is ``payload``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return _short(text.removeprefix("."), 200) or "payload"


def _given(error: Any) -> str:
    """Say what stood there, unless the message says it or it is too large to help."""
    if error["type"] in ("missing", "json_invalid"):
        return ""
    value = error["input"]
    if isinstance(value, dict | list):
        return f" (got {type(value).__name__} of {len(value)})"
    return f" (got {_short(repr(value), _MAX_VALUE)})"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
