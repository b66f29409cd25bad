"""The engine: lease what is due, transform it, deliver it as one batch, settle."""

import asyncio
import contextlib
import itertools
import random
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from odoorway import tracing
from odoorway.clock import Clock
from odoorway.commands import Find
from odoorway.deliver.port import FAILED, Destination, Job, Verdict, Waits, raised
from odoorway.dispatch.breaker import Breaker
from odoorway.dispatch.handler_process import Task
from odoorway.dispatch.handlers import Handlers, HandlersHere
from odoorway.dispatch.isolate import GIVEN_BACK, Search, suspect
from odoorway.dispatch.pace import Allowance, Pace
from odoorway.dispatch.retry_policy import RetryPolicy
from odoorway.dispatch.settle import Made, settlement
from odoorway.errors import JournalUnavailable
from odoorway.gateway import Route
from odoorway.journal.port import MAX_BYTES, Journal
from odoorway.model.delivery import Delivery, Leased, Outcome, Settlement
from odoorway.model.event import Event
from odoorway.model.standing import Standing
from odoorway.model.version import is_older
from odoorway.telemetry import Counter, Histogram, Log, count, log, observe
from odoorway.transform.makes import makes
from odoorway.transform.run import Asks, Commands, FoundRecord, Settled, Transformed

_LATELY = 300.0  # seconds in which something passed, so that the destination as a whole works
_ALONE = 2  # suspects under way at once, beside the batches
_SLACK = 1.0  # seconds by which a clock may go back, as it is set right all the time
_FAILURE_REST = 5.0  # seconds at most between two tries of a journal that fails
_LOG = {
    Outcome.DELIVERED: Log.DELIVERED,
    Outcome.RETRY: Log.RETRY,
    Outcome.BREACHED: Log.BREACHED,
    Outcome.DEAD: Log.DEAD,
    Outcome.SKIPPED: Log.SKIPPED,
}


Act = Callable[[Sequence[int]], Awaitable[Sequence[Verdict]]]  # on jobs, by position


