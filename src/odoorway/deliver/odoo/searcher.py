"""Asks Odoo for all the finds of a batch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from odoorway.clock import Clock
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.lookup import LIMIT, TOLD, LookupKey, Question, questions
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.port import Verdict

_ALL_GUILTY = {"odoo.access-denied", "odoo.unknown-model", "odoo.unknown-field"}
Answered = tuple[int, ...] | Verdict
Found = Mapping[LookupKey, Answered]
Names = Mapping[tuple[str, int], str]  # by model and database id
_MOST = 20_000  # answers remembered


class Lookups:
    """Searches, and remembers for a short time which one record matched."""

    def __init__(self, odoo: Odoo, clock: Clock, life: float) -> None:
        """Remember an answer for *life* seconds."""
        self._odoo, self._clock, self._life = odoo, clock, life
        self._known: dict[LookupKey, tuple[tuple[int, ...], float]] = {}

    def remembered(self, keys: Iterable[LookupKey]) -> dict[LookupKey, tuple[int, ...]]:
        """Return the answers that are still good."""
        now = self._clock.now()
        kept = {key: self._known[key] for key in keys if key in self._known}
        # Not longer than its life, also on a clock that was set back.
        return {key: ids for key, (ids, until) in kept.items() if 0 < until - now <= self._life}

    def forget(self, keys: Iterable[LookupKey]) -> None:
        """Ask again next time."""
        for key in keys:
            self._known.pop(key, None)

    async def search(self, keys: Iterable[LookupKey]) -> Found:
        """Return the ids that match each key, or the verdict on a key that cannot be searched for.

        Raises:
            Unusable: Odoo is down.
        """
        wanted = list(keys)
        known = self.remembered(wanted)
        found = await search(self._odoo, (key for key in wanted if key not in known))
        self._remember(found)
        return {**known, **found}

    def _remember(self, found: Found) -> None:
        """Keep what was found: that nothing matched may change at any moment."""
        if len(self._known) + len(found) > _MOST:
            self._known.clear()
        until = self._clock.now() + self._life
        for key, answer in found.items():
            if isinstance(answer, tuple) and len(answer) == 1:
                self._known[key] = answer, until


async def search(odoo: Odoo, keys: Iterable[LookupKey]) -> Found:
    """Return the ids that match each key, or the verdict on a key that Odoo cannot search for.

    Raises:
        Unusable: Odoo is down.
    """
    found: dict[LookupKey, tuple[int, ...] | Verdict] = {}
    for question in questions(keys):
        found |= await _answer(odoo, question)
    return found


async def names(odoo: Odoo, found: Found) -> Names:
    """Return what the records are called of which several match: a person tells them apart by it.

    Raises:
        Unusable: Odoo is down.
    """
    several: dict[str, dict[int, None]] = {}
    for key, answer in found.items():
        if isinstance(answer, tuple) and len(answer) > 1:
            several.setdefault(key.model, {}).update(dict.fromkeys(answer[:TOLD]))
    told: dict[tuple[str, int], str] = {}
    for model, ids in several.items():
        for row in await _read_names(odoo, model, list(ids)):
            told[model, row["id"]] = str(row["display_name"])
    return told


async def _read_names(odoo: Odoo, model: str, ids: list[int]) -> Sequence[Mapping[str, Any]]:
    try:
        return await odoo.rows(model, "read", ids=ids, fields=["display_name"])
    except Unusable:
        raise
    except Refused:
        return []


async def _answer(odoo: Odoo, question: Question) -> dict[LookupKey, tuple[int, ...] | Verdict]:
    alone = len(question.keys) == 1
    try:
        rows = await odoo.rows(question.model, "search_read", **question.body)
    except Unusable:
        raise
    except Refused as refused:
        if alone or refused.verdict.code in _ALL_GUILTY:
            return dict.fromkeys(question.keys, refused.verdict)
        return await _halved(odoo, question)
    if len(rows) >= LIMIT and not alone:  # the answer may be cut
        return await _halved(odoo, question)
    return dict(question.answers(rows))


async def _halved(odoo: Odoo, question: Question) -> dict[LookupKey, tuple[int, ...] | Verdict]:
    first, second = question.halves()
    return await _answer(odoo, first) | await _answer(odoo, second)
