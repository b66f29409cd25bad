"""What a handler returns: pure data that says what to write into Odoo, or where to send it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from odoorway.commands.empty import absent_fields
from odoorway.commands.keys import Key, check_key
from odoorway.errors import HandlerError

Context = Mapping[str, Any]
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class Find:
    """A lookup of one record, made by ``find``. More than one match always fails."""

    model: str
    where: tuple[tuple[str, Any], ...]
    missing: "Literal['fail', 'retry'] | Upsert | None" = "fail"
    domain: tuple[Any, ...] = ()  # that has to hold as well, in Odoo's own notation
    company: int | None = None  # the only company whose records are seen
    active_test: bool = True  # archived records are not seen

    @property
    def absent(self) -> tuple[str, ...]:
        """The fields that the payload has no value for, so that no record can be meant."""
        return absent_fields(self.where, self.domain)


@dataclass(frozen=True, slots=True)
class Upsert:
    """A record known by a key: created the first time, updated ever after.

    ``key`` is ``(kind, id)``; with the source it makes the external ID. In ``values`` a nested
    Upsert is written first and referred to, a list of Upserts is written as the field's kind
    says (lines with their parent, or records to refer to), None clears a field, and a missing
    key leaves it.

    ``match`` adopts a record that Odoo already has: fields and their values, or a ``find``. It
    is looked for once; the record found, or else made, belongs to the key from then on. A value
    that the payload lacks matches nothing. With
    ``lines="sync"`` lines that an earlier event wrote and that this one does not have are
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

    def __post_init__(self) -> None:
        """Refuse what could not be written, with the form that can."""
        _check_model("Upsert", self.model)
        _check_values("Upsert", self.values)
        check_key(self.key)
        _check_env("Upsert", self.company, self.context)
        if self.lines not in {"add", "sync"}:
            raise HandlerError(f"Upsert's lines= is {self.lines!r}; use 'add' or 'sync'")
        if isinstance(self.match, Mapping):
            object.__setattr__(self, "match", _matching(self.model, self.match))
        elif self.match is not None:
            _check_find("Upsert", self.match, self.model)

    @property
    def env(self) -> dict[str, Any]:
        """What is added to Odoo's context."""
        return env(self.company, self.context)


@dataclass(frozen=True, slots=True)
class Update:
    """Values to write on one record that Odoo already has, found by ``find``."""

    model: str
    on: Find
    values: Mapping[str, Any]
    company: int | None = None
    context: Context = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be written, with the form that can."""
        _check_model("Update", self.model)
        _check_find("Update", self.on, self.model)
        _check_values("Update", self.values)
        _check_env("Update", self.company, self.context)

    @property
    def env(self) -> dict[str, Any]:
        """What is added to Odoo's context."""
        return env(self.company, self.context)


@dataclass(frozen=True, slots=True)
class Call:
    """A model method, run on one record unless that record already is in a given state.

    ``unless`` maps a field to the values that mean "already done": it is asked right before the
    call, and again before a repeat, so that a lost answer does not run the method twice.
    """

    model: str
    method: str
    on: Find | Upsert
    args: Mapping[str, Any] = field(default_factory=dict)
    unless: Mapping[str, tuple[Any, ...] | list[Any]] = field(default_factory=dict)
    company: int | None = None
    context: Context = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a call that could not be made, or not be repeated."""
        _check_model("Call", self.model)
        _check_env("Call", self.company, self.context)
        if not isinstance(self.on, Find | Upsert):
            raise HandlerError(f"Call's on= is {self.on!r}; give find(...) or an Upsert")
        if not self.unless:
            raise HandlerError(
                f"Call({self.model!r}, {self.method!r}) needs unless={{field: [values]}}, the state"
                " that shows it has run: without it a lost answer would run it twice"
            )

    @property
    def env(self) -> dict[str, Any]:
        """What is added to Odoo's context."""
        return env(self.company, self.context)


