"""Removes what is old, a little at a time, so that nothing that arrives has to wait for it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from odoorway.clock import Clock
from odoorway.errors import JournalUnavailable
from odoorway.journal.keeping import NEVER, Sweep, Until, sweeps
from odoorway.journal.port import Journal
from odoorway.telemetry import Log, log

# Size never removes what is younger: platforms (Stripe, PayPal) send an event again for up to
# three days, and whoever asks about one that came twice should find it.
YOUNG_DAYS: Final = 3.0
_STEP = 200  # events, lanes, rejections, beats or keys in one transaction
_ROUND_DAYS = 7.0  # then a walk starts over, for what settled after it had passed
_DAY = 86400.0
_EVERY = 3600.0  # seconds between two rounds
_BREATH = 0.05  # seconds between two steps
_TOO_LARGE = (
    "raise ODOORWAY_KEEP_SIZE, settle dead letters and what waits, or lower ODOORWAY_KEEP_DEAD_DAYS"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long what is kept, in days, and how much, in bytes; 0 is for ever and without limit."""

    delivered: float = 0.0
    skipped: float = 0.0
    dead: float = 0.0
    rejected: float = 0.0
    size: int = 0


class Retention:
    """Keeps each event as long as its state wants, and the journal as small as it may be.

    For size, delivered and skipped events go earlier, the oldest first: never what waits, never
    dead letters, which may be the only copy of an order, and never what is younger than
    ``YOUNG_DAYS``.
    """

    def __init__(
        self, journal: Journal, clock: Clock, keep: Keep, *, breath: float = _BREATH
    ) -> None:
        """Remove from *journal*, with *breath* seconds for others after each step."""
        self._journal, self._clock, self._keep, self._breath = journal, clock, keep, breath

    async def run(self) -> None:
        """Remove what is old, hour by hour, until cancelled."""
        while True:
            with contextlib.suppress(JournalUnavailable):
                await self.once()
            await asyncio.sleep(_EVERY)

    async def once(self) -> int:
        """Remove all that may go now; return how many events that were."""
        keep = self._keep
        until = Until(
            delivered=self._before(keep.delivered),
            skipped=self._before(keep.skipped),
            dead=self._before(keep.dead),
        )
        events = 0
        for sweep in sweeps(until, self._clock.now(), self._ago(_ROUND_DAYS)):
            events += await self._walk(sweep, _never)
        await self._oldest(self._journal.forget_lanes, until.delivered)
        rejections = await self._oldest(
            self._journal.forget_rejections, self._before(keep.rejected)
        )
        await self._oldest(self._journal.forget_beats, until.delivered)
        await self._oldest(self._journal.forget_keys, self._clock.now())
        events += await self._shrink()
        if events or rejections:
            log(Log.FORGOTTEN, events=events, rejections=rejections)
        return events

    def _ago(self, days: float) -> float:
        return self._clock.now() - days * _DAY

    def _before(self, days: float) -> float | None:
        return self._ago(days) if days else None

    async def _walk(self, sweep: Sweep, enough: Callable[[], Awaitable[bool]]) -> int:
        """Remove events, the oldest first, until it is enough; return how many."""
        removed = 0
        while not await enough():
            step = await self._journal.forget(sweep, limit=_STEP)
            removed += step.removed
            if not step.more:
                break
            await asyncio.sleep(self._breath)
        return removed

    async def _oldest(self, forget: Callable[..., Awaitable[int]], until: float | None) -> int:
        """Remove with *forget* what is over before *until*, if any time; return how many."""
        removed = 0
        while until is not None and (gone := await forget(until, limit=_STEP)):
            removed += gone
            await asyncio.sleep(self._breath)
        return removed

    async def _shrink(self) -> int:
        """Remove what size wants; return how many events."""
        if await self._fits():
            return 0
        removed = await self._walk(self._by_size(), self._fits)
        if not await self._fits():
            size = await self._journal.size()
            log(Log.JOURNAL_LARGE, size=size, limit=self._keep.size, fix=_TOO_LARGE)
        return removed

    def _by_size(self) -> Sweep:
        """Return the walk that removes early; versions stay as long as if it had not."""
        old, kept = self._ago(YOUNG_DAYS), self._before(self._keep.delivered)
        return Sweep(
            name="size",
            before=old,
            until=Until(delivered=old, skipped=old),
            versions=NEVER if kept is None else kept,
            now=self._clock.now(),
            anew=self._ago(_ROUND_DAYS),
        )

    async def _fits(self) -> bool:
        return not self._keep.size or await self._journal.size() <= self._keep.size


async def _never() -> bool:
    return False