@dataclass(frozen=True, slots=True)
class _Run:
    """A handler's run on a delivery, with what it was answered so far."""

    leased: Leased
    answers: tuple[tuple[FoundRecord, ...], ...] = ()

    @property
    def task(self) -> Task:
        return Task(self.leased.delivery.route, self.leased.event, self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchLimits:
    """How much is under way to one destination."""

    batch: int = 400  # deliveries a batch, at most
    concurrency: int = 2  # batches at once, at most
    singly: int = 0  # how many go at once, each by itself; 0: a batch goes together
    bytes: int = MAX_BYTES  # of the bodies of a batch, unless it holds one delivery
    rate: float = 0.0  # deliveries a second, at most; 0 sets no limit
    lease: float = 60.0  # seconds; renewed while work goes on
    most: float = 240.0  # seconds that a batch may take
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
        handlers: Handlers | None = None,
        draw: Callable[[], float] = random.random,
        at: Callable[[str], None] = _nowhere,
        logged: Callable[[str, Event], str] = lambda detail, _: detail,
    ) -> None:
        """Serve the deliveries planned for the destination called *name*, as *owner*.

        What a detail tells of an event is logged as *logged* returns it.
        """
        self.name = name
        self.breaker = Breaker()
        self._destination, self._routes, self._journal = destination, routes, journal
        self._clock, self._owner, self._draw, self._at = clock, owner, draw, at
        self._logged = logged
        self._policy = policy or RetryPolicy()
        self._limits = limits or DispatchLimits()
        self._handlers = handlers or HandlersHere(routes)
        self.pace = Pace.start(self._limits.batch, self._limits.concurrency)
        self._allowance = Allowance(self._limits.rate)
        self._busy = 0  # batches under way
        self._shown: dict[int, str] = {}  # the commands of deliveries under way
        self._makes: dict[int, Made] = {}  # and what they write
        self._noted = self.breaker  # as the journal knows it
        self._why: Verdict | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._numbers = itertools.count(1)
        self._leases: dict[str, set[int]] = {}  # deliveries under way, by the name of their lease
        self._renewed_at = clock.now()
        self._latest = float("inf")  # the time of the last step: the first one looks back too
        self._passed_at = float("-inf")  # when something was last delivered, Unix seconds
        self._failures = 0  # of the journal or of our own, in a row
        self._suspects: set[int] = set()  # deliveries to be tried alone: others failed with them
        self._alone = asyncio.Semaphore(_ALONE)
        self._aside: set[asyncio.Task[None]] = set()  # suspects under way

    @property
    def failing(self) -> bool:
        """Whether the journal, or something of our own, failed the last time it was needed."""
        return self._failures > 0

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
        renewing = asyncio.create_task(self._renew())
        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(self._limits.concurrency):
                    lanes.create_task(self._worker())
            await asyncio.gather(*self._aside)
        finally:
            renewing.cancel()

    async def recover(self) -> None:
        """Try what lost its lease again and again, one by one; before anything else is under way.

        One of them may be what ended the process. If it does so again, no other is lost with it.
        """
        try:
            await self._mind_the_clock()
            while leased := await self._lease(limit=1, only_alone=True):
                await self._carry_out(leased, self._clock.now())
                await asyncio.gather(*self._aside)
        except JournalUnavailable as error:
            self._failed(Log.JOURNAL_FAILED, error=str(error))

    async def _renew(self) -> None:
        """Keep the leases of what is under way."""
        while True:
            await asyncio.sleep(self._limits.lease / 3)
            await self._renew_all()

    async def _renew_all(self) -> None:
        self._renewed_at = now = self._clock.now()
        for name, held in list(self._leases.items()):
            with contextlib.suppress(JournalUnavailable):
                await self._journal.renew(name, list(held), now + self._limits.lease)

    async def _lease(self, *, limit: int, only_alone: bool = False) -> Sequence[Leased]:
        """Claim deliveries under a name that no other lease has."""
        now = self._clock.now()
        if self._leases and now - self._renewed_at > self._limits.lease / 2:
            await self._renew_all()  # this process stood still: keep what it still holds
        name = f"{self._owner}:{next(self._numbers)}"
        leased = await self._journal.lease(
            self.name,
            name,
            limit=limit,
            now=now,
            until=now + self._limits.lease,
            max_bytes=self._limits.bytes,
            only_alone=only_alone,
        )
        if leased:
            self._leases[name] = {one.delivery.id for one in leased}
        return leased

    def _let_go(self, leased: Leased) -> None:
        held = self._leases.get(leased.owner, set())
        held.discard(leased.delivery.id)
        if not held:
            self._leases.pop(leased.owner, None)

    async def step(self) -> int:
        """Lease, deliver and settle one batch; return how many deliveries it held.

        With the breaker open it only asks the destination, once its pause is over.
        """
        await self._mind_the_clock()
        if not self.breaker.closed:
            works = await self._probe()
            await self._note()
            if not works:
                return 0
        if self._busy >= self.pace.concurrency or len(self._aside) >= self._limits.batch:
            return 0
        self._busy += 1
        try:
            return await self._batch()
        finally:
            self._busy -= 1

    async def _mind_the_clock(self) -> None:
        """When the clock was set back, now or before the start, let nothing wait until then."""
        now = self._clock.now()
        if now < self._latest - _SLACK:
            self.breaker = self.breaker.not_after(now)
            self._passed_at = min(self._passed_at, now)
            found = await self._journal.redate(self.name, now)
            if found:
                log(Log.CLOCK_BACK, destination=self.name, deliveries=found)
        self._latest = now

    async def _batch(self) -> int:
        now = self._clock.now()
        self._allowance = self._allowance.at_time(now)
        limit = self._allowance.take(self.pace.batch)
        if not limit:
            return 0
        self._allowance = self._allowance.spent(limit)  # before anybody else looks at it
        leased = await self._lease(limit=limit)
        self._allowance = self._allowance.spent(len(leased) - limit)
        if leased:
            self._at("after-lease")
            await self._carry_out(leased, now)
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
        """Step; what fails is said once, and rested after, until it works again."""
        try:
            done = await self.step()
        except JournalUnavailable as error:
            self._failed(Log.JOURNAL_FAILED, error=str(error))
        except Exception:  # noqa: BLE001 - a bug must not stop every other delivery
            self._failed(Log.INTERNAL, traceback=traceback.format_exc())
        else:
            self._failures = 0
            return done
        return 0

    def _failed(self, event: Log, **values: str) -> None:
        self._failures += 1
        if self._failures == 1:
            log(event, **values)

    def _failure_rest(self) -> float:
        return min(_FAILURE_REST, 0.1 * 2.0 ** min(self._failures, 10))

    async def _rest(self) -> None:
        """Wait until something is appended or due, or for the poll time."""
        await self._pause(await self._rest_time())

    async def _pause(self, seconds: float) -> None:
        """Wait; what is appended ends it, unless the journal failed: each append would then."""
        if self._failures:
            self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _rest_time(self) -> float:
        now = self._clock.now()
        if self._failures:
            return self._failure_rest()
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
        verdict = await self._asked()
        if verdict.outcome is Outcome.DELIVERED:
            self.breaker = self.breaker.worked()
            log(Log.RESUMED, destination=self.name)
            return True
        self._trip(verdict)
        return False

    async def _asked(self) -> Verdict:
        """Return what the probe says; one that raises is no sign of life."""
        try:
            return await self._destination.probe()
        except Exception as error:  # noqa: BLE001 - whatever stands outside may raise anything
            return raised(error)

    async def _carry_out(self, leased: Sequence[Leased], began: float) -> None:
        """Settle each delivery as soon as its verdict is known: its handler's, or Odoo's."""
        decided = [pair async for pair in self._transformed(leased, began)]
        settled = [(one, what) for one, what in decided if isinstance(what, Verdict)]
        going = [(one, what) for one, what in decided if isinstance(what, Job)]
        await self._settle(settled, began)
        if self._limits.singly:
            await self._try_singly(going, began)
            return
        for pair in going:
            if self._is_suspect(pair[0].delivery):
                self._set_aside(self._try_alone(pair, began))
        await self._try([pair for pair in going if not self._is_suspect(pair[0].delivery)], began)

    def _is_suspect(self, delivery: Delivery) -> bool:
        return delivery.id in self._suspects or suspect(delivery.code, delivery.attempts)

    def _set_aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Let *work* go on beside the batches, which do not wait for it."""
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _try_alone(self, pair: tuple[Leased, Job], began: float) -> None:
        """Try what may take others with it by itself, a few such at a time."""
        async with self._alone:
            self._suspects.discard(pair[0].delivery.id)
            try:
                await self._try([pair], began)
            except JournalUnavailable as error:
                self._failed(Log.JOURNAL_FAILED, error=str(error))
            except Exception:  # noqa: BLE001 - its lease ends, and it comes again
                self._failed(Log.INTERNAL, traceback=traceback.format_exc())
        self._wake.set()

    async def _try_singly(self, going: Sequence[tuple[Leased, Job]], began: float) -> None:
        """Try each by itself, a few at a time: none waits for the slowest to be settled."""
        gate = asyncio.Semaphore(self._limits.singly)

        async def one(pair: tuple[Leased, Job]) -> None:
            async with gate:
                now = self._clock.now()
                if self.breaker.closed and now - began < self._limits.most:
                    await self._try([pair], now)
                else:
                    await self._settle([(pair[0], GIVEN_BACK)], now)

        try:
            async with asyncio.TaskGroup() as group:
                for pair in going:
                    group.create_task(one(pair))
        except* JournalUnavailable as failed:
            raise JournalUnavailable(str(failed.exceptions[0])) from failed

    async def _try(self, going: Sequence[tuple[Leased, Job]], began: float) -> None:
        async def deliver(positions: Sequence[int]) -> Sequence[Verdict]:
            return await self._destination.deliver([going[one][1] for one in positions])

        async for known in self._isolated(len(going), deliver, began):
            await self._settle([(going[job][0], one) for job, one in known.items()], began)
            self._suspects.update(
                going[job][0].delivery.id for job, one in known.items() if one.suspect
            )

    async def _isolated(
        self, size: int, act: Act, began: float
    ) -> AsyncIterator[Mapping[int, Verdict]]:
        """Let *act* do its jobs, and yield what is known of them, in parts, by position.

        While the destination works, what fails for many is tried in smaller groups. It has an end,
        after which what is left is due again.
        """
        lately = self._clock.now() - self._passed_at < _LATELY
        search = Search.of(size, passed=lately)
        until = began + self._limits.most
        while search.left:
            known = search.verdicts.keys()
            search = await self._tried(search, act, until - self._clock.now())
            yield {job: one for job, one in search.verdicts.items() if job not in known}

    async def _tried(self, search: Search, act: Act, seconds: float) -> Search:
        """Return the search after its next group."""
        if seconds <= 0:
            return search.given_back()
        answers = await self._acted(act, search.next, seconds)
        if len(answers) > 1 or answers[0].outcome is Outcome.DELIVERED:
            self._learn(answers)
        blamed = next((one for one in answers if one.blame_destination), None)
        probed = await self._asked() if blamed else None
        after = search.after(answers, probed)
        if blamed and after.down:
            self._trip(blamed)
        return after

    async def _acted(self, act: Act, jobs: Sequence[int], seconds: float) -> Sequence[Verdict]:
        """Act within that time; whatever is raised becomes the verdict of all of them."""
        try:
            async with asyncio.timeout(seconds):
                answers = await act(jobs)
        except TimeoutError:
            late = Verdict(
                outcome=Outcome.RETRY,
                code="odoo.timeout",
                detail="the whole batch took too long",
                blame_destination=True,
            )
            return [late] * len(jobs)
        except JournalUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever stands outside may raise anything
            return [raised(error)] * len(jobs)
        if len(answers) != len(jobs):
            wrong = ValueError(f"{len(jobs)} jobs were given {len(answers)} verdicts")
            return [raised(wrong)] * len(jobs)
        return answers

    async def _transformed(
        self, leased: Sequence[Leased], began: float
    ) -> AsyncIterator[tuple[Leased, Job | Verdict]]:
        """Yield what is to be delivered of each, or its verdict where that is known already.

        Handlers that ask are answered for all of them together, and run again with the answer.
        """
        left: list[_Run] = []
        for one in leased:
            verdict = self._unfit(one)
            if verdict:
                yield one, verdict
            else:
                left.append(_Run(one))
        while left:
            results = await self._handlers.run([run.task for run in left])
            asking = []
            for run, result in zip(left, results, strict=True):
                if isinstance(result, Asks):
                    asking.append((run, result.finds))
                else:
                    yield run.leased, self._decided(run.leased, result)
            left = []
            async for run, verdict in self._answered(asking, began):
                if verdict.outcome is Outcome.DELIVERED:
                    left.append(replace(run, answers=(*run.answers, verdict.answers)))
                else:
                    yield run.leased, verdict

    async def _answered(
        self, asking: Sequence[tuple["_Run", tuple[Find, ...]]], began: float
    ) -> AsyncIterator[tuple["_Run", Verdict]]:
        """Yield what is known of what each asks."""

        async def look_up(positions: Sequence[int]) -> Sequence[Verdict]:
            return await self._destination.look_up([asking[one][1] for one in positions])

        async for known in self._isolated(len(asking), look_up, began):
            for position, verdict in known.items():
                yield asking[position][0], verdict

    def _unfit(self, leased: Leased) -> Verdict | None:
        """Return the verdict of what no handler is to see."""
        route, version = self._routes.get(leased.delivery.route), leased.event.version
        if route is None:
            detail = f"route {leased.delivery.route!r} is not declared in hooks.py"
            return Verdict(outcome=Outcome.DEAD, code="gateway.route-gone", detail=detail)
        if version and leased.applied and is_older(version, than=leased.applied):
            detail = f"version {version} is older than {leased.applied}, which was delivered before"
            return Verdict(outcome=Outcome.SKIPPED, code="event.stale", detail=detail)
        return None

    def _decided(self, leased: Leased, what: Transformed) -> Job | Verdict:
        match what:
            case Commands(commands, text):
                self._shown[leased.delivery.id] = text
                self._makes[leased.delivery.id] = makes(commands)
                return Job(leased.delivery.id, leased.event.source, commands, leased.event.id)
            case Asks():
                raise TypeError("a handler that asks has not decided yet")
            case Settled(outcome, code, detail, retry_after, alone):
                later = outcome is Outcome.RETRY and not alone
                return Verdict(
                    outcome=outcome,
                    code=code,
                    detail=detail,
                    retry_after=retry_after,
                    alone=alone,
                    waits=Waits() if later else None,
                )

    def _learn(self, verdicts: Sequence[Verdict]) -> None:
        """Set the pace by what came back."""
        self.pace = self.pace.after(len(verdicts), {v.code for v in verdicts})
        if any(one.outcome is Outcome.DELIVERED for one in verdicts):
            self._passed_at = self._clock.now()

    def _trip(self, verdict: Verdict) -> None:
        if self.breaker.closed:
            log(Log.PAUSED, destination=self.name, code=verdict.code, detail=verdict.detail)
        self._why = verdict
        self.breaker = self.breaker.failed(self._clock.now(), self._draw(), verdict.retry_after)

    async def _settle(self, known: Sequence[tuple[Leased, Verdict]], began: float) -> None:
        """Record what became of deliveries, and tell it of those that were still ours."""
        if not known:
            return
        now = self._clock.now()
        settlements = [self._settlement(one, verdict, began, now) for one, verdict in known]
        by_lease: dict[str, list[Settlement]] = {}
        for (one, _), settled in zip(known, settlements, strict=True):
            by_lease.setdefault(one.owner, []).append(settled)
        held = {done for name, of in by_lease.items() for done in await self._recorded(name, of)}
        for (one, _), settled in zip(known, settlements, strict=True):
            self._let_go(one)
            if settled.delivery not in held:
                log(Log.LEASE_LOST, event_id=one.event.id, delivery=settled.delivery)
                continue
            self._report(one, settled)
            self._count(one, settled)
            tracing.delivered(
                one.event.header(tracing.HEADER),
                began,
                now,
                destination=self.name,
                route=one.delivery.route,
                outcome=settled.outcome,
                code=settled.code or "",
                batch=len(known),
                event=one.event.id,
            )
        observe(Histogram.BATCH, now - began, self.name)

    def _settlement(self, leased: Leased, verdict: Verdict, began: float, now: float) -> Settlement:
        route = self._routes.get(leased.delivery.route)
        return settlement(
            leased.delivery,
            verdict,
            self._policy,
            due=leased.due,
            now=now,
            seconds=now - began,
            draw=self._draw(),
            commands=self._shown.pop(leased.delivery.id, ""),
            made=self._makes.pop(leased.delivery.id, ()),
            on_breach=route.on_breach if route else "tell",
        )

    async def _recorded(self, name: str, settlements: Sequence[Settlement]) -> Sequence[int]:
        """Record *settlements*; while the journal fails, keep them and try again.

        One that cannot be recorded as it is, is a dead letter that says so; the others are not
        held back by it.
        """
        while True:
            try:
                return await self._journal.settle(name, settlements)
            except JournalUnavailable as error:
                self._failed(Log.JOURNAL_FAILED, error=str(error))
                if self._stopping:
                    raise
                await self._pause(self._failure_rest())
            except Exception as error:
                self._failed(Log.INTERNAL, traceback=traceback.format_exc())
                if len(settlements) > 1:
                    half = len(settlements) // 2
                    first = await self._recorded(name, settlements[:half])
                    return [*first, *await self._recorded(name, settlements[half:])]
                if settlements[0].code == FAILED:
                    raise
                settlements = [_unrecordable(settlements[0], error)]

    def _report(self, leased: Leased, settled: Settlement) -> None:
        log(
            _LOG[settled.outcome],
            event_id=leased.event.id,
            delivery=settled.delivery,
            route=leased.delivery.route,
            code=settled.code,
            detail=self._logged(settled.detail, leased.event)[:200],
        )

    def _count(self, leased: Leased, settled: Settlement) -> None:
        source, route = leased.event.source, self._routes.get(leased.delivery.route)
        topic = route.pattern(leased.event.topic) if route else None
        labels = (source, topic or "other", self.name, settled.outcome, settled.code or "")
        count(Counter.ATTEMPTS, *labels)
        if settled.outcome in {Outcome.DELIVERED, Outcome.BREACHED}:
            waited = max(0.0, settled.at - leased.event.received_at)
            observe(Histogram.ARRIVAL, waited, source, self.name)


def _unrecordable(settled: Settlement, error: Exception) -> Settlement:
    """Return what is recorded instead of an outcome that the journal cannot hold."""
    return Settlement(
        delivery=settled.delivery,
        outcome=Outcome.DEAD,
        at=settled.at,
        seconds=settled.seconds,
        code=FAILED,
        detail=f"its outcome, {settled.outcome}, could not be recorded: {type(error).__name__}",
    )
