"""What a handler returns to have records of Odoo written: pure data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from odoorway.commands.checks import (
    check_apart,
    check_choice,
    check_company,
    check_expect,
    check_fields,
    check_method,
    check_model,
    check_unless,
)
from odoorway.commands.empty import absent_fields
from odoorway.commands.forward import Forward
from odoorway.commands.keys import Key, check_key
from odoorway.commands.values import (
    arguments,
    check_field,
    check_searched,
    check_written,
    json_ready,
)
from odoorway.errors import HandlerError

Context = Mapping[str, Any]
Adopt = Literal["contact", "portal", "any"]


@dataclass(frozen=True, slots=True)
class Find:
    """A lookup of one record, made by ``find``. More than one match always fails."""

    model: str
    where: tuple[tuple[str, Any], ...]
    missing: "Literal['fail', 'retry'] | Upsert | Find | None" = "fail"
    domain: tuple[Any, ...] = ()  # that has to hold as well, in Odoo's own notation
    company: int | None = None  # the only company whose records are seen
    active_test: bool = True  # archived records are not seen
    fields: tuple[str, ...] = ()  # to be read of it, for a handler that asks

    @property
    def absent(self) -> tuple[str, ...]:
        """The fields that the payload has no value for, so that no record can be meant."""
        return absent_fields(self.where, self.domain)

    @property
    def chain(self) -> "tuple[Find, ...]":
        """The lookup and its fallbacks, each asked when those before it match nothing."""
        further = self.missing.chain if isinstance(self.missing, Find) else ()
        return (self, *further)


@dataclass(frozen=True, slots=True)
class Upsert:
    """A record known by a key: created the first time, updated ever after.

    ``key`` is ``(kind, id)``; with the source it makes the external ID. In ``values`` a nested
    Upsert is written first and referred to, a list of Upserts is written as the field's kind
    says (lines with their parent, or records to refer to), None clears a field, and a missing
    key leaves it.

    ``match`` adopts a record that Odoo already has: fields and their values, or a ``find``. It
    is looked for once; the record found, or else made, belongs to the key from then on. A value
    that the payload lacks matches nothing. ``adopt`` says which contacts may be adopted:
    ``"contact"`` those that neither log in nor are a company of this Odoo, ``"portal"`` those
    with a portal login too, ``"any"`` whoever matches.

    ``initial`` holds values that are written when the record is created, and never again: what a
    person edits stays, and a confirmed order is not asked to change.

    ``expect`` says what must be true of the record once all is written: fields, or paths through
    references, and their values. It is read back, and a person told of what differs; numbers
    are equal within ``tolerance``, by default within half of what the currency rounds to.

    With ``lines="sync"`` lines that an earlier event wrote and that this one does not have are
    removed, or set to zero where Odoo forbids that; lines that a person added stay.
    ``company`` and ``context`` hold for nested Upserts too, unless they have their own.

    Raises:
        HandlerError: the model, the key or the values are not of that form.
    """

    model: str
    key: Key
    values: Mapping[str, Any] = field(default_factory=dict)
    match: Find | Mapping[str, Any] | None = None
    lines: Literal["add", "sync"] = "add"
    company: int | None = None
    context: Context = field(default_factory=dict)
    adopt: Adopt = "contact"
    expect: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float | Decimal | None = None
    initial: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be written, with the form that can."""
        check_model("Upsert", self.model)
        check_key(self.key)
        check_written("Upsert's values", self.values, _COMMANDS)
        check_written("Upsert's initial", self.initial, _COMMANDS)
        check_apart(self.values, self.initial)
        _set_env(self, "Upsert")
        check_expect("Upsert", self.expect, self.tolerance)
        check_choice("Upsert's lines=", self.lines, "add", "sync")
        check_choice("Upsert's adopt=", self.adopt, "contact", "portal", "any")
        if isinstance(self.match, Mapping):
            _set(self, "match", _matching(self.model, self.match))
        elif self.match is not None:
            _check_find("Upsert's match=", self.match, self.model)

    @property
    def at_most(self) -> Mapping[str, Any]:
        """All that may be written: what is written on creation, and what always is."""
        return {**self.initial, **self.values}

    @property
    def env(self) -> dict[str, Any]:
        """What is added to Odoo's context."""
        return env(self.company, self.context)


@dataclass(frozen=True, slots=True)
class Update:
    """Values to write on one record that Odoo already has, found by ``find``.

    ``expect`` and ``tolerance`` are those of ``Upsert``.
    """

    model: str
    on: Find
    values: Mapping[str, Any]
    company: int | None = None
    context: Context = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float | Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be written, with the form that can."""
        check_model("Update", self.model)
        _check_find("Update's on=", self.on, self.model)
        check_written("Update's values", self.values, _COMMANDS)
        check_expect("Update", self.expect, self.tolerance)
        _set_env(self, "Update")

    @property
    def env(self) -> dict[str, Any]:
        """What is added to Odoo's context."""
        return env(self.company, self.context)


