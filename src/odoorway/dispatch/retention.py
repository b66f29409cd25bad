"""Removes what is old, a little at a time, so that nothing that arrives has to wait for it."""

import asyncio
import contextlib

from odoorway.clock import Clock
from odoorway.errors import JournalUnavailable
from odoorway.journal.port import Journal
from odoorway.telemetry import Log, log

_STEP = 200  # events in one transaction
_DAY = 86400.0
_EVERY = 3600.0  # seconds between two rounds
_BREATH = 0.05  # seconds between two steps


class Retention:
    """Keeps settled events for a time, and dead letters for another; 0 days is for ever."""

    def __init__(self, journal: Journal, clock: Clock, days: float, dead_days: float) -> None:
        """Remove from *journal*."""
        self._journal, self._clock = journal, clock
        self._ages = [(days, False), (dead_days, True)]

    async def run(self) -> None:
        """Remove what is old, hour by hour, until cancelled."""
        while True:
            with contextlib.suppress(JournalUnavailable):
                await self.once()
            await asyncio.sleep(_EVERY)

    async def once(self) -> int:
        """Remove all that is old now; return how many events that were."""
        removed = 0
        for days, dead in self._ages:
            until = self._clock.now() - days * _DAY
            while days and (gone := await self._journal.forget(until, limit=_STEP, dead=dead)):
                removed += gone
                await asyncio.sleep(_BREATH)
        if removed:
            log(Log.FORGOTTEN, events=removed)
        return removed
