"""Asks Odoo for all the finds of a batch."""

from collections.abc import Iterable, Mapping

from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.lookup import LIMIT, Key, Question, questions
from odoorway.deliver.odoo.refusal import Refused, Unusable, unexpected
from odoorway.deliver.port import Verdict

_ALL_GUILTY = {"odoo.access-denied", "odoo.unknown-model", "odoo.unknown-field"}
Found = Mapping[Key, tuple[int, ...] | Verdict]


async def search(odoo: Odoo, keys: Iterable[Key]) -> Found:
    """Return the ids that match each key, or the verdict on a key that Odoo cannot search for.

    Raises:
        Unusable: Odoo is down.
    """
    found: dict[Key, tuple[int, ...] | Verdict] = {}
    for question in questions(keys):
        found |= await _answer(odoo, question)
    return found


async def _answer(odoo: Odoo, question: Question) -> dict[Key, tuple[int, ...] | Verdict]:
    alone = len(question.keys) == 1
    try:
        rows = await odoo.ask(question.model, "search_read", **question.body)
        if not isinstance(rows, list):
            raise unexpected(question.model, "search_read", rows)
    except Unusable:
        raise
    except Refused as refused:
        if alone or refused.verdict.code in _ALL_GUILTY:
            return dict.fromkeys(question.keys, refused.verdict)
        return await _halved(odoo, question)
    if len(rows) >= LIMIT and not alone:  # the answer may be cut
        return await _halved(odoo, question)
    return dict(question.answers(rows))


async def _halved(odoo: Odoo, question: Question) -> dict[Key, tuple[int, ...] | Verdict]:
    first, second = question.halves()
    return await _answer(odoo, first) | await _answer(odoo, second)
