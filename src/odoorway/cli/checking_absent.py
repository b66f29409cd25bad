"""What a handler makes of a payload that lacks something: a field null, or missing. Pure."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from odoorway.gateway import Route
from odoorway.model.delivery import Outcome
from odoorway.model.event import Event
from odoorway.outside import Unreadable, read_exactly
from odoorway.transform.flatten import finds
from odoorway.transform.run import Commands, Settled, Transformed, transform

_DEEPEST: Final = 4  # fields inside each other
_MOST: Final = 200  # fields of one sample
_INVALID: Final = "payload.invalid"  # the annotation wants that field: nothing to look at
Step = str | int


def lacking(route: Route, event: Event) -> tuple[int, list[str]]:
    """Run the handler of *route* without each optional field of *event*'s body.

    Return how many such runs went well, and of the others what was lacking and what came of it.
    Only what the handler's annotation lets pass counts, and what it decides by itself is well.
    """
    well, trouble = 0, []
    for where, how, body in variations(event.body):
        result = transform(route, replace(event, body=body))
        if isinstance(result, Settled) and result.code == _INVALID:
            continue
        told = _trouble(result)
        if told:
            trouble.append(f"{where} {how}: {told}")
        else:
            well += 1
    return well, trouble


def _trouble(result: Transformed) -> str:
    """Return what would go wrong; nothing where the handler decides, or something is written."""
    match result:
        case Settled(Outcome.DEAD, code, detail) if code != "handler.rejected":
            return detail.strip().splitlines()[-1]
        case Commands(commands):
            return next(
                (
                    f"a dead letter: {one.model} is looked up by {' and '.join(one.absent)}, which"
                    " is absent"
                    for one in finds(commands)
                    if one.absent and one.chain[-1].missing == "fail"
                ),
                "",
            )
    return ""


def variations(body: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield each field's place, what was done to it, and the body then; nothing of no JSON."""
    try:
        payload = read_exactly(body)
    except Unreadable:
        return
    for place in list(_places(payload, ()))[:_MOST]:
        for how, changed in (
            ("null", _changed(payload, place, None)),
            ("missing", _without(payload, place)),
        ):
            yield _named(place), how, json.dumps(changed).encode()


def _places(value: Any, above: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield the places of all fields; of a list those of its first element stand for all."""
    if len(above) >= _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*above, name)
            yield from _places(inner, (*above, name))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*above, 0))


def _changed(payload: Any, place: Sequence[Step], value: Any) -> Any:
    changed = copy.deepcopy(payload)
    _parent(changed, place)[place[-1]] = value
    return changed


def _without(payload: Any, place: Sequence[Step]) -> Any:
    changed = copy.deepcopy(payload)
    del _parent(changed, place)[place[-1]]
    return changed


def _parent(payload: Any, place: Sequence[Step]) -> Any:
    for step in place[:-1]:
        payload = payload[step]
    return payload


def _named(place: Sequence[Step]) -> str:
    text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place)
    return text.removeprefix(".")
