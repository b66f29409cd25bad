"""Odoo as a destination: many deliveries become few calls."""

from collections.abc import Callable, Sequence
from typing import Any

from odoorway.clock import Clock, SystemClock
from odoorway.commands import Find
from odoorway.deliver.http import Forwarder
from odoorway.deliver.odoo.answering import answers
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.explain import explain
from odoorway.deliver.odoo.ledger import Ledger
from odoorway.deliver.odoo.lines import LineRemoval, remove_vanished
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.odoo.resolve import Resolved, Resolver
from odoorway.deliver.odoo.schedule import Stage, schedule
from odoorway.deliver.odoo.steps import take
from odoorway.deliver.odoo.transport import Caller
from odoorway.deliver.odoo.writer import Writer
from odoorway.deliver.port import Bindings, Job, ShortBindings, Verdict
from odoorway.errors import HandlerError
from odoorway.model.delivery import Outcome
from odoorway.transform.flatten import Known, flatten
from odoorway.transform.plan import Plan

LOOKUP_LIFE = 30.0  # seconds a lookup's answer is used again
# What an answer that was remembered too long leads to, and what ends with the batch.
_OUT_OF_DATE, _WAITS_FOR_NEIGHBOUR = "odoo.no-match", "odoo.awaiting-match"


def _nowhere(_point: str) -> None:
    """Pass every named point; crash tests stop here instead."""


class OdooDestination:
    """Writes jobs into one Odoo. Implements ``deliver.port.Destination``.

    All records of a batch are written before any Update, Call or Forward of it is made; a job's
    own steps keep their order, and jobs theirs.
    """

    def __init__(  # noqa: PLR0913 - the composition root gives each part
        self,
        client: Caller,
        *,
        bindings: Bindings | None = None,
        forwarder: Forwarder | None = None,
        at: Callable[[str], None] = _nowhere,
        clock: Clock | None = None,
        lookup_life: float = LOOKUP_LIFE,
    ) -> None:
        """Ask through *client*; ``at`` is called with the name of each point that is passed."""
        self._client, self._at = client, at
        self._forwarder = forwarder
        clock = clock or SystemClock()
        self._odoo = Odoo(client, clock)
        self._resolver = Resolver(self._odoo, bindings or ShortBindings(), clock, lookup_life)

    async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        """Write the jobs' commands; return one verdict a job, in the same order.

        Never raises for what Odoo answers. Delivering a job again has the same effect as once.
        """
        verdicts, resolved = await self._once(jobs)
        doubtful = _doubtful(verdicts, resolved)
        if doubtful and resolved and await self._forgotten(resolved, doubtful):
            again, _ = await self._once([jobs[position] for position in doubtful])
            for position, verdict in zip(doubtful, again, strict=True):
                verdicts[position] = verdict
        return verdicts

    async def look_up(self, questions: Sequence[Sequence[Find]]) -> Sequence[Verdict]:
        """See ``Destination.look_up``."""
        try:
            return await answers(self._odoo, self._resolver.lookups, questions)
        except Unusable as unusable:
            return [unusable.verdict] * len(questions)

    async def probe(self) -> Verdict:
        """Ask cheaply whether Odoo answers, knows the database and takes the key."""
        try:
            await self._odoo.ask("res.users", "context_get")
        except Refused as refused:
            return refused.verdict
        return Verdict(outcome=Outcome.DELIVERED)

    def explain(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Return the calls that `deliver` would make, asking and writing nothing."""
        return explain(jobs)

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.close()
        if self._forwarder:
            await self._forwarder.close()

    async def _once(self, jobs: Sequence[Job]) -> tuple[list[Verdict], Resolved | None]:
        ledger = Ledger(len(jobs))
        resolved: Resolved | None = None
        try:
            resolved = await self._resolver.resolve(jobs, ledger)
            try:
                await self._write(jobs, resolved.known, ledger)
            finally:
                await self._resolver.adoption.end(resolved.adopted, ledger.ids)
        except Unusable as unusable:
            ledger.fail(ledger.open(), unusable.verdict)
        return list(ledger.verdicts()), resolved

    async def _forgotten(self, resolved: Resolved, jobs: Sequence[int]) -> bool:
        """Let go of what may be out of date, so that *jobs* can be tried with what is true now."""
        try:
            await self._resolver.forget(resolved, jobs)
        except Refused:
            return False
        return True

    async def _write(self, jobs: Sequence[Job], known: Known, ledger: Ledger) -> None:
        plans = _plans(jobs, known, ledger)
        writer = Writer(self._odoo, ledger)
        stages = schedule(plans)
        for number, stage in enumerate(stages):
            await writer.write(stage)
            _deliver_finished(plans, stages[number + 1 :], ledger)
        if writer.loads:
            self._at("after-load")
        await self._remove_lines(plans, ledger)
        for position in list(ledger.open()):
            await self._steps(jobs[position], position, plans[position], ledger)

    async def _remove_lines(self, plans: dict[int, Plan], ledger: Ledger) -> None:
        open_jobs = list(ledger.open())
        tasks = [LineRemoval(job, sync) for job in open_jobs for sync in plans[job].syncs]
        failed = await remove_vanished(self._odoo, self._resolver.kinds, tasks, ledger.ids)
        for job, verdict in failed.items():
            ledger.fail([job], verdict)
        for job in list(ledger.open()):
            if not plans[job].steps:
                ledger.deliver(job)

    async def _steps(self, job: Job, position: int, plan: Plan, ledger: Ledger) -> None:
        try:
            for number, step in enumerate(plan.steps):
                await take(self._odoo, self._forwarder, step, ledger.ids, f"{job.event}_{number}")
        except Unusable:
            raise
        except Refused as failed:
            ledger.fail([position], failed.verdict)
        else:
            ledger.deliver(position)


def _doubtful(verdicts: Sequence[Verdict], resolved: Resolved | None) -> list[int]:
    """Return the jobs that may go well a second time, with fresh answers or after a neighbour."""
    if resolved is None or any(verdict.blame_destination for verdict in verdicts):
        return []
    waiting = {w.job for w in resolved.wanted}
    return [
        job
        for job, verdict in enumerate(verdicts)
        if (verdict.code == _OUT_OF_DATE and resolved.leaned(job))
        or (verdict.code == _WAITS_FOR_NEIGHBOUR and job in waiting)
    ]


def _plans(jobs: Sequence[Job], known: Known, ledger: Ledger) -> dict[int, Plan]:
    """Return the plans of the jobs that have one; settle the others."""
    plans: dict[int, Plan] = {}
    for position in list(ledger.open()):
        job = jobs[position]
        try:
            plans[position] = flatten(job.source, job.commands, known)
        except Refused as failed:
            ledger.fail([position], failed.verdict)
        except HandlerError as error:
            detail = str(error)
            verdict = Verdict(outcome=Outcome.DEAD, code=error.code, detail=detail)
            ledger.fail([position], verdict)
    return plans


def _deliver_finished(plans: dict[int, Plan], left: Sequence[Stage], ledger: Ledger) -> None:
    """Settle the jobs with nothing left to do: no later failure of Odoo's concerns them."""
    busy = {job for stage in left for entry in stage for job in entry.jobs}
    for job in list(ledger.open()):
        if job not in busy and not plans[job].steps and not plans[job].syncs:
            ledger.deliver(job)
