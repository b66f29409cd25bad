"""Many dead letters replayed at once: with progress, a rate, and a way to stop it."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from odoorway.clock import Clock
from odoorway.journal.found import Chosen, DeadLetter
from odoorway.journal.port import Journal
from odoorway.model.delivery import State

RATE = 200.0  # replays a second, unless asked otherwise
RATES = (1.0, 10_000.0)
_SLICES = 10  # a second; the replays of one share a commit
_MOST = 500  # replays in one slice


@dataclass(slots=True)
class BulkReplay:
    """One bulk replay."""

    id: str
    chosen: Chosen
    who: str
    total: int
    rate: float = RATE  # replays a second, at most
    last: int = 0  # the newest dead letter when it was asked for
    done: int = 0
    ended: bool = False
    cancelled: bool = False
    error: str = ""

    @property
    def text(self) -> str:
        """What it does, for people."""
        what = self.chosen.code or "all dead letters"
        topic = f" {self.chosen.topic}" if self.chosen.topic else ""
        return f"Replaying {what} of {self.chosen.source or 'every source'}{topic}"

    @property
    def left(self) -> float:
        """The seconds that it takes yet, at its rate."""
        return 0.0 if self.ended else (self.total - self.done) / self.rate


def rate_of(text: str) -> float:
    """Return the rate that people or programs gave, or the usual one for none.

    Raises:
        ValueError: it is no number, or too small or large.
    """
    rate = float(text) if text else RATE
    if not RATES[0] <= rate <= RATES[1]:
        raise ValueError(f"rate is replays a second, from {RATES[0]:g} to {RATES[1]:g}")
    return rate


@dataclass(slots=True)
class BulkReplays:
    """The bulk replays of this process, the newest last. One runs at a time."""

    journal: Journal
    clock: Clock
    wake: Callable[[], None] = lambda: None  # called as deliveries are added
    known: dict[str, BulkReplay] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, chosen: Chosen, who: str, rate: float = RATE) -> BulkReplay:
        """Begin to replay; the job goes on by itself."""
        total = await self.journal.count_dead(chosen)
        newest = await self.journal.deliveries(state=State.DEAD, limit=1)
        last = newest[0].id if newest else 0
        job = BulkReplay(f"job_{next(self._numbers)}", chosen, who, total, rate, last)
        self.known[job.id] = job
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def cancel(self, job_id: str) -> bool:
        """Stop a job after the slice it is at; what was replayed stays so."""
        job = self.known.get(job_id)
        if job and not job.ended:
            job.cancelled = True
        return job is not None

    async def close(self) -> None:
        """Stop all jobs and wait for them."""
        for job in self.known.values():
            self.cancel(job.id)
        await self.idle()

    async def idle(self) -> None:
        """Return when all jobs have ended."""
        await asyncio.gather(*self._tasks)

    async def _run(self, job: BulkReplay) -> None:
        try:
            async with self._one:
                await self._replay_all(job)
        except Exception as error:  # noqa: BLE001 - it is shown with the job
            job.error = str(error) or repr(error)
        finally:
            job.ended = True

    async def _replay_all(self, job: BulkReplay) -> None:
        """Go from the oldest to the newest: what shares an ordering key keeps its order.

        What dies again meanwhile is newer than the last one, and left alone.
        """
        size = max(1, min(_MOST, int(job.rate / _SLICES)))
        after = 0
        while not job.cancelled:
            letters = await self.journal.dead_letters(
                job.chosen, limit=size, after=after, last=job.last
            )
            if not letters:
                return
            after = letters[-1].id
            pause = asyncio.sleep(len(letters) / job.rate)
            await asyncio.gather(self._replay(job, letters), pause)

    async def _replay(self, job: BulkReplay, letters: Sequence[DeadLetter]) -> None:
        """Replay a slice in one commit; what failed of it is told, and what did not is counted."""
        now = self.clock.now()
        replays = (
            self.journal.replay(one.event_id, [one.planned], now, only_dead=True) for one in letters
        )
        made = await asyncio.gather(*replays, return_exceptions=True)
        job.done += sum(len(one) for one in made if not isinstance(one, BaseException))
        job.total = max(job.total, job.done)  # one that waited at first has died since
        self.wake()
        for one in made:
            if isinstance(one, BaseException):
                raise one
