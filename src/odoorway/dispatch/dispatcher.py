"""The engine: lease what is due, transform it, deliver it as one batch, settle."""

import asyncio
import contextlib
import random
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from odoorway import tracing
from odoorway.clock import Clock
from odoorway.deliver.port import Destination, Job, Verdict
from odoorway.dispatch.breaker import Breaker
from odoorway.dispatch.pace import Allowance, Pace
from odoorway.dispatch.retry_policy import RetryPolicy
from odoorway.dispatch.settle import settlement
from odoorway.errors import JournalUnavailable
from odoorway.gateway import Route
from odoorway.journal.port import Journal
from odoorway.model.delivery import Leased, Outcome, Settlement
from odoorway.model.standing import Standing
from odoorway.model.version import is_older
from odoorway.telemetry import Counter, Histogram, Log, count, log, observe
from odoorway.transform.run import Commands, Settled, transform
from odoorway.transform.shown import shown

_MAY_BE_ITS_OWN_FAULT = {"odoo.timeout", "odoo.empty-answer", "odoo.unavailable"}
_LOG = {
    Outcome.DELIVERED: Log.DELIVERED,
    Outcome.RETRY: Log.RETRY,
    Outcome.DEAD: Log.DEAD,
    Outcome.SKIPPED: Log.SKIPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchLimits:
    """How much is under way to one destination."""

    batch: int = 400  # deliveries a batch, at most
    concurrency: int = 2  # batches at once, at most
    rate: float = 0.0  # deliveries a second, at most; 0 sets no limit
    lease: float = 300.0  # seconds; longer than any batch can take
    poll: float = 1.0  # seconds; finds what another process added to the journal


def _nowhere(_point: str) -> None:
    """Pass every named point; crash tests stop here instead."""


class Dispatcher:
    """Moves deliveries from the journal to one destination.

    Several batches may be under way at once; a lane is only ever in one of them. Whatever a
    handler, the destination or the journal does, the loop goes on.
    """

    def __init__(  # noqa: PLR0913 - the composition root gives each part
        self,
        name: str,
        destination: Destination,
        routes: Mapping[str, Route],
        journal: Journal,
        clock: Clock,
        *,
        owner: str,
        policy: RetryPolicy | None = None,
        limits: DispatchLimits | None = None,
        draw: Callable[[], float] = random.random,
        at: Callable[[str], None] = _nowhere,
    ) -> None:
        """Serve the deliveries planned for the destination called *name*, as *owner*."""
        self.name = name
        self.breaker = Breaker()
        self._destination, self._routes, self._journal = destination, routes, journal
        self._clock, self._owner, self._draw, self._at = clock, owner, draw, at
        self._policy = policy or RetryPolicy()
        self._limits = limits or DispatchLimits()
        self.pace = Pace.start(self._limits.batch, self._limits.concurrency)
        self._allowance = Allowance(self._limits.rate)
        self._busy = 0  # batches under way
        self._shown: dict[int, str] = {}  # the commands of deliveries under way
        self._noted = self.breaker  # as the journal knows it
        self._why: Verdict | None = None
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look at the journal now: something was appended."""
        self._wake.set()

    def stop(self) -> None:
        """Lease nothing more; ``run`` returns when the batches under way are settled."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Deliver until stopped."""
        await self._recall()
        async with asyncio.TaskGroup() as lanes:
            for _ in range(self._limits.concurrency):
                lanes.create_task(self._worker())

    async def step(self) -> int:
        """Lease, deliver and settle one batch; return how many deliveries it held.

        With the breaker open it only asks the destination, once its pause is over.
        """
        if not self.breaker.closed and not await self._probe():
            await self._note()
            return 0
        if self._busy >= self.pace.concurrency:
            return 0
        self._busy += 1
        try:
            return await self._batch()
        finally:
            self._busy -= 1

    async def _batch(self) -> int:
        now = self._clock.now()
        self._allowance = self._allowance.at_time(now)
        limit = self._allowance.take(self.pace.batch)
        if not limit:
            return 0
        leased = await self._journal.lease(
            self.name, self._owner, limit=limit, now=now, until=now + self._limits.lease
        )
        self._allowance = self._allowance.spent(len(leased))
        if leased:
            self._at("after-lease")
            await self._settle(leased, await self._verdicts(leased), now)
        await self._note()
        return len(leased)

    async def _recall(self) -> None:
        """Take up the breaker as the last process left it, and ask the destination at once."""
        with contextlib.suppress(JournalUnavailable):
            known = await self._journal.standing(self.name)
            self.breaker = self._noted = Breaker(failures=known.failures)

    async def _note(self) -> None:
        """Let the journal know how the breaker stands now."""
        if self.breaker != self._noted:
            why = None if self.breaker.closed else self._why
            self._noted = self.breaker
            await self._journal.note_breaker(
                Standing(
                    name=self.name,
                    failures=self.breaker.failures,
                    until=self.breaker.until,
                    code=why.code if why else None,
                    detail=why.detail if why else "",
                    changed_at=self._clock.now(),
                )
            )

    async def _worker(self) -> None:
        while not self._stopping:
            self._wake.clear()
            if not await self._safe_step() and not self._stopping:
                await self._rest()
        self._wake.set()

    async def _safe_step(self) -> int:
        try:
            return await self.step()
        except JournalUnavailable as error:
            log(Log.JOURNAL_FAILED, error=str(error))
        except Exception:  # noqa: BLE001 - a bug must not stop every other delivery
            log(Log.INTERNAL, traceback=traceback.format_exc())
        return 0

    async def _rest(self) -> None:
        """Wait until something is appended or due, or for the poll time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(await self._rest_time()):
                await self._wake.wait()

    async def _rest_time(self) -> float:
        now = self._clock.now()
        if not self.breaker.closed:
            return min(self._limits.poll, max(0.01, self.breaker.until - now))
        if self._busy >= self.pace.concurrency:
            return self._limits.poll
        try:
            due = await self._journal.next_due(self.name)
        except JournalUnavailable:
            due = None
        if due is None:
            return self._limits.poll
        return min(self._limits.poll, max(0.0, due - now, self._allowance.at_time(now).wait()))

    async def _probe(self) -> bool:
        """Ask the resting destination whether it works again."""
        if self._clock.now() < self.breaker.until:
            return False
        verdict = await self._destination.probe()
        if verdict.outcome is Outcome.DELIVERED:
            self.breaker = self.breaker.worked()
            log(Log.RESUMED, destination=self.name)
            return True
        self._trip(verdict)
        return False

    async def _verdicts(self, leased: Sequence[Leased]) -> Sequence[Verdict]:
        """Return one verdict a delivery: from its handler, or from the destination."""
        decided = [self._transform(one) for one in leased]
        jobs = [job for job in decided if isinstance(job, Job)]
        answers = await self._deliver(jobs) if jobs else ()
        self._learn(jobs, answers)
        fair = (self._fair(verdict, len(jobs)) for verdict in answers)
        return [next(fair) if isinstance(one, Job) else one for one in decided]

    async def _deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        """Deliver, and stop well before the lease ends: a late batch must not meet its repeat."""
        try:
            async with asyncio.timeout(self._limits.lease * 0.8):
                return await self._destination.deliver(jobs)
        except TimeoutError:
            late = Verdict(
                outcome=Outcome.RETRY,
                code="odoo.timeout",
                detail="the whole batch took too long",
                blame_destination=True,
            )
            return [late] * len(jobs)

    def _transform(self, leased: Leased) -> Job | Verdict:
        route = self._routes.get(leased.delivery.route)
        if route is None:
            detail = f"route {leased.delivery.route!r} is not declared in hooks.py"
            return Verdict(outcome=Outcome.DEAD, code="gateway.route-gone", detail=detail)
        version = leased.event.version
        if version and leased.applied and is_older(version, than=leased.applied):
            detail = f"version {version} is older than {leased.applied}, which was delivered before"
            return Verdict(outcome=Outcome.SKIPPED, code="event.stale", detail=detail)
        match transform(route, leased.event):
            case Commands(commands):
                self._shown[leased.delivery.id] = shown(commands)
                return Job(leased.delivery.id, leased.event.source, commands, leased.event.id)
            case Settled(outcome, code, detail, retry_after):
                return Verdict(outcome=outcome, code=code, detail=detail, retry_after=retry_after)

    def _learn(self, jobs: Sequence[Job], verdicts: Sequence[Verdict]) -> None:
        """Open the breaker and set the pace by what came back."""
        if jobs:
            self.pace = self.pace.after(len(jobs), {v.code for v in verdicts})
        blamed = next((v for v in verdicts if v.blame_destination), None)
        if blamed:
            self._trip(blamed)

    def _fair(self, verdict: Verdict, jobs: int) -> Verdict:
        """Blame a delivery that was alone when Odoo gave no answer.

        The breaker's probe tells whether Odoo works; if it does, this delivery is what Odoo
        cannot bear, and without counting it would be tried for ever.
        """
        if verdict.blame_destination and jobs == 1 and verdict.code in _MAY_BE_ITS_OWN_FAULT:
            return Verdict(outcome=Outcome.RETRY, code=verdict.code, detail=verdict.detail)
        return verdict

    def _trip(self, verdict: Verdict) -> None:
        if self.breaker.closed:
            log(Log.PAUSED, destination=self.name, code=verdict.code, detail=verdict.detail)
        self._why = verdict
        self.breaker = self.breaker.failed(self._clock.now(), self._draw(), verdict.retry_after)

    async def _settle(
        self, leased: Sequence[Leased], verdicts: Sequence[Verdict], began: float
    ) -> None:
        now = self._clock.now()
        settlements = [
            settlement(
                one.delivery,
                verdict,
                self._policy,
                now=now,
                seconds=now - began,
                draw=self._draw(),
                commands=self._shown.pop(one.delivery.id, ""),
            )
            for one, verdict in zip(leased, verdicts, strict=True)
        ]
        await self._journal.settle(self._owner, settlements)
        for one, settled in zip(leased, settlements, strict=True):
            _report(one, settled)
            self._count(one, settled)
            tracing.delivered(
                one.event.header(tracing.HEADER),
                began,
                now,
                destination=self.name,
                route=one.delivery.route,
                outcome=settled.outcome,
                code=settled.code or "",
                batch=len(leased),
                event=one.event.id,
            )
        observe(Histogram.BATCH, now - began, self.name)

    def _count(self, leased: Leased, settled: Settlement) -> None:
        source, route = leased.event.source, self._routes.get(leased.delivery.route)
        topic = route.pattern(leased.event.topic) if route else None
        labels = (source, topic or "other", self.name, settled.outcome, settled.code or "")
        count(Counter.ATTEMPTS, *labels)
        if settled.outcome is Outcome.DELIVERED:
            waited = max(0.0, settled.at - leased.event.received_at)
            observe(Histogram.ARRIVAL, waited, source, self.name)


def _report(leased: Leased, settled: Settlement) -> None:
    log(
        _LOG[settled.outcome],
        event_id=leased.event.id,
        delivery=settled.delivery,
        route=leased.delivery.route,
        code=settled.code,
        detail=settled.detail[:200],
    )
