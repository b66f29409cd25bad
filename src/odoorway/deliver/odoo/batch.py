"""One batch on its way into Odoo, round by round."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from odoorway.commands import Command, external_id
from odoorway.deliver.http import Forwarder
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.ledger import Ledger
from odoorway.deliver.odoo.lines import LineRemoval, remove_vanished
from odoorway.deliver.odoo.readback import Expectations
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.odoo.resolve import Resolved, Resolver
from odoorway.deliver.odoo.schedule import Stage, schedule
from odoorway.deliver.odoo.steps import take
from odoorway.deliver.odoo.writer import Writer
from odoorway.deliver.port import Job, Verdict
from odoorway.errors import HandlerError
from odoorway.model.delivery import Outcome
from odoorway.transform.flatten import Done, Known, flatten
from odoorway.transform.plan import Plan, Write
from odoorway.transform.rounds import carried, first_round, ready, together

Plans = dict[int, Plan]


class Batch:
    """Carries out the commands of each job in sequence, those of many jobs together.

    In each round every job's next commands are looked up, their records written, and then its
    steps made, in order. A command begins its job's next round when it could see something else
    after the one before it.
    """

    def __init__(
        self,
        odoo: Odoo,
        resolver: Resolver,
        forwarder: Forwarder | None,
        at: Callable[[str], None],
        jobs: Sequence[Job],
    ) -> None:
        """Have everything before it."""
        self._odoo, self._resolver, self._forwarder, self._at = odoo, resolver, forwarder, at
        self._ledger = Ledger(len(jobs))
        self._jobs = list(jobs)
        self._left = {position: tuple(job.commands) for position, job in enumerate(jobs)}
        self._done: dict[int, Done] = {}
        self._steps = dict.fromkeys(self._left, 0)  # made so far
        self._expected = Expectations()
        self.resolved: list[Resolved] = []  # of each round

    async def run(self) -> list[Verdict]:
        """Return one verdict a job, in order; never raises for what Odoo answers."""
        try:
            while positions := list(self._ledger.open()):
                await self._round(positions)
        except Unusable as unusable:
            self._ledger.fail(self._ledger.open(), unusable.verdict)
        await self._read_back()
        return list(self._ledger.verdicts())

    async def _round(self, positions: Sequence[int]) -> None:
        now = list(self._jobs)
        for position in positions:
            commands = self._left[position]
            many = first_round(commands, self._done.get(position, {}))
            now[position] = replace(self._jobs[position], commands=commands[:many])
            if self.resolved:
                self._resolver.look_again(commands[:many])
        resolved = await self._resolver.resolve(now, self._ledger)
        self.resolved.append(resolved)
        try:
            for position in self._ledger.open():
                commands = now[position].commands
                kept = commands[: ready(commands, resolved.matches)]
                now[position] = replace(now[position], commands=kept)
                self._left[position] = self._left[position][len(kept) :]
            await self._write(now, resolved.known)
        finally:
            await self._resolver.adoption.end(resolved.adopted, self._ledger.ids)

    async def _write(self, now: Sequence[Job], known: Known) -> None:
        plans = self._plans(now, known)
        writer = Writer(self._odoo, self._ledger)
        stages = schedule(plans)
        try:
            for number, stage in enumerate(stages):
                await writer.write(stage)
                self._deliver_finished(plans, stages[number + 1 :])
        finally:  # what is written so far is looked at, whatever became of the rest
            for position, plan in plans.items():
                self._expect(position, plan)
        if writer.loads:
            self._at("after-load")
        await self._remove_lines(plans)
        for position in list(self._ledger.open()):
            await self._take_steps(position, plans[position])
            self._note(position, now[position].commands)

    def _plans(self, now: Sequence[Job], known: Known) -> Plans:
        """Return the plans of the jobs that have one; settle the others."""
        plans: Plans = {}
        for position in list(self._ledger.open()):
            job, mine = now[position], replace(known, done=self._done.get(position, {}))
            try:
                plans[position] = flatten(job.source, job.commands, mine)
            except Refused as failed:
                self._ledger.fail([position], failed.verdict)
            except HandlerError as error:
                detail = str(error)
                verdict = Verdict(outcome=Outcome.DEAD, code=error.code, detail=detail)
                self._ledger.fail([position], verdict)
        return plans

    def _deliver_finished(self, plans: Plans, left: Sequence[Stage]) -> None:
        """Settle the jobs with nothing left to do: no later failure of Odoo's concerns them."""
        busy = {job for stage in left for entry in stage for job in entry.jobs}
        for job in list(self._ledger.open()):
            if job not in busy and not plans[job].syncs:
                self._deliver_done(job, plans)

    def _deliver_done(self, job: int, plans: Plans) -> None:
        if not plans[job].steps and not self._left[job]:
            self._ledger.deliver(job)

    async def _remove_lines(self, plans: Plans) -> None:
        open_jobs = list(self._ledger.open())
        tasks = [LineRemoval(job, sync) for job in open_jobs for sync in plans[job].syncs]
        failed = await remove_vanished(self._odoo, self._resolver.kinds, tasks, self._ledger.ids)
        for job, verdict in failed.items():
            self._ledger.fail([job], verdict)
        for job in list(self._ledger.open()):
            self._deliver_done(job, plans)

    async def _take_steps(self, position: int, plan: Plan) -> None:
        event = self._jobs[position].event
        try:
            for step in plan.steps:
                ident = f"{event}_{self._steps[position]}"
                written = await take(self._odoo, self._forwarder, step, self._ledger.ids, ident)
                self._steps[position] += 1
                if isinstance(step, Write) and written:
                    self._expected.written(position, step.model, written, step.values)
                    self._expected.note(position, step.model, written, step)
        except Unusable:
            raise
        except Refused as failed:
            self._ledger.fail([position], failed.verdict)
        else:
            if not self._left[position]:
                self._ledger.deliver(position)

    def _expect(self, position: int, plan: Plan) -> None:
        """Note what is expected of the records of *plan* that are written."""
        for record in (record for level in plan.levels for record in level):
            if self._ledger.has(position, record.xid):
                ident = self._ledger.ids[record.xid]
                self._expected.written(position, record.model, ident, record.values)
        for one in plan.expected:
            if self._ledger.has(position, one.record.xid):
                ident = self._ledger.ids[one.record.xid]
                self._expected.note(position, one.model, ident, one)

    async def _read_back(self) -> None:
        """Hold what Odoo has now against what the handlers of the delivered jobs expect."""
        jobs = self._expected.expecting() & self._ledger.delivered()
        try:
            told, failed = await self._expected.breaches(self._odoo, self._resolver.kinds, jobs)
        except Unusable as unusable:
            self._ledger.revoke(jobs, _unread(unusable.verdict))
            return
        for job, text in told.items():
            self._ledger.breach(job, text)
        for job, verdict in failed.items():
            self._ledger.revoke([job], verdict)

    def _note(self, position: int, commands: Collection[Command]) -> None:
        """Note what of *commands* is written, so that it is not written a second time."""
        if self._left[position] and self._ledger.is_open(position):
            source = self._jobs[position].source
            ours = {
                key: one
                for key, one in carried(commands).items()
                if self._ledger.has(position, external_id(source, key))
            }
            self._done[position] = together(self._done.get(position, {}), ours)


def _unread(verdict: Verdict) -> Verdict:
    """Return what becomes of jobs that are written, and could not be looked at: another try.

    A page of somebody in between that comes once, as when a proxy begins anew, is no reason to give
    up what was written well: they are tried again, a few times, each for itself.
    """
    detail = f"all is written; what is expected could not be read back: {verdict.detail}"
    told = replace(verdict, detail=detail)
    if verdict.code != "odoo.not-odoo":
        return told
    return replace(told, outcome=Outcome.RETRY, blame_destination=False, alone=True)
