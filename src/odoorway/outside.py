r"""Where bytes and text of strangers become values: bounded in depth, number and size, or refused.

Pure. What lies behind it meets no JSON too deep to walk through, no text that a store or Odoo
cannot take, and prints nothing that a terminal obeys. Bytes that are kept stay as they came.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 100  # lists and objects inside each other
MAX_VALUES: Final = 500_000  # an answer of Odoo to the largest question has a tenth of that
MAX_HEADERS: Final = 200
MAX_HEADER_NAME: Final = 256  # bytes
MAX_HEAD: Final = 64 << 10  # bytes of all names and values
# The backslash of half a surrogate pair: a first half without its second, or the other way round.
_HALF: Final = re.compile(
    rb"\\(?=u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\(?=u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # or what never ends
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
# Controls, marks that turn the direction of what follows, other ends of lines, half characters.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


_CONTAINERS: Final = frozenset({dict, list})  # what parsers make, and nothing else


class Unreadable(ValueError):
    """Nothing that anybody needs: no JSON, or too much; the message says why."""


def read_json(body: bytes | str, *, depth: int = MAX_DEPTH, values: int = MAX_VALUES) -> Any:
    r"""Return the value that *body* is the JSON of; its numbers are as near as 64 bits come.

    It takes a few times the size of *body*, and is nested at most *depth* deep, so that nothing
    that walks through it has to be careful. NUL and half a character in its texts are written
    out, as ``\u0000``.

    Raises:
        Unreadable: it is no JSON in UTF-8, is nested deeper, or holds more than that many values.
    """
    clean = _clean(_bytes(body), values)
    try:
        value = orjson.loads(clean)
    except orjson.JSONDecodeError as error:
        return _bounded(_parsed(clean, str(error)), depth)  # a number may be too large for it
    shallow = clean.count(b"[") + clean.count(b"{") <= depth
    return value if shallow else _bounded(value, depth)


def read_exactly(body: bytes | str, *, as_written: bool = False, values: int = MAX_VALUES) -> Any:
    """Return the same value with its integers exact, or *as_written*: each number as its text.

    Raises:
        Unreadable: as ``read_json`` does.
    """
    clean = _clean(_bytes(body), values)
    return _bounded(_parsed(clean, as_written=as_written), MAX_DEPTH)


def readable(body: bytes) -> bytes:
    """Return *body* itself, or with the texts cleaned, for whoever parses it anew: the same value.

    Raises:
        Unreadable: as ``read_json`` does.
    """
    read_json(body)
    return _clean(body, MAX_VALUES)


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return the headers of a request as text.

    Raises:
        Unreadable: there are too many, or they are too long; it says which.
    """
    told = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])
    if len(told) > MAX_HEADERS:
        raise Unreadable(f"{len(told)} headers; {MAX_HEADERS} may be")
    size = 0
    for name, value in told:
        size += len(name) + len(value)
        if len(name) > MAX_HEADER_NAME:
            raise Unreadable(f"a header's name has {len(name)} bytes; {MAX_HEADER_NAME} may be")
    if size > MAX_HEAD:
        raise Unreadable(f"the headers have {size} bytes; {MAX_HEAD} may be")
    return told


def read_host(raw: bytes) -> str:
    """Return a ``Host`` header's name, without its port; nothing of one that is too long."""
    return "[::1]" if b"]" in raw else raw[:MAX_HEADER_NAME].decode("latin-1").rsplit(":", 1)[0]


def storable(text: str) -> str:
    r"""Return *text* with NUL and lone surrogates written out, as ``\udc80``.

    No store takes both, and UTF-8 has no lone surrogate. Written out, two keys that differ stay
    different.
    """
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def printable(text: str, *, keep: str = "") -> str:
    r"""Return *text* with what a terminal or a log's reader obeys written out, as ``\x1b``.

    Controls, marks of direction, and ends of lines but for those in *keep*.
    """
    return _UNPRINTABLE.sub(lambda found: _written(found[0], keep), text)


def _written(one: str, keep: str) -> str:
    if one in keep:
        return one
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(one)
    code = ord(one)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")  # noqa: PLR2004


def _bytes(body: bytes | str) -> bytes:
    return body if isinstance(body, bytes) else storable(body).encode()


def _clean(body: bytes, values: int) -> bytes:
    """Return JSON that says what cannot be stored as text that says what it was."""
    if len(body) > values < _separators(body) and _separators(_STRING.sub(b"", body)) > values:
        raise Unreadable(f"JSON of more than {values} values")
    if b"\\" in body and (b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body):
        return _escaped(body)
    return body


def _escaped(body: bytes) -> bytes:
    """Return JSON with the escapes of NUL and of half characters escaped themselves.

    A NUL byte, which no JSON has, stands for an escaped backslash meanwhile.
    """
    if b"\0" in body:
        return body
    paired = body.replace(rb"\\", b"\0")
    halves = _HALF.sub(b"\0", paired.replace(rb"\u0000", b"\0u0000"))
    return halves.replace(b"\0", rb"\\")


def _separators(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def _parsed(body: bytes, why: str = "", *, as_written: bool = False) -> Any:
    """Parse as Python does: slower, and with any number."""
    try:
        return json.loads(
            body.decode(),
            parse_int=str if as_written else None,
            parse_float=str if as_written else _finite,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {why or error}") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is larger than any number here")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _bounded(value: Any, depth: int) -> Any:
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _CONTAINERS
        ]
        if not level:
            return value
    raise Unreadable(f"JSON nested deeper than {depth}")
