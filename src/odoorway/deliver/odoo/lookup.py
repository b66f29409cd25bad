"""Finds become few questions to Odoo, and its rows become answers. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import Any

from odoorway.commands import Find, Upsert, env, meant
from odoorway.deliver.odoo.refusal import dead, later
from odoorway.deliver.odoo.values import Unwritable, plain
from odoorway.deliver.port import Waits
from odoorway.transform.plan import DbId

CHUNK = 500  # finds a question
LIMIT = 2_000  # rows an answer; with more, the question is halved
TOLD = 10  # records named where several match


@dataclass(frozen=True, slots=True)
class LookupKey:
    """What makes two finds the same question, its values as Odoo takes them."""

    model: str
    where: tuple[tuple[str, Any], ...]
    domain: tuple[Any, ...] = ()
    company: int | None = None
    active_test: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """Finds that differ in their values only, asked together."""

    like: LookupKey  # its model, domain, company and active_test are those of all
    fields: tuple[str, ...]
    keys: tuple[LookupKey, ...]

    @property
    def model(self) -> str:
        """The model that is searched."""
        return self.like.model

    @property
    def body(self) -> dict[str, Any]:
        """The arguments of ``search_read``; an ``in`` for one field, else an OR of ANDs."""
        fields = list(self.fields) or ["id"]
        return {"domain": self._domain(), "fields": fields, "limit": LIMIT} | self._context()

    def _domain(self) -> list[Any]:
        wheres = [key.where for key in self.keys]
        fixed = plain(self.like.domain)
        if not self.fields:
            return list(fixed)
        if len(self.fields) == 1:
            return [*fixed, [self.fields[0], "in", [where[0][1] for where in wheres]]]
        return [*fixed, *["|"] * (len(wheres) - 1), *chain.from_iterable(map(_all_of, wheres))]

    def _context(self) -> dict[str, Any]:
        told = env(self.like.company, {} if self.like.active_test else {"active_test": False})
        return {"context": told} if told else {}

    def halves(self) -> "tuple[Question, Question]":
        """Return the question as two."""
        middle = len(self.keys) // 2
        return (
            replace(self, keys=self.keys[:middle]),
            replace(self, keys=self.keys[middle:]),
        )

    def answers(self, rows: Iterable[Mapping[str, Any]]) -> dict[LookupKey, tuple[int, ...]]:
        """Return the ids of the rows that match each find, in Odoo's order."""
        found: dict[LookupKey, list[int]] = {key: [] for key in self.keys}
        for row in rows:
            for values in product(*(_meanings(row[name]) for name in self.fields)):
                key = replace(self.like, where=tuple(zip(self.fields, values, strict=True)))
                if key in found:
                    found[key].append(row["id"])
        return {key: tuple(ids) for key, ids in found.items()}


def key_of(find: Find) -> LookupKey:
    """Return what makes two finds the same question, its values as Odoo takes them.

    Raises:
        Refused: a value cannot be searched for.
    """
    try:
        where = tuple((name, _searchable(value)) for name, value in find.where)
        domain = tuple(meant(find.domain))
        key = LookupKey(find.model, where, domain, find.company, find.active_test)
        hash(key)
        plain(key.domain)
    except (Unwritable, TypeError) as error:
        raise dead("odoo.invalid-value", f"{shown(find)}: {error}") from error
    return key


def questions(keys: Iterable[LookupKey]) -> Iterator[Question]:
    """Return the fewest questions that ask for all *keys*, each key once."""
    groups: dict[tuple[LookupKey, tuple[str, ...]], dict[LookupKey, None]] = {}
    for key in keys:
        fields = tuple(name for name, _ in key.where)
        groups.setdefault((replace(key, where=()), fields), {})[key] = None
    for (like, fields), members in groups.items():
        for chunk in _chunks(tuple(members)):
            yield Question(like, fields, chunk)


def settle(
    find: Find,
    answers: Iterable[Sequence[int]],
    names: Mapping[tuple[str, int], str] | None = None,
) -> DbId | Upsert | None:
    """Return what stands for *find*, called by *names* where known.

    *answers* are the matches of it and of each of its fallbacks in turn, up to the first that
    matches.

    Raises:
        Refused: several match, or none does and ``missing`` does not help. What the payload
            has no value for will not come either, so it is not waited for.
    """
    for one, ids in zip(find.chain, answers, strict=False):
        if len(ids) > 1:
            raise dead("odoo.many-matches", several(one, ids, names or {}))
        if ids:
            return DbId(ids[0])
    match find.chain[-1].missing:
        case "retry" if waited := [one for one in find.chain if not one.absent]:
            raise later("odoo.awaiting-match", unmatched(find), waits_on(waited[0]))
        case Upsert() as made:
            return made
        case None:
            return None
    raise dead("odoo.no-match", unmatched(find))


def several(find: Find, ids: Sequence[int], names: Mapping[tuple[str, int], str]) -> str:
    """Return which records *find* matches, as a person tells them apart."""
    told = [f"{names.get((find.model, one), '?')} (id {one})" for one in ids[:TOLD]]
    more = f" and {len(ids) - TOLD} more" if len(ids) > TOLD else ""
    return f"{shown(find)} matches several: {', '.join(told)}{more}"


def unmatched(find: Find) -> str:
    """Return why *find*, its fallbacks among it, matches nothing."""
    return ", and ".join(map(_unmatched, find.chain))


def _unmatched(find: Find) -> str:
    if not find.absent:
        return f"{shown(find)} matches nothing"
    meant = "; to look for False write Empty" if any(v is False for _, v in find.where) else ""
    return f"{shown(find)}: the payload has no value for {' and '.join(find.absent)}{meant}"


def shown(find: Find) -> str:
    """Return the find as a person reads it: ``product.product with default_code = 'A-1'``."""
    told = [f"{name} = {value!r:.80}" for name, value in find.where]
    told += [str(plain(find.domain))] if find.domain else []
    told += [f"company {find.company}"] if find.company else []
    terms = " and ".join(told)
    return f"{find.model} with {terms}"


def waits_on(find: Find) -> Waits:
    """Return what a delivery waits for that needs the record of *find*."""
    return Waits(find.model, {name: str(plain(value)) for name, value in find.where})


def _chunks(keys: tuple[LookupKey, ...]) -> Iterator[tuple[LookupKey, ...]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def _all_of(where: tuple[tuple[str, Any], ...]) -> list[Any]:
    return ["&"] * (len(where) - 1) + [[name, "=", value] for name, value in where]


def _searchable(value: Any) -> str | int | float | bool:
    asked = plain(value)
    if not isinstance(asked, str | int | float):
        raise Unwritable(f"{type(value).__name__} cannot be searched for; give text or a number")
    return asked


def _meanings(answered: Any) -> tuple[Any, ...]:
    """Return all that one may have asked for to find this value in a row.

    A many2one comes as ``[id, name]``, a many2many as a list of ids; a number may have been
    asked for in a text field.
    """
    if isinstance(answered, list):
        return tuple(dict.fromkeys(filter(_is_scalar, answered))) or (False,)
    if not _is_scalar(answered):
        return ()
    if answered == "":  # stored so, and found by what is asked of an empty field
        return "", False
    if isinstance(answered, str) and answered == str(_number(answered)):
        return answered, _number(answered)
    return (answered,)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None  # noqa: PLR2004
