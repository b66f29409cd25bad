"""What a command may be called, looked at when it is made. Pure."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal

from odoorway.commands.values import check_number, is_scalar
from odoorway.errors import HandlerError


def check_model(what: str, model: object) -> None:
    """Raise HandlerError unless *model* may be a model's name."""
    if not isinstance(model, str) or not re.fullmatch(r"[a-z_][a-z0-9_.]*", model):
        raise HandlerError(f"{what}'s model is {model!r}; write its name, like 'sale.order'")


def check_method(method: object) -> None:
    """Raise HandlerError unless *method* may be called from outside Odoo."""
    if not isinstance(method, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", method):
        raise HandlerError(
            f"Call's method is {method!r}; write a public method's name, like 'action_confirm'"
            " (Odoo calls none that begins with '_')"
        )


def check_unless(model: str, method: str, unless: object) -> None:
    """Raise HandlerError unless *unless* tells a call that has run from one that has not."""
    if not isinstance(unless, Mapping) or not unless:
        raise HandlerError(
            f"Call({model!r}, {method!r}) needs unless={{field: [values]}}, the state that shows it"
            " has run, or unless=find(...) of what it makes: without it a lost answer would run it"
            " twice"
        )
    for name, done in unless.items():
        if not isinstance(name, str) or not isinstance(done, list | tuple) or not done:
            raise HandlerError(
                f"Call's unless= is {{{name!r}: {done!r}}}; give a list of values, like"
                " {'state': ['sale', 'done']}"
            )


def check_expect(what: str, expect: object, tolerance: object) -> None:
    """Raise HandlerError unless *expect* holds fields, or paths to them, and plain values."""
    if not isinstance(expect, Mapping):
        raise HandlerError(f"{what}'s expect= is {expect!r}; give {{'amount_total': total}}")
    for path, value in expect.items():
        if not isinstance(path, str) or not re.fullmatch(r"\w+(\.\w+){0,4}", path):
            raise HandlerError(f"{what}'s expect= names {path!r}; write a field, or 'a_id.field'")
        if not is_scalar(value):
            raise HandlerError(
                f"{what}'s expect[{path!r}] is {value!r:.60}; give text, a number or a time; of"
                " another record go on to its field, like 'currency_id.name'"
            )
        check_number(f"{what}'s expect[{path!r}]", value)
    if not (tolerance is None or _is_tolerance(tolerance)):
        raise HandlerError(f"{what}'s tolerance= is {tolerance!r}; give a number, like 0.01")


def check_apart(values: Mapping[str, object], initial: Mapping[str, object]) -> None:
    """Raise HandlerError when a field stands among both."""
    both = sorted(set(values) & set(initial))
    if both:
        raise HandlerError(
            f"Upsert's values= and initial= both have {both[0]!r}; a field is written always, or"
            " on creation only"
        )


def _is_tolerance(given: object) -> bool:
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        return False
    return math.isfinite(given) and given >= 0


def check_choice(what: str, given: object, *choices: str) -> None:
    """Raise HandlerError unless *given* is one of *choices*."""
    if given not in choices:
        raise HandlerError(f"{what} is {given!r}; use {' or '.join(map(repr, choices))}")


def check_company(what: str, company: object) -> None:
    """Raise HandlerError unless *company* is a database id, or none."""
    if company is not None and (isinstance(company, bool) or not isinstance(company, int)):
        raise HandlerError(f"{what}'s company= is {company!r}; give the company's database id")


def check_fields(fields: object) -> tuple[str, ...]:
    """Return the names of *fields*, in order.

    Raises:
        HandlerError: they are no names.
    """
    if not isinstance(fields, list | tuple):
        raise HandlerError(f"find's fields= is {fields!r}; give names, like ['name', 'lang']")
    if not all(isinstance(one, str) and re.fullmatch(r"[a-z_][a-z0-9_]*", one) for one in fields):
        raise HandlerError(f"find's fields= is {fields!r}; a field's name is like 'partner_id'")
    return tuple(fields)
