"""Updates and calls: what is done one by one, once the records are written."""

from collections.abc import Mapping, Sequence
from typing import Any

from odoorway.commands import Find, Forward, Upsert
from odoorway.deliver.http import Forwarder
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.load import CONTEXT
from odoorway.deliver.odoo.lookup import LookupKey, key_of, settle, unmatched
from odoorway.deliver.odoo.refusal import Refused, dead
from odoorway.deliver.odoo.searcher import names, search
from odoorway.deliver.odoo.values import Unwritable, plain
from odoorway.deliver.port import Verdict
from odoorway.model.delivery import Outcome
from odoorway.transform.plan import Ref, Run, Step, Write


async def take(
    odoo: Odoo, forwarder: Forwarder | None, step: Step, ids: Mapping[str, int], ident: str
) -> int | None:
    """Do one step; return the record that it wrote on, if it wrote.

    Doing it again has the same effect as once, a forward's under the same *ident*.

    Raises:
        Refused: Odoo refused, or the step's find has no usable answer.
    """
    try:
        match step:
            case Write(model, on, values, env):
                target = await _target(odoo, on, ids)
                vals = plain(dict(values), ids)
                context = {**CONTEXT, **env}
                await odoo.ask(model, "write", ids=[target], vals=vals, context=context)
                return target
            case Run():
                await _run(odoo, step, ids)
            case Forward():
                await _forward(forwarder, step, ident)
    except Unwritable as error:
        raise dead("odoo.invalid-value", f"{_named(step)}: {error}") from error
    return None


def _named(step: Step) -> str:
    return step.to if isinstance(step, Forward) else step.model


async def _forward(forwarder: Forwarder | None, step: Forward, ident: str) -> None:
    if forwarder is None:
        raise dead("handler.no-command", "nothing is set up to forward by")
    verdict = await forwarder.send(step, ident)
    if verdict.outcome is not Outcome.DELIVERED:
        raise Refused(verdict)


async def _run(odoo: Odoo, step: Run, ids: Mapping[str, int]) -> None:
    """Call the method unless what it makes, or the record, shows that it has run."""
    target = await _target(odoo, step.on, ids)
    if isinstance(step.unless, Find):
        done = await _is_there(odoo, step.unless)
    else:
        done = await _has_run(odoo, step, step.unless, target)
    if not done:
        args = plain(dict(step.args), ids)
        given = {"context": {**CONTEXT, **step.env}, **args, "ids": [target]}
        await odoo.ask(step.model, step.method, **given)


async def _is_there(odoo: Odoo, sign: Find) -> bool:
    if sign.absent:  # it would never match, and the method run at every repeat
        raise dead("odoo.no-match", f"unless: {unmatched(sign)}")
    return bool(await _matches(odoo, sign))


async def _has_run(odoo: Odoo, step: Run, unless: Mapping[str, Sequence[Any]], target: int) -> bool:
    rows = await odoo.rows(step.model, "read", ids=[target], fields=list(unless))
    if not rows:  # `read` passes over a record that is gone
        raise dead("odoo.no-match", f"{step.model} {target} does not exist any more")
    return any(_is_one_of(rows[0].get(name), done) for name, done in unless.items())


def _is_one_of(value: Any, done: Sequence[Any]) -> bool:
    """Compare as Odoo answers: a many2one as ``[id, name]``, nothing as False."""
    held = value[0] if isinstance(value, list) and value else value
    return any(plain(one) == held and isinstance(held, bool) == _is_flag(one) for one in done)


def _is_flag(value: Any) -> bool:
    """Tell True, False and nothing from the numbers that equal them."""
    return value is None or isinstance(value, bool)


async def _target(odoo: Odoo, on: Find | Ref, ids: Mapping[str, int]) -> int:
    if isinstance(on, Ref):
        return ids[on.xid]
    answers: dict[LookupKey, tuple[int, ...]] = {}
    for find in on.chain:
        answers[key_of(find)] = await _matches(odoo, find)
        if answers[key_of(find)]:
            break
    one = settle(on, answers.values(), await names(odoo, answers))
    if one is None or isinstance(one, Upsert):
        raise dead("odoo.no-match", unmatched(on))
    return one.id


async def _matches(odoo: Odoo, on: Find) -> tuple[int, ...]:
    if on.absent:
        return ()
    key = key_of(on)
    found = (await search(odoo, [key]))[key]
    if isinstance(found, Verdict):
        raise Refused(found)
    return found
