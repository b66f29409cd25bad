"""Commands as text that people compare: what a handler returned, without its secrets. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from odoorway.commands import Command
from odoorway.outside import storable

_HIDDEN = {"secret"}
_LONGEST = 256 << 10  # characters; a journal keeps less
_LINES = json.JSONEncoder(indent=1, default=str, ensure_ascii=False)


def shown(commands: Sequence[Command]) -> str:
    """Return *commands* as JSON, the same text for the same commands; of a long one its beginning.

    A payload that is nested deep grows a hundredfold when it is written in lines.
    """
    told, left = list[str](), _LONGEST
    for part in _LINES.iterencode([_plain(one) for one in commands]):
        told.append(part[:left])
        left -= len(part)
        if left < 0:
            return storable("".join([*told, "…[cut]"]))
    return storable("".join(told))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        told = {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        kept = {name: one for name, one in told.items() if one not in (None, {}, [], "")}
        return {
            "command": type(value).__name__,
            **{name: one for name, one in kept.items() if name not in _HIDDEN},
        }
    match value:
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case bytes():
            return value.decode(errors="replace")
    return value
