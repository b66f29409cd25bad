"""One Odoo database as a destination: many deliveries become few calls."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from odoorway.clock import Clock, SystemClock
from odoorway.commands import Find, Upsert
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.explain import explain
from odoorway.deliver.odoo.ledger import Ledger
from odoorway.deliver.odoo.lookup import key_of, settle
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.odoo.schedule import Stage, schedule
from odoorway.deliver.odoo.searcher import Found, search
from odoorway.deliver.odoo.steps import take
from odoorway.deliver.odoo.transport import Caller
from odoorway.deliver.odoo.writer import Writer
from odoorway.deliver.port import Job, Verdict
from odoorway.errors import HandlerError
from odoorway.model.delivery import Outcome
from odoorway.transform.flatten import DbId, Plan, finds, flatten


def _nowhere(_point: str) -> None:
    """Pass every named point; crash tests stop here instead."""


class OdooDestination:
    """Writes jobs into one Odoo. Implements ``deliver.port.Destination``.

    All records of a batch are written before any Update or Call of it is made; a job's own
    Updates and Calls keep their order, and jobs theirs.
    """

    def __init__(
        self,
        client: Caller,
        *,
        at: Callable[[str], None] = _nowhere,
        clock: Clock | None = None,
    ) -> None:
        """Ask through *client*; ``at`` is called with the name of each point that is passed."""
        self._client, self._at = client, at
        self._odoo = Odoo(client, clock or SystemClock())

    async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        """Write the jobs' commands; return one verdict a job, in the same order.

        Never raises for what Odoo answers. Delivering a job again has the same effect as once.
        """
        ledger = Ledger(len(jobs))
        try:
            await self._deliver(jobs, ledger)
        except Unusable as unusable:
            ledger.fail(ledger.open(), unusable.verdict)
        return ledger.verdicts()

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

    async def _deliver(self, jobs: Sequence[Job], ledger: Ledger) -> None:
        plans = _plans(jobs, await self._find(jobs, ledger), ledger)
        writer = Writer(self._odoo, ledger)
        stages = schedule(plans)
        for number, stage in enumerate(stages):
            await writer.write(stage)
            _deliver_finished(plans, stages[number + 1 :], ledger)
        if writer.loads:
            self._at("after-load")
        for job in list(ledger.open()):
            await self._steps(job, plans[job], ledger)

    async def _find(self, jobs: Sequence[Job], ledger: Ledger) -> Found:
        """Look up all that the jobs refer to; a job that asks nonsense fails alone."""
        keys = []
        for position, job in enumerate(jobs):
            try:
                keys += [key_of(find) for find in finds(job.commands)]
            except Refused as failed:
                ledger.fail([position], failed.verdict)
        return await search(self._odoo, keys)

    async def _steps(self, job: int, plan: Plan, ledger: Ledger) -> None:
        try:
            for step in plan.steps:
                await take(self._odoo, step, ledger.ids)
        except Unusable:
            raise
        except Refused as failed:
            ledger.fail([job], failed.verdict)
        else:
            ledger.deliver(job)


def _plans(jobs: Sequence[Job], found: Found, ledger: Ledger) -> dict[int, Plan]:
    """Return the plans of the jobs that have one; settle the others."""
    plans: dict[int, Plan] = {}
    for position in list(ledger.open()):
        job = jobs[position]
        try:
            plans[position] = flatten(job.source, job.commands, partial(_resolve, found))
        except Refused as failed:
            ledger.fail([position], failed.verdict)
        except HandlerError as error:
            detail = str(error)
            verdict = Verdict(outcome=Outcome.DEAD, code="handler.no-command", detail=detail)
            ledger.fail([position], verdict)
    return plans


def _resolve(found: Found, find: Find) -> DbId | Upsert | None:
    answer = found[key_of(find)]
    if isinstance(answer, Verdict):
        raise Refused(answer)
    return settle(find, answer)


def _deliver_finished(plans: dict[int, Plan], left: Sequence[Stage], ledger: Ledger) -> None:
    """Settle the jobs with nothing left to do: no later failure of Odoo's concerns them."""
    busy = {job for stage in left for entry in stage for job in entry.jobs}
    for job in list(ledger.open()):
        if job not in busy and not plans[job].steps:
            ledger.deliver(job)