@dataclass(frozen=True, slots=True)
class Call:
    """A model method, run on one record unless that record already is in a given state.

    ``unless`` maps a field to the values that mean "already done", or is a ``find`` of what the
    method makes, and done when it matches anything. It is asked right before the call, and again
    before a repeat, so that a lost answer does not run the method twice.
    ``args`` take what Odoo's fields take, and else what Pydantic can make JSON of.
    """

    model: str
    method: str
    on: Find | Upsert
    args: Mapping[str, Any] = field(default_factory=dict)
    unless: Mapping[str, tuple[Any, ...] | list[Any]] | Find = field(default_factory=dict)
    company: int | None = None
    context: Context = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a call that could not be made, or not be repeated."""
        check_model("Call", self.model)
        check_method(self.method)
        if not isinstance(self.on, Upsert):
            _check_find("Call's on=", self.on, self.model)
        if not isinstance(self.args, Mapping):
            raise HandlerError(f"Call's args are {self.args!r}; give a dict of name: value")
        _set(self, "args", arguments("Call's args", self.args, _COMMANDS))
        if isinstance(self.unless, Find):
            _check_sign(self.unless)
        else:
            check_unless(self.model, self.method, self.unless)
        _set_env(self, "Call")

    @property
    def env(self) -> dict[str, Any]:
        """What is added to Odoo's context."""
        return env(self.company, self.context)


Command = Upsert | Update | Call | Forward
_COMMANDS = (Find, Upsert)


def find(  # noqa: PLR0913 - each is one fact about the lookup
    model: str,
    *,
    missing: Literal["fail", "retry"] | Upsert | Find | None = "fail",
    domain: Sequence[Any] = (),
    company: int | None = None,
    active_test: bool = True,
    fields: Sequence[str] = (),
    **where: Any,
) -> Find:
    """Look up the one record of *model* whose fields equal *where*.

    A value that is None, "" or False matches nothing, and Odoo is not asked: ``Empty`` is the way
    to look for a field that is empty, or False.

    ``missing`` says what happens when nothing matches: ``"fail"`` (dead letter), ``"retry"``,
    ``None`` (the field is cleared), an Upsert that creates it, or another ``find`` of the same
    model, whose own ``missing`` then counts. ``domain`` narrows it in Odoo's
    own notation, ``company`` is a company's id, and with ``active_test=False`` archived records
    are found too. ``fields`` are read of the record for a handler that yields the find.
    """
    check_model("find", model)
    check_company("find", company)
    if not where and not domain:
        raise HandlerError(f"find({model!r}) needs at least one field, like default_code='SKU-1'")
    if isinstance(missing, Find):
        _check_find("find's missing=", missing, model)
    elif not isinstance(missing, Upsert):
        _check_missing(missing)
    terms = _frozen(domain)
    if not isinstance(terms, tuple):
        raise HandlerError(f"find's domain= is {domain!r}; give a list like [('type', '=', 'x')]")
    _check_terms("find's domain", terms)
    return Find(
        model, _where("find's", where), missing, terms, company, active_test, check_fields(fields)
    )


def _matching(model: str, where: Mapping[str, Any]) -> Find:
    if not where or not all(isinstance(name, str) for name in where):
        raise HandlerError(f"Upsert's match= is {where!r}; give fields, like {{'email': mail}}")
    return Find(model, _where("Upsert's match", where))


def _where(place: str, where: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    for name, value in where.items():
        if "." in name:
            raise HandlerError(f"{place} {name}: look there by domain=[({name!r}, '=', value)]")
        check_field(place, name)
        check_searched(f"{place} {name}", value, _COMMANDS)
    return tuple(sorted(where.items()))


def _check_terms(place: str, terms: Any) -> None:
    for number, one in enumerate(terms):
        if isinstance(one, tuple):
            _check_terms(f"{place}[{number}]", one)
        else:
            check_searched(f"{place}[{number}]", one, _COMMANDS)


def env(company: int | None, context: Context) -> dict[str, Any]:
    """Return what a company and a context add to Odoo's context."""
    return {**({} if company is None else {"allowed_company_ids": [company]}), **context}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _check_sign(unless: Find) -> None:
    if unless.missing != "fail":
        raise HandlerError(
            f"Call's unless=find(...) has missing={unless.missing!r:.60}; when it matches nothing"
            " the method is called"
        )


def _check_missing(missing: object) -> None:
    if missing not in ("fail", "retry", None):
        raise HandlerError(
            f"find's missing= is {missing!r}; use 'fail', 'retry', None, an Upsert or a find(...)"
        )


def _check_find(what: str, on: object, model: str) -> None:
    if not isinstance(on, Find) or on.model != model:
        raise HandlerError(f"{what} is {on!r}; give find({model!r}, field=value)")


def _set_env(command: Upsert | Update | Call, what: str) -> None:
    """Check company and context, and make the context what JSON has."""
    check_company(what, command.company)
    if not isinstance(command.context, Mapping):
        raise HandlerError(
            f"{what}'s context= is {command.context!r}; give a dict like {{'lang': 'fr_FR'}}"
        )
    if command.context:
        _set(command, "context", json_ready(f"{what}'s context", command.context))


def _set(command: Command, name: str, value: Any) -> None:
    object.__setattr__(command, name, value)  # once, while it is made
