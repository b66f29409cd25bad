"""What a batch has to know before it can be planned: lookups, adopted records, kinds of fields."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from odoorway.clock import Clock
from odoorway.commands import Command, Find, Upsert, external_id
from odoorway.deliver.odoo.adopt import Adopted, Adoption, Wanted, wanted
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.existing import Existing
from odoorway.deliver.odoo.kinds import Kinds
from odoorway.deliver.odoo.ledger import Ledger
from odoorway.deliver.odoo.lookup import LookupKey, key_of, settle
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.odoo.searcher import Found, Lookups, Names, names, search
from odoorway.deliver.port import Bindings, Job, Verdict
from odoorway.transform.flatten import Known, finds, upserts
from odoorway.transform.plan import DbId


@dataclass(slots=True)
class Resolved:
    """What Odoo and the journal told of one batch."""

    known: Known
    adopted: Adopted
    wanted: list[Wanted] = field(default_factory=list)
    remembered: dict[int, set[LookupKey]] = field(default_factory=dict)  # answers not asked anew
    records: dict[int, dict[str, str]] = field(default_factory=dict)  # job: external ID: model
    found: Found = field(default_factory=dict)

    def leaned(self, job: int) -> bool:
        """Tell whether *job* was planned with what may be out of date."""
        adopted = self.adopted.ids.keys() & self.records.get(job, {}).keys()
        return bool(self.remembered.get(job) or adopted)

    def matches(self, find: Find) -> bool:
        """Tell whether *find* itself, without its fallbacks, matched; a refusal is an answer."""
        return bool(self.found[key_of(find)])


class Resolver:
    """Asks few questions for many jobs."""

    def __init__(self, odoo: Odoo, bindings: Bindings, clock: Clock, life: float) -> None:
        """Remember lookups for *life* seconds, and adopted records in *bindings*."""
        self._odoo = odoo
        self.adoption = Adoption(bindings)
        self.kinds = Kinds(odoo)
        self._existing = Existing(odoo)
        self.lookups = Lookups(odoo, clock, life)

    async def resolve(self, jobs: Sequence[Job], ledger: Ledger) -> Resolved:
        """Return what is known; a job that asks nonsense, or has to wait, is settled.

        Raises:
            Unusable: Odoo is down.
        """
        asked: dict[int, list[LookupKey]] = {}
        matched: list[Wanted] = []
        for position in list(ledger.open()):
            try:
                asked[position] = _keys(jobs[position])
                matched += wanted(position, jobs[position])
            except Refused as refused:
                ledger.fail([position], refused.verdict)
        await self.kinds.learn(command for job in jobs for command in job.commands)
        records = {position: _records(jobs[position]) for position in asked}
        adopted = await self.adoption.bound(records.values())
        keys = [key for keys in asked.values() for key in keys]
        remembered = set(self.lookups.remembered(keys))
        try:
            found, told = await self._matched(matched, keys, adopted, ledger)
            existing = await self._made_before(jobs, adopted, ledger)
        except BaseException:  # else their natural keys were blocked until a restart
            self.adoption.let_go(adopted)
            raise
        known = Known(
            partial(_resolve, found, told), adopted.ids, self.kinds.types, existing=existing
        )
        leaned = {job: remembered.intersection(keys) for job, keys in asked.items()}
        return Resolved(known, adopted, matched, leaned, records, found)

    async def _matched(
        self, matched: Sequence[Wanted], keys: Sequence[LookupKey], adopted: Adopted, ledger: Ledger
    ) -> tuple[Found, Names]:
        """Look up all that is asked, and adopt what is there."""
        new = [one for one in matched if one.xid not in adopted.ids]
        found = await self.lookups.search([*keys, *(key for one in new for key in one.keys)])
        told = await names(self._odoo, found)
        kept = await self.adoption.kept_out(self._odoo, new, found)
        for one in new:
            if ledger.is_open(one.job):
                try:
                    self.adoption.take(one, found, adopted, told, kept)
                except Refused as refused:
                    ledger.fail([one.job], refused.verdict)
        await self.adoption.remember(adopted.found)
        return found, told

    async def _made_before(
        self, jobs: Sequence[Job], adopted: Adopted, ledger: Ledger
    ) -> frozenset[str]:
        """Return the external IDs, of Upserts with ``initial=``, that Odoo has already."""
        asked = {
            position: _initial(jobs[position]) - set(adopted.ids) for position in ledger.open()
        }
        try:
            return await self._existing.of(xid for xids in asked.values() for xid in xids)
        except Unusable:
            raise
        except Refused:  # of one of them, maybe
            there: set[str] = set()
        for position, xids in asked.items():
            try:
                there |= await self._existing.of(xids)
            except Unusable:
                raise
            except Refused as refused:
                ledger.fail([position], refused.verdict)
        return frozenset(there)

    def look_again(self, commands: Sequence[Command]) -> None:
        """Forget what *commands* look up: what was just carried out may have changed it."""
        again = [find for find in finds(commands) if not find.absent]
        matching = [one.match for one in upserts(commands) if isinstance(one.match, Find)]
        again += [find for first in matching for find in first.chain if not find.absent]
        self.lookups.forget(map(key_of, again))

    async def forget(self, resolved: Resolved, jobs: Sequence[int]) -> None:
        """Ask anew for what *jobs* leaned on, and let go of adopted records that are gone."""
        self.lookups.forget(key for job in jobs for key in resolved.remembered.get(job, ()))
        mine = {x: m for job in jobs for x, m in resolved.records.get(job, {}).items()}
        gone = []
        for model in sorted(set(mine.values())):
            held = {x: i for x, i in resolved.adopted.ids.items() if mine.get(x) == model}
            there = await self._there(model, list(held.values()))
            gone += [xid for xid, ident in held.items() if ident not in there]
        self.lookups.forget(key for w in resolved.wanted if w.xid in gone for key in w.keys)
        await self.adoption.forget(gone)

    async def _there(self, model: str, ids: list[int]) -> set[int]:
        keys = [LookupKey(model, (("id", ident),), active_test=False) for ident in ids]
        found = await search(self._odoo, keys)
        return {ids[n] for n, key in enumerate(keys) if found[key]}


def _records(job: Job) -> dict[str, str]:
    return {external_id(job.source, one.key): one.model for one in upserts(job.commands)}


def _initial(job: Job) -> set[str]:
    return {external_id(job.source, one.key) for one in upserts(job.commands) if one.initial}


def _keys(job: Job) -> list[LookupKey]:
    return [key_of(find) for find in finds(job.commands) if not find.absent]


def _resolve(found: Found, told: Names, find: Find) -> DbId | Upsert | None:
    return settle(find, (_answer(found, one) for one in find.chain), told)


def _answer(found: Found, find: Find) -> tuple[int, ...]:
    answer = () if find.absent else found[key_of(find)]
    if isinstance(answer, Verdict):
        raise Refused(answer)
    return answer
