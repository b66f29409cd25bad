"""Many dead letters replayed at once: with progress, a rate, and a way to stop it."""

import asyncio
import itertools
from dataclasses import dataclass, field

from odoorway.clock import Clock
from odoorway.journal.found import EventFilter
from odoorway.journal.port import Journal
from odoorway.model.delivery import Delivery, Planned, State

RATE = 200.0  # replays a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which dead letters; what is empty narrows nothing."""

    source: str = ""
    destination: str = ""
    code: str = ""

    def fits(self, delivery: Delivery) -> bool:
        """Tell whether it is one of them."""
        return (
            delivery.state is State.DEAD
            and self.destination in {"", delivery.destination}
            and self.code in {"", delivery.code or ""}
        )


@dataclass(slots=True)
class Job:
    """One bulk replay."""

    id: str
    chosen: Chosen
    who: str
    total: int
    done: int = 0
    ended: bool = False
    cancelled: bool = False
    error: str = ""

    @property
    def text(self) -> str:
        """What it does, for people."""
        what = self.chosen.code or "all"
        return f"Replaying {what} of {self.chosen.source or 'every source'}"


@dataclass(slots=True)
class Jobs:
    """The bulk replays of this process, the newest last. One runs at a time."""

    journal: Journal
    clock: Clock
    rate: float = RATE
    known: dict[str, Job] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, chosen: Chosen, who: str) -> Job:
        """Begin to replay; the job goes on by itself."""
        total = sum(
            one.count
            for one in await self.journal.problems()
            if one.kind == "dead"
            and chosen.source in {"", one.source}
            and chosen.destination in {"", one.destination}
            and chosen.code in {"", one.code}
        )
        job = Job(f"job_{next(self._numbers)}", chosen, who, total)
        self.known[job.id] = job
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def cancel(self, job_id: str) -> bool:
        """Stop a job after the event it is at; what was replayed stays so."""
        job = self.known.get(job_id)
        if job:
            job.cancelled = True
        return job is not None

    async def close(self) -> None:
        """Stop all jobs and wait for them."""
        for job in self.known.values():
            job.cancelled = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, job: Job) -> None:
        try:
            async with self._one:
                await self._replay_all(job)
        except Exception as error:  # noqa: BLE001 - it is shown with the job
            job.error = str(error)
        finally:
            job.ended = True

    async def _replay_all(self, job: Job) -> None:
        wanted = EventFilter(source=job.chosen.source, state=State.DEAD)
        before: int | None = None
        while not job.cancelled:
            page = await self.journal.search(wanted, limit=100, before=before)
            for event in page.events:
                if job.cancelled:
                    return
                await self._replay(job, event.id)
                await asyncio.sleep(1 / self.rate)  # lets deliveries and pages go on
            if page.next is None:
                return
            before = page.next

    async def _replay(self, job: Job, event_id: str) -> None:
        found = await self.journal.deliveries(event_id=event_id, limit=1000)
        planned = {
            one.route: Planned(route=one.route, destination=one.destination)
            for one in found
            if job.chosen.fits(one)
        }
        if planned:
            now = self.clock.now()
            job.done += len(await self.journal.replay(event_id, [*planned.values()], now))
