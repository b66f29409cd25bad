"""Would Odoo take what the handlers write? Commands against ``fields_get``. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from odoorway.commands import Call, Command, Find, Update, Upsert
from odoorway.transform.flatten import finds, upserts

ATTRIBUTES = (
    "type",
    "required",
    "readonly",
    "relation",
    "selection",
    "depends",
    "states",
    "deprecated",
)
Fields = Mapping[str, Mapping[str, Any]]  # what `fields_get` returned, by field
_NUMBERS = {"integer", "float", "monetary"}


@dataclass(frozen=True, slots=True)
class Written:
    """Values that a command writes into a model."""

    model: str
    values: Mapping[str, Any]
    creates: bool  # the record may not be there yet
    parent: str | None = None  # the model whose line it is


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """What Odoo would refuse (``fail``), or what is probably not meant (``warn``)."""

    level: Literal["fail", "warn"]
    text: str
    code: str


def written(commands: Iterable[Command]) -> Iterator[Written]:
    """Yield all that *commands* write: nested records, lines and those of ``missing=`` too."""
    for command in commands:
        match command:
            case Upsert():
                yield from _upsert(command, None)
            case Update(model, on, values):
                yield Written(model, values, creates=False)
                yield from _nested({"on": on, **values}, model)
            case Call(on=on, args=args):
                yield from _nested({"on": on, **args}, None)


def looked_up(commands: Sequence[Command]) -> Iterator[tuple[str, str]]:
    """Yield each model and field that *commands* search by, or read to guard a call."""
    asked = list(finds(commands))
    for command in commands:
        if isinstance(command, Update):
            yield from _expected(command)
        if isinstance(command, Update | Call) and isinstance(command.on, Find):
            asked.append(command.on)
        match command:
            case Call(unless=Find() as sign):
                asked.append(sign)
            case Call(model, unless=Mapping() as states):
                yield from ((model, name) for name in states)
    for one in upserts(commands):
        yield from _expected(one)
    asked += [one.match for one in upserts(commands) if isinstance(one.match, Find)]
    for find in (one for first in asked for one in first.chain):
        yield from ((find.model, name) for name, _ in find.where)


def _expected(command: Upsert | Update) -> Iterator[tuple[str, str]]:
    return ((command.model, path.partition(".")[0]) for path in command.expect)


def _upsert(upsert: Upsert, parent: str | None) -> Iterator[Written]:
    yield Written(upsert.model, upsert.at_most, creates=True, parent=parent)
    yield from _nested(upsert.at_most, upsert.model)


def _nested(values: Mapping[str, Any], model: str | None) -> Iterator[Written]:
    for value in values.values():
        lines = isinstance(value, list | tuple)
        for one in value if lines else [value]:
            made = one.chain[-1].missing if isinstance(one, Find) else one
            if isinstance(made, Upsert):
                yield from _upsert(made, model if lines and made is one else None)


def problems(one: Written, fields: Fields, defaults: Collection[str]) -> Iterator[SchemaProblem]:
    """Yield what is wrong with *one*; *defaults* are the fields that Odoo fills by itself."""
    for name, value in one.values.items():
        info = fields.get(name)
        if info and info.get("deprecated"):
            text = f"{one.model}.{name} is deprecated: {info['deprecated']}"
            yield SchemaProblem("warn", text, "odoo.unknown-field")
        if info is None:
            text = f"{one.model} has no field {name!r}"
            yield SchemaProblem("fail", text, "odoo.unknown-field")
        elif told := _mismatch(info, value):
            yield SchemaProblem("fail", f"{one.model}.{name} {told}", "odoo.invalid-value")
        elif info.get("readonly") and not info.get("states"):  # before 17: writable in some states
            yield SchemaProblem(
                "warn", f"{one.model}.{name} is read-only in Odoo", "odoo.validation"
            )
    if one.creates:
        for name in sorted(_needed(fields, one.parent) - set(defaults)):
            if one.values.get(name) is None:
                text = (
                    f"{one.model}.{name} is required, has no default, and is not written:"
                    " refused, unless Odoo fills it in while it creates the record"
                )
                yield SchemaProblem("warn", text, "odoo.missing-required")


def required(fields: Fields) -> list[str]:
    """Return the fields to ask defaults for."""
    return sorted(name for name, info in fields.items() if info.get("required"))


def _needed(fields: Fields, parent: str | None) -> set[str]:
    """Return the required fields that nothing computes and no parent gives.

    A model that delegates to another (a product to its template) requires the reference, which
    Odoo makes itself, and shows the other's required fields as if they were computed.
    """
    paths = [_delegated(fields, name) for name in fields]
    delegates = {path.partition(".")[0] for path in paths if path}
    return {
        name
        for name in required(fields)
        if fields[name]["type"] not in {"one2many", "many2many"}
        and (not fields[name].get("depends") or _delegated(fields, name))
        and name not in delegates
        and not (parent and fields[name].get("relation") == parent)
    }


def _delegated(fields: Fields, name: str) -> str:
    """Return ``reference.name`` when the field is another record's of the same name."""
    depends = list(fields[name].get("depends") or [])
    path = str(depends[0]) if len(depends) == 1 else ""
    return path if path.endswith(f".{name}") and path.count(".") == 1 else ""


def _mismatch(info: Mapping[str, Any], value: Any) -> str | None:
    """Return why a field of that kind cannot hold *value*."""
    match value:
        case Upsert(model=model) | Find(model=model):
            return _reference(info, model)
        case str():
            return _unreadable(info, value)
        case list() | tuple() | dict():
            return _members(info, value)
    return None


def _members(info: Mapping[str, Any], value: Any) -> str | None:
    kind = info.get("type")
    if kind in {"char", "text", "html", *_NUMBERS}:
        return f"is a {kind}, and cannot hold a {type(value).__name__}"
    models = sorted({one.model for one in value if isinstance(one, Upsert | Find)})
    return next((told for model in models if (told := _reference(info, model))), None)


def _unreadable(info: Mapping[str, Any], text: str) -> str | None:
    kind = info.get("type")
    if kind == "selection":
        pairs = info.get("selection") or ()
        options = ", ".join(str(pair[0]) for pair in pairs)
        known = any(text in pair for pair in pairs)
        return None if known else f"cannot be {text!r:.60}; it is one of {options}"
    if kind in _NUMBERS and not _is_number(text):
        return f"is a number, and {text!r:.60} is none"
    if kind in {"date", "datetime"} and not _is_time(text):
        return f"is a {kind}, and {text!r:.60} is none; give a datetime, or ISO 8601"
    return None


def _reference(info: Mapping[str, Any], model: str) -> str | None:
    relation = info.get("relation")
    if not relation:
        return f"is a {info.get('type')}, and cannot refer to a {model}"
    return None if relation == model else f"refers to {relation}, not to {model}"


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
