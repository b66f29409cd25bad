"""Which records of the batch Odoo already has under a natural key, and which it is about to get."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from odoorway.commands import Adopt, Find, external_id
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.insiders import CONTACTS, Insiders, insiders
from odoorway.deliver.odoo.lookup import LookupKey, key_of, several, shown
from odoorway.deliver.odoo.refusal import Refused, dead, later
from odoorway.deliver.odoo.searcher import Answered, Found, Names
from odoorway.deliver.port import Binding, Bindings, Job, Verdict
from odoorway.transform.flatten import upserts


@dataclass(frozen=True, slots=True)
class Wanted:
    """An Upsert with ``match=``, of one job of the batch."""

    job: int
    model: str
    xid: str
    finds: tuple[Find, ...]  # each looked for when those before it match nothing
    keys: tuple[LookupKey, ...]
    adopt: Adopt

    def match(self, found: Found) -> tuple[Find, Answered]:
        """Return the first lookup that matches, or the last, with its answer."""
        for find, key in zip(self.finds, self.keys, strict=True):
            if found[key]:
                return find, found[key]
        return self.finds[-1], ()


@dataclass(slots=True)
class Adopted:
    """What is known of the wanted records of one batch."""

    ids: dict[str, int] = field(default_factory=dict)  # by external ID; bound or just found
    found: list[Binding] = field(default_factory=list)  # to be bound before they are written
    made: dict[LookupKey, Wanted] = field(default_factory=dict)  # not there: this batch makes it


def wanted(position: int, job: Job) -> Iterator[Wanted]:
    """Yield the job's Upserts with ``match=``, those with a value to match.

    Raises:
        Refused: a value cannot be searched for.
    """
    for one in upserts(job.commands):
        chain = one.match.chain if isinstance(one.match, Find) else ()
        finds = tuple(find for find in chain if not find.absent)
        if finds:
            xid, keys = external_id(job.source, one.key), tuple(map(key_of, finds))
            yield Wanted(position, one.model, xid, finds, keys, one.adopt)


def _check_adoption(one: Wanted, find: Find, ident: int, kept_out: Insiders) -> None:
    """Raise Refused when that record is not to be adopted, or nobody knows."""
    told = kept_out.judge(one.adopt, one.model, ident)
    if isinstance(told, Verdict):
        raise Refused(told)
    if told:
        text = f"{shown(find)} matches {told} (id {ident}), a user's or a company's contact"
        raise dead("odoo.not-adopted", text)


class Adoption:
    """Sees to it that one natural key makes one record, whatever comes at once.

    Within a process: what one batch is about to make, no other does, nor a second job of the
    same batch. Two gateways that meet the same new natural key in the same moment can each make
    a record.
    """

    def __init__(self, bindings: Bindings) -> None:
        """Remember what is found in *bindings*."""
        self._bindings = bindings
        self._making: set[LookupKey] = set()

    async def bound(self, records: Iterable[Iterable[str]]) -> Adopted:
        """Return which of these external IDs are bound, whoever bound them."""
        xids = list(dict.fromkeys(xid for group in records for xid in group))
        return Adopted(dict(await self._bindings.known(xids)) if xids else {})

    def take(
        self, one: Wanted, found: Found, adopted: Adopted, names: Names, kept_out: Insiders
    ) -> None:
        """Decide by what was found for *one*.

        Raises:
            Refused: several match, it is not to be adopted, it cannot be searched for, or another
                delivery is about to make it, so that this one has to wait.
        """
        find, answer = one.match(found)
        if isinstance(answer, Verdict):
            raise dead(answer.code or "odoo.no-match", answer.detail)
        if len(answer) > 1:
            raise dead("odoo.many-matches", several(find, answer, names))
        if answer:
            _check_adoption(one, find, answer[0], kept_out)
            adopted.ids[one.xid] = answer[0]
            adopted.found.append((one.model, one.xid, answer[0]))
            return
        for find, key in zip(one.finds, one.keys, strict=True):
            maker = adopted.made.get(key)
            if (maker and maker.xid != one.xid) or (not maker and key in self._making):
                text = f"{shown(find)} is being made by another delivery"
                raise later("odoo.awaiting-match", text)
        self._making.update(one.keys)
        adopted.made.update(dict.fromkeys(one.keys, one))

    async def kept_out(self, odoo: Odoo, new: Sequence[Wanted], found: Found) -> Insiders:
        """Ask which of the records that are about to be adopted must not be.

        Raises:
            Unusable: Odoo is down.
        """
        answers = [(one, one.match(found)[1]) for one in new if one.model == CONTACTS]
        one_each = [
            (one.adopt, ids[0]) for one, ids in answers if isinstance(ids, tuple) and len(ids) == 1
        ]
        return await insiders(odoo, one_each)

    async def remember(self, bindings: Sequence[Binding]) -> None:
        """Bind what was found, or made."""
        if bindings:
            await self._bindings.bind(bindings)

    async def forget(self, xids: Sequence[str]) -> None:
        """Forget records that are gone."""
        await self._bindings.forget(xids)

    def let_go(self, adopted: Adopted) -> None:
        """Let others look for what a batch meant to make."""
        self._making -= set(adopted.made)

    async def end(self, adopted: Adopted, ids: Mapping[str, int]) -> None:
        """Bind what the batch made, and let others look for what it did not."""
        made = {(w.model, w.xid, ids[w.xid]) for w in adopted.made.values() if w.xid in ids}
        try:
            await self.remember(sorted(made))
        finally:
            self.let_go(adopted)
