"""Would an Odoo of this schema take what the handlers write? Pure."""

from collections.abc import Iterable, Iterator

from odoorway.cli.checking_needs import CheckResult, Need, Needs
from odoorway.cli.schema_file import Model, Schema
from odoorway.deliver.odoo.schema import Fields, problems

_ADMINISTRATOR = CheckResult(
    "warn",
    "the API key belongs to an administrator: whoever finds it may do everything in Odoo."
    " Make a user of the gateway's own, with the groups named below",
)
Demand = tuple[str, str]  # model and operation


def judge(schema: Schema, needs: Needs) -> list[CheckResult]:
    """Return what *schema* says to what the handlers need."""
    found = [_ADMINISTRATOR] if schema.admin else []
    for name, need in sorted(needs.models.items()):
        found += _model(need, schema.models.get(name))
    groups = least_groups(_demands(needs), schema) if schema.admin else None
    if groups:
        text = f"the least groups that are enough: {', '.join(groups)}"
        found.append(CheckResult("ok", text))
    return found


def least_groups(demands: set[Demand], schema: Schema) -> list[str]:
    """Return few groups that together may do all *demands*, the widest first; none if unknown.

    Chosen greedily: each next group is the one that allows most of what is left and, of those,
    the one that allows least else.
    """
    allowed: dict[str, set[Demand]] = {}
    for name, model in schema.models.items():
        for right in model.rights:
            allowed.setdefault(right.group or "", set()).update((name, o) for o in right.operations)
    left = demands - allowed.pop("", set())
    chosen: list[str] = []
    while left:
        best = max(
            sorted(allowed),
            key=lambda group: (len(allowed[group] & left), -len(allowed[group])),
            default=None,
        )
        if best is None or not allowed[best] & left:
            return []
        chosen.append(best)
        left -= allowed[best]
    return chosen


def operations(need: Need) -> tuple[str, ...]:
    """Return what the gateway's user has to be allowed."""
    return ("create", "write") if need.written else ("read",)


def _demands(needs: Needs) -> set[Demand]:
    return {(name, one) for name, need in needs.models.items() for one in operations(need)}


def _model(need: Need, model: Model | None) -> Iterator[CheckResult]:
    if model is None:
        text = f"{need.model} is not in this schema; pull it again"
        yield CheckResult("fail", text, "odoo.unknown-model")
        return
    if model.refused:
        detail, code = model.refused
        yield CheckResult("fail", detail, code)
        return
    denied = [one for one in operations(need) if one not in model.may]
    if denied:
        text = f"this user may not {' or '.join(denied)} {need.model}"
        yield CheckResult("fail", text, "odoo.access-denied")
        return
    found = set(_problems(need, model.fields, model.defaults))
    yield from sorted(found, key=lambda one: one.what)
    if not any(one.level == "fail" for one in found):
        done = "may be written" if need.written else "may be read"
        yield CheckResult("ok", f"{need.model} {done}; its {len(_names(need))} fields fit")


def _problems(need: Need, fields: Fields, defaults: Iterable[str]) -> Iterator[CheckResult]:
    for name, where in need.searched.items():
        if name not in fields and name != "id":
            text = f"{need.model} has no field {name!r}"
            yield CheckResult("fail", text, "odoo.unknown-field", where)
    for one, where in need.written:
        for told in problems(one, fields, tuple(defaults)):
            yield CheckResult(told.level, told.text, told.code, where)


def _names(need: Need) -> set[str]:
    return {*need.searched, *(name for one, _ in need.written for name in one.values)}
