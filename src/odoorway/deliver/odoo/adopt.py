"""Which records of the batch Odoo already has under a natural key, and which it is about to get."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from odoorway.commands import Find, Upsert, external_id
from odoorway.deliver.odoo.lookup import Key, key_of, shown
from odoorway.deliver.odoo.refusal import dead, later
from odoorway.deliver.port import Binding, Bindings, Job, Verdict
from odoorway.transform.flatten import upserts


@dataclass(frozen=True, slots=True)
class Wanted:
    """An Upsert with ``match=``, of one job of the batch."""

    job: int
    model: str
    xid: str
    find: Find
    key: Key


@dataclass(slots=True)
class Adopted:
    """What is known of the wanted records of one batch."""

    ids: dict[str, int] = field(default_factory=dict)  # by external ID; bound or just found
    found: list[Binding] = field(default_factory=list)  # to be bound before they are written
    made: dict[Key, Wanted] = field(default_factory=dict)  # Odoo has none: this batch makes it


def wanted(position: int, job: Job) -> Iterator[Wanted]:
    """Yield the job's Upserts with ``match=``, those with a value to match.

    Raises:
        Refused: a value cannot be searched for.
    """
    for one in upserts(job.commands):
        if isinstance(one.match, Find) and not one.match.absent:
            yield _wanted(position, job.source, one, one.match)


def _wanted(position: int, source: str, upsert: Upsert, find: Find) -> Wanted:
    xid = external_id(source, upsert.key)
    return Wanted(position, upsert.model, xid, find, key_of(find))


class Adoption:
    """Sees to it that one natural key makes one record, whatever comes at once.

    Within a process: what one batch is about to make, no other does, nor a second job of the
    same batch. Two gateways that meet the same new natural key in the same moment can each make
    a record.
    """

    def __init__(self, bindings: Bindings) -> None:
        """Remember what is found in *bindings*."""
        self._bindings = bindings
        self._making: set[Key] = set()

    async def bound(self, records: Iterable[Iterable[str]]) -> Adopted:
        """Return which of these external IDs are bound, whoever bound them."""
        xids = list(dict.fromkeys(xid for group in records for xid in group))
        return Adopted(dict(await self._bindings.known(xids)) if xids else {})

    def take(self, one: Wanted, answer: tuple[int, ...] | Verdict, adopted: Adopted) -> None:
        """Decide by what was found for *one*.

        Raises:
            Refused: several match, it cannot be searched for, or another delivery is about to
                make it, so that this one has to wait.
        """
        if isinstance(answer, Verdict):
            raise dead(answer.code or "odoo.no-match", answer.detail)
        if len(answer) > 1:
            raise dead("odoo.many-matches", f"{shown(one.find)} matches ids {answer[:10]}")
        if answer:
            adopted.ids[one.xid] = answer[0]
            adopted.found.append((one.model, one.xid, answer[0]))
            return
        maker = adopted.made.get(one.key)
        if (maker and maker.xid != one.xid) or (not maker and one.key in self._making):
            text = f"{shown(one.find)} is being made by another delivery"
            raise later("odoo.awaiting-match", text)
        self._making.add(one.key)
        adopted.made[one.key] = one

    async def remember(self, bindings: Sequence[Binding]) -> None:
        """Bind what was found, or made."""
        if bindings:
            await self._bindings.bind(bindings)

    async def forget(self, xids: Sequence[str]) -> None:
        """Forget records that are gone."""
        await self._bindings.forget(xids)

    async def end(self, adopted: Adopted, ids: Mapping[str, int]) -> None:
        """Bind what the batch made, and let others look for what it did not."""
        made = [(w.model, w.xid, ids[w.xid]) for w in adopted.made.values() if w.xid in ids]
        try:
            await self.remember(made)
        finally:
            self._making -= set(adopted.made)
