"""Odoo as a destination: many deliveries become few calls."""

from collections.abc import Callable, Sequence
from typing import Any

from odoorway.clock import Clock, SystemClock
from odoorway.commands import Find
from odoorway.deliver.http import Forwarder
from odoorway.deliver.odoo.answering import answers
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.batch import Batch
from odoorway.deliver.odoo.explain import explain
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.odoo.resolve import Resolved, Resolver
from odoorway.deliver.odoo.transport import Caller
from odoorway.deliver.port import Bindings, Job, ShortBindings, Verdict
from odoorway.model.delivery import Outcome

LOOKUP_LIFE = 30.0  # seconds a lookup's answer is used again
# What an answer that was remembered too long leads to, and what ends with the batch.
_OUT_OF_DATE, _WAITS_FOR_NEIGHBOUR = "odoo.no-match", "odoo.awaiting-match"


def _nowhere(_point: str) -> None:
    """Pass every named point; crash tests stop here instead."""


class OdooDestination:
    """Writes jobs into one Odoo. Implements ``deliver.port.Destination``.

    The commands of a job are carried out in sequence, so that a later one sees what an earlier
    one made; those of many jobs together, as ``batch`` says.
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
        batch = self._batch(jobs)
        verdicts = await batch.run()
        doubtful = _doubtful(verdicts, batch.resolved)
        if doubtful and await self._forgotten(batch.resolved, doubtful):
            again = await self._batch([jobs[position] for position in doubtful]).run()
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

    def _batch(self, jobs: Sequence[Job]) -> Batch:
        return Batch(self._odoo, self._resolver, self._forwarder, self._at, jobs)

    async def _forgotten(self, rounds: Sequence[Resolved], jobs: Sequence[int]) -> bool:
        """Let go of what may be out of date, so that *jobs* can be tried with what is true now."""
        try:
            for resolved in rounds:
                await self._resolver.forget(resolved, jobs)
        except Refused:
            return False
        return True


def _doubtful(verdicts: Sequence[Verdict], rounds: Sequence[Resolved]) -> list[int]:
    """Return the jobs that may go well a second time, with fresh answers or after a neighbour."""
    if any(verdict.blame_destination for verdict in verdicts):
        return []
    waiting = {w.job for resolved in rounds for w in resolved.wanted}
    return [
        job
        for job, verdict in enumerate(verdicts)
        if (verdict.code == _OUT_OF_DATE and any(one.leaned(job) for one in rounds))
        or (verdict.code == _WAITS_FOR_NEIGHBOUR and job in waiting)
    ]
