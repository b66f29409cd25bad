"""The calls that a delivery would make, shown without making them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, assert_never

from odoorway.commands import Command, Find, Forward
from odoorway.deliver.odoo.load import CONTEXT, Text, loads
from odoorway.deliver.odoo.lookup import key_of, questions, shown
from odoorway.deliver.odoo.schedule import schedule
from odoorway.deliver.odoo.values import plain
from odoorway.deliver.port import Job
from odoorway.transform.flatten import Done, Known, flatten
from odoorway.transform.plan import Many, Plan, Ref, Run, Write
from odoorway.transform.rounds import rounds


def explain(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return each call's model, method and body; what only Odoo knows stands in ``<…>``.

    A lookup that matches nothing at first may begin one more round than is shown.

    Raises:
        HandlerError: the commands cannot be written as they are.
        Unwritable: a value has no form that Odoo takes.
    """
    turns = zip_longest(*([*rounds(job.commands)] for job in jobs), fillvalue=((), {}))
    return [call for turn in turns for call in _turn(jobs, turn)]


def _turn(
    jobs: Sequence[Job], turn: Sequence[tuple[Sequence[Command], Done]]
) -> Iterator[dict[str, Any]]:
    plans = {
        position: flatten(job.source, commands, Known(done=done))
        for position, (job, (commands, done)) in enumerate(zip(jobs, turn, strict=True))
    }
    yield from _loads(plans)
    yield from _steps(plans)


def _loads(plans: dict[int, Plan]) -> Iterator[dict[str, Any]]:
    text = Text({}, _placeholder)
    for stage in schedule(plans):
        for load in loads([entry.record for entry in stage], text):
            yield {"model": load.model, "method": "load", "body": load.body}


def _steps(plans: dict[int, Plan]) -> Iterator[dict[str, Any]]:
    for step in (step for plan in plans.values() for step in plan.steps):
        match step:
            case Write(model, on, values, env):
                body = {**_target(on, env), "vals": _shown(dict(values))}
                yield {"model": model, "method": "write", "body": body}
            case Run(model, method, on, args, unless, env):
                target = _target(on, env)
                yield _sign(model, target["ids"], unless)
                yield {"model": model, "method": method, "body": {**_shown(dict(args)), **target}}
            case Forward(to, body):
                yield {"forward": to, "body": body}
            case _:
                assert_never(step)


def _sign(
    model: str, ids: Sequence[Any], unless: Mapping[str, Sequence[Any]] | Find
) -> dict[str, Any]:
    """Return the question whether the method has run."""
    if isinstance(unless, Find):
        (question,) = questions([key_of(unless)])
        return {"model": unless.model, "method": "search_read", "body": question.body}
    return {"model": model, "method": "read", "body": {"ids": ids, "fields": list(unless)}}


def _target(on: Find | Ref, env: Mapping[str, Any]) -> dict[str, Any]:
    return {"ids": [_shown(on)], "context": {**CONTEXT, **env}}


def _shown(value: Any) -> Any:
    match value:
        case dict():
            return {name: _shown(inner) for name, inner in value.items()}
        case list():
            return [_shown(inner) for inner in value]
        case Many(members):
            return [[6, 0, [_shown(one) for one in members]]]
        case Find():
            return _placeholder(value)
    return f"<id of {value.xid}>" if isinstance(value, Ref) else plain(value)


def _placeholder(find: Find) -> str:
    return f"<id of {shown(find)}>"
