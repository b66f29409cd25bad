"""Which commands of a list can be carried out together, and still each after the one before. Pure.

Within a round all lookups are made first, then all records are written, then the steps (updates,
calls, forwards) are made in order. So a command begins a new round when it could see something else
after the one before it. A round costs a few calls for a whole batch, so none is begun for nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from odoorway.commands import Command, Empty, Find, Key, Upsert
from odoorway.transform.flatten import Done, finds, upserts

Matches = Callable[[Find], bool]  # whether a lookup, without its fallbacks, matched


def first_round(commands: Sequence[Command], done: Done) -> int:
    """Return how many of *commands*, the first ones, can be carried out together.

    A new round begins with what writes or looks up after a step, which may have changed anything,
    and with what looks up a record that an earlier command is certain to concern.
    """
    stepped, seen = False, dict(done)
    fresh: list[Upsert] = []  # written in this round
    for number, command in enumerate(commands):
        new = [one for one in upserts(command) if one not in seen.get(one.key, ())]
        looked = [*finds([command]), *_matches(new)]
        if stepped and (new or looked):
            return number
        if any(_names(find, one) for find in looked for one in fresh):
            return number
        fresh += new
        for one in new:
            seen[one.key] = (*seen.get(one.key, ()), one)
        stepped = stepped or not isinstance(command, Upsert)
    return len(commands)


def rounds(commands: Sequence[Command]) -> Iterator[tuple[Sequence[Command], Done]]:
    """Yield the rounds of *commands*, each with what was written before it.

    As far as they can be told without asking Odoo.
    """
    done: Done = {}
    while commands:
        many = first_round(commands, done)
        yield commands[:many], done
        done = together(done, carried(commands[:many]))
        commands = commands[many:]


def ready(commands: Sequence[Command], matches: Matches) -> int:
    """Return how many of *commands*, one round's first ones, need not look again.

    A lookup that matches nothing, and that an earlier command of the round may make a record for,
    is made again once that command is carried out.
    """
    before: list[Upsert] = []
    for number, command in enumerate(commands):
        for find in finds([command]):
            concerned = any(_may_concern(find, one) for one in before)
            if concerned and not find.absent and not matches(find):
                return number
        before += upserts(command)
    return len(commands)


def carried(commands: Iterable[Command]) -> Done:
    """Return what *commands* write, by key."""
    found: dict[Key, tuple[Upsert, ...]] = {}
    for one in (one for command in commands for one in upserts(command)):
        found[one.key] = (*found.get(one.key, ()), one)
    return found


def together(done: Done, more: Done) -> Done:
    """Return what was written in both."""
    return {key: (*done.get(key, ()), *more.get(key, ())) for key in {**done, **more}}


def _matches(made: Iterable[Upsert]) -> Iterator[Find]:
    for one in made:
        if isinstance(one.match, Find):
            yield from one.match.chain


def _names(find: Find, upsert: Upsert) -> bool:
    """Tell whether *upsert* writes a value that *find* looks for, and none that it does not."""
    return _may_concern(find, upsert) and any(_compared(find, upsert))


def _may_concern(find: Find, upsert: Upsert) -> bool:
    """Tell whether *find* may match what *upsert* writes.

    Models of one family, ``product.template`` and ``product.product``, make each other's records.
    """
    if find.model.partition(".")[0] != upsert.model.partition(".")[0]:
        return False
    return False not in _compared(find, upsert)


def _compared(find: Find, upsert: Upsert) -> list[bool | None]:
    """Tell of each value that is looked for and written whether it is the same; None: unknown."""
    written = upsert.at_most
    return [_is_same(value, written[name]) for name, value in find.where if name in written]


def _is_same(looked_for: Any, written: Any) -> bool | None:
    if looked_for is Empty or isinstance(written, Upsert | Find | list | tuple | Mapping):
        return None
    return looked_for == written or str(looked_for).strip() == str(written).strip()
