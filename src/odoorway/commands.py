"""What a handler returns: pure data that says what to write into Odoo."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from odoorway.errors import HandlerError

Key = tuple[str, str | int]
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Find:
    """A lookup of one record, made by ``find``. More than one match always fails."""

    model: str
    where: tuple[tuple[str, Any], ...]
    missing: "Literal['fail', 'retry'] | Upsert | None" = "fail"


@dataclass(frozen=True, slots=True)
class Upsert:
    """A record known by a key: created the first time, updated ever after.

    ``key`` is ``(kind, id)``; with the source it makes the external ID. In ``values`` a nested
    Upsert is written first and referred to, a list of Upserts are lines written with their
    parent, None clears a field, and a missing key leaves it.

    Raises:
        HandlerError: the model, the key or the values are not of that form.
    """

    model: str
    key: Key
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be written, with the form that can."""
        _check_model("Upsert", self.model)
        _check_values("Upsert", self.values)
        if not isinstance(self.key, tuple) or len(self.key) != 2:  # noqa: PLR2004
            raise HandlerError(
                f"Upsert's key is {self.key!r}; write (kind, id), like ('order', 42)"
            )
        kind, ident = self.key
        if not isinstance(kind, str) or not _KIND.fullmatch(kind):
            raise HandlerError(
                f"Upsert's kind is {kind!r}; use letters, digits and '-', like 'order'"
            )
        if isinstance(ident, bool) or not isinstance(ident, str | int) or ident == "":
            raise HandlerError(
                f"Upsert's id is {ident!r}; give the platform's id, text or a number"
            )


@dataclass(frozen=True, slots=True)
class Update:
    """Values to write on one record that Odoo already has, found by ``find``."""

    model: str
    on: Find
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Refuse what could not be written, with the form that can."""
        _check_model("Update", self.model)
        _check_find("Update", self.on, self.model)
        _check_values("Update", self.values)


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

    def __post_init__(self) -> None:
        """Refuse a call that could not be made, or not be repeated."""
        _check_model("Call", self.model)
        if not isinstance(self.on, Find | Upsert):
            raise HandlerError(f"Call's on= is {self.on!r}; give find(...) or an Upsert")
        if not self.unless:
            raise HandlerError(
                f"Call({self.model!r}, {self.method!r}) needs unless={{field: [values]}}, the state"
                " that shows it has run: without it a lost answer would run it twice"
            )


Command = Upsert | Update | Call


def find(
    model: str,
    *,
    missing: Literal["fail", "retry"] | Upsert | None = "fail",
    **where: Any,
) -> Find:
    """Look up the one record of *model* whose fields equal *where*.

    ``missing`` says what happens when nothing matches: ``"fail"`` (dead letter), ``"retry"``,
    ``None`` (the field is cleared) or an Upsert that creates it.
    """
    _check_model("find", model)
    if not where:
        raise HandlerError(f"find({model!r}) needs at least one field, like default_code='SKU-1'")
    if missing not in ("fail", "retry", None) and not isinstance(missing, Upsert):
        raise HandlerError(
            f"find's missing= is {missing!r}; use 'fail', 'retry', None or an Upsert"
        )
    return Find(model, tuple(sorted(where.items())), missing)


def external_id(source: str, key: Key) -> str:
    """Return what makes the record the same record: ``__odoorway__.<source>_<kind>_<id>``.

    Different keys give different external IDs: source and kind hold no ``_``, and every
    character of the id outside ``[A-Za-z0-9_-]`` is written ``~hex~``.
    """
    kind, ident = key
    safe = re.sub(r"[^A-Za-z0-9_-]", lambda m: f"~{ord(m.group()):x}~", str(ident))
    return f"__odoorway__.{source}_{kind}_{safe}"


def _check_model(what: str, model: object) -> None:
    if not isinstance(model, str) or not re.fullmatch(r"[a-z_][a-z0-9_.]*", model):
        raise HandlerError(f"{what}'s model is {model!r}; write its name, like 'sale.order'")


def _check_values(what: str, values: object) -> None:
    if not isinstance(values, Mapping):
        raise HandlerError(f"{what}'s values are {values!r}; give a dict of field: value")


def _check_find(what: str, on: object, model: str) -> None:
    if not isinstance(on, Find) or on.model != model:
        raise HandlerError(f"{what}'s record is {on!r}; give find({model!r}, field=value)")
