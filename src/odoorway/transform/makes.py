"""What records commands write: by which those who wait for one are woken. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from odoorway.commands import Call, Command, Update
from odoorway.transform.flatten import upserts

Made = tuple[str, Mapping[str, str]]  # a model, and values as text


def makes(commands: Sequence[Command]) -> tuple[Made, ...]:
    """Return each model that *commands* write, with the values that are plain.

    What a method makes nobody knows: its model stands there without values.
    """
    return tuple(_makes(commands))


def _makes(commands: Sequence[Command]) -> Iterator[Made]:
    for upsert in upserts(commands):
        yield upsert.model, _texts(upsert.at_most)
    for command in commands:
        match command:
            case Update(model=model, values=values):
                yield model, _texts(values)
            case Call(model=model):
                yield model, {}


def _texts(values: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        name: str(value)
        for name, value in values.items()
        if isinstance(value, str | int | float | Decimal)
    }
