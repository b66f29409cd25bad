"""Where bytes of strangers become values: bounded in depth, number and size, or refused. Pure."""

from collections.abc import Iterable
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 100  # lists and objects inside each other
MAX_VALUES: Final = 500_000  # an answer of Odoo to the largest question has a tenth of that


class Unreadable(ValueError):
    """No JSON, or none that anybody needs; the message says why."""


def read_json(body: bytes, *, depth: int = MAX_DEPTH, values: int = MAX_VALUES) -> Any:
    """Return the value that *body* is the JSON of.

    It takes a few times the size of *body*, and is nested at most *depth* deep, so that nothing
    that walks through it has to be careful.

    Raises:
        Unreadable: it is no JSON, is nested deeper, or holds more than that many values.
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") > values:
        raise Unreadable(f"JSON of more than {values} values")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"no JSON: {error}") from None
    if not _within(value, depth):
        raise Unreadable(f"JSON nested deeper than {depth}")
    return value


def _within(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [inner for one in level for inner in _containers(one)]
        if not level:
            return True
    return False


def _containers(value: Any) -> Iterable[Any]:
    inside: Iterable[Any] = ()
    if isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, list):
        inside = value
    return (one for one in inside if isinstance(one, dict | list))