@dataclass(frozen=True, slots=True)
class Forward:
    """The body, as it came or as given, posted to a URL.

    ``to`` is a path on the destination (an Odoo controller, or ``/web/hook/<id>`` of an
    automation rule) or a whole URL. ``body`` is bytes or text, or anything that becomes JSON;
    None is the event's own. With ``secret``, a literal or ``env:NAME``, it is signed by Standard
    Webhooks. Each forward carries the same ``webhook-id`` however often it is tried, by which
    the other side can tell a repeat.
    """

    to: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what could not be sent."""
        if not isinstance(self.to, str) or not re.match(r"/(?!/)|https?://[^/]", self.to):
            raise HandlerError(
                f"Forward's to= is {self.to!r}; give a path like '/shop/hook', or a URL that"
                " begins with https://"
            )
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name) or not isinstance(value, str) or "\n" in value:
                raise HandlerError(f"Forward's header {name!r} is {value!r}; give one line of text")


Command = Upsert | Update | Call | Forward


def find(
    model: str,
    *,
    missing: Literal["fail", "retry"] | Upsert | None = "fail",
    domain: Sequence[Any] = (),
    company: int | None = None,
    active_test: bool = True,
    **where: Any,
) -> Find:
    """Look up the one record of *model* whose fields equal *where*.

    A value that is None, "" or False matches nothing, and Odoo is not asked: ``Empty`` is the way
    to look for a field that is empty, or False.

    ``missing`` says what happens when nothing matches: ``"fail"`` (dead letter), ``"retry"``,
    ``None`` (the field is cleared) or an Upsert that creates it. ``domain`` narrows it in Odoo's
    own notation, ``company`` is a company's id, and with ``active_test=False`` archived records
    are found too.
    """
    _check_model("find", model)
    _check_env("find", company, {})
    if not where and not domain:
        raise HandlerError(f"find({model!r}) needs at least one field, like default_code='SKU-1'")
    if missing not in ("fail", "retry", None) and not isinstance(missing, Upsert):
        raise HandlerError(
            f"find's missing= is {missing!r}; use 'fail', 'retry', None or an Upsert"
        )
    terms = _frozen(domain)
    if not isinstance(terms, tuple):
        raise HandlerError(f"find's domain= is {domain!r}; give a list like [('type', '=', 'x')]")
    return Find(model, tuple(sorted(where.items())), missing, terms, company, active_test)


def _matching(model: str, where: Mapping[str, Any]) -> Find:
    if not where or not all(isinstance(name, str) for name in where):
        raise HandlerError(f"Upsert's match= is {where!r}; give fields, like {{'email': mail}}")
    return Find(model, tuple(sorted(where.items())))


def env(company: int | None, context: Context) -> dict[str, Any]:
    """Return what a company and a context add to Odoo's context."""
    return {**({} if company is None else {"allowed_company_ids": [company]}), **context}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _check_model(what: str, model: object) -> None:
    if not isinstance(model, str) or not re.fullmatch(r"[a-z_][a-z0-9_.]*", model):
        raise HandlerError(f"{what}'s model is {model!r}; write its name, like 'sale.order'")


def _check_values(what: str, values: object) -> None:
    if not isinstance(values, Mapping):
        raise HandlerError(f"{what}'s values are {values!r}; give a dict of field: value")


def _check_find(what: str, on: object, model: str) -> None:
    if not isinstance(on, Find) or on.model != model:
        raise HandlerError(f"{what}'s record is {on!r}; give find({model!r}, field=value)")


def _check_env(what: str, company: object, context: object) -> None:
    if company is not None and (isinstance(company, bool) or not isinstance(company, int)):
        raise HandlerError(f"{what}'s company= is {company!r}; give the company's database id")
    if not isinstance(context, Mapping):
        raise HandlerError(
            f"{what}'s context= is {context!r}; give a dict like {{'lang': 'fr_FR'}}"
        )
