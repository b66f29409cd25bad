"""What handlers ask before they decide: looked up for a whole batch, and read in bulk."""

from collections.abc import Mapping, Sequence
from typing import Any

from odoorway.commands import Find
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.lookup import key_of, settle
from odoorway.deliver.odoo.refusal import Refused, Unusable, dead
from odoorway.deliver.odoo.searcher import Found, Lookups, Names, names
from odoorway.deliver.port import Verdict
from odoorway.model.delivery import Outcome
from odoorway.transform.plan import DbId

Place = tuple[str, tuple[str, ...]]  # a model, and the fields to read of its records
Rows = Mapping[tuple[Place, int], Mapping[str, Any]]


async def answers(
    odoo: Odoo, lookups: Lookups, questions: Sequence[Sequence[Find]]
) -> Sequence[Verdict]:
    """Return a verdict for each group of finds: the records, or why they cannot be told.

    Raises:
        Unusable: Odoo is down.
    """
    asked = [one for group in questions for find in group for one in find.chain if not one.absent]
    wrong = _unaskable(asked)
    found = await lookups.search([key_of(one) for one in asked if id(one) not in wrong])
    told = await names(odoo, found)
    records = [_settled(group, found, told, wrong) for group in questions]
    rows = await _read(odoo, questions, records)
    return [
        ids if isinstance(ids, Verdict) else _answered(group, ids, rows)
        for group, ids in zip(questions, records, strict=True)
    ]


def _unaskable(finds: Sequence[Find]) -> Mapping[int, Refused]:
    """Return why some of *finds* cannot be asked, by identity: their values may be anything."""
    wrong: dict[int, Refused] = {}
    for one in finds:
        try:
            key_of(one)
        except Refused as refused:
            wrong[id(one)] = refused
    return wrong


def _settled(
    group: Sequence[Find], found: Found, told: Names, wrong: Mapping[int, Refused]
) -> Verdict | list[int | None]:
    try:
        return [_one(find, found, told, wrong) for find in group]
    except Refused as refused:
        return refused.verdict


def _one(find: Find, found: Found, told: Names, wrong: Mapping[int, Refused]) -> int | None:
    matches = []
    for one in find.chain:
        if id(one) in wrong:
            raise wrong[id(one)]
        answer = () if one.absent else found[key_of(one)]
        if isinstance(answer, Verdict):
            raise Refused(answer)
        matches.append(answer)
    settled = settle(find, matches, told)
    return settled.id if isinstance(settled, DbId) else None


async def _read(
    odoo: Odoo,
    questions: Sequence[Sequence[Find]],
    records: Sequence[Verdict | list[int | None]],
) -> Rows | Verdict:
    """Return the fields of all records that were found, one call a model and choice of fields."""
    wanted: dict[Place, set[int]] = {}
    for group, ids in zip(questions, records, strict=True):
        for find, ident in zip(group, ids if isinstance(ids, list) else (), strict=False):
            if ident is not None and find.fields:
                wanted.setdefault((find.model, find.fields), set()).add(ident)
    rows: dict[tuple[Place, int], Mapping[str, Any]] = {}
    for place, idents in wanted.items():
        try:
            rows |= {(place, row["id"]): row for row in await _rows(odoo, place, sorted(idents))}
        except Unusable:
            raise
        except Refused as refused:
            return refused.verdict
    return rows


async def _rows(odoo: Odoo, place: Place, ids: list[int]) -> Sequence[Mapping[str, Any]]:
    model, fields = place
    return await odoo.rows(model, "read", ids=ids, fields=fields)


def _answered(group: Sequence[Find], ids: Sequence[int | None], rows: Rows | Verdict) -> Verdict:
    if isinstance(rows, Verdict):
        return rows
    told: list[Mapping[str, Any] | None] = []
    for find, ident in zip(group, ids, strict=True):
        if ident is None or not find.fields:
            told.append(None if ident is None else {"id": ident})
        elif (row := rows.get(((find.model, find.fields), ident))) is not None:
            told.append({"id": ident, **{name: row.get(name) for name in find.fields}})
        else:
            return dead("odoo.no-match", f"{find.model} {ident} does not exist any more").verdict
    return Verdict(outcome=Outcome.DELIVERED, answers=tuple(told))
