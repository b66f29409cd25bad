"""How long things take: noted in the journal as they happen, and read as quantiles."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping

from odoorway.clock import Clock
from odoorway.errors import JournalUnavailable
from odoorway.journal.found import Took
from odoorway.journal.port import Journal
from odoorway.telemetry import Histogram, observed

_EVERY = 10.0  # seconds between two notes
_KEPT = 8 * 24 * 60  # minutes; pages show seven days
_Counts = Mapping[tuple[str, str], Mapping[float, float]]  # by source and destination, then bound


class Latency:
    """Adds what was observed since the last note to the journal."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Note from now on."""
        self._journal, self._clock = journal, clock
        self._noted = _observed()

    async def run(self) -> None:
        """Note until cancelled; a journal that cannot be written is tried again."""
        while True:
            await asyncio.sleep(_EVERY)
            await noted(self)

    async def note(self) -> None:
        """Note what there is.

        Raises:
            JournalUnavailable: it is not noted, and will be with the next.
        """
        minute = int(self._clock.now() // 60)
        seen, before = _observed(), self._noted
        took = grown(before, seen, minute)
        if took:
            self._noted = seen
            try:
                await self._journal.note_latency(took, since=minute - _KEPT)
            except JournalUnavailable:
                self._noted = before
                raise


async def noted(latency: Latency) -> None:
    """Note what a page is about to show; one that cannot be written is shown without."""
    with contextlib.suppress(JournalUnavailable):
        await latency.note()


def _observed() -> _Counts:
    acks = {(source, ""): counts for (source,), counts in observed(Histogram.ACK).items()}
    arrivals = {(key[0], key[1]): counts for key, counts in observed(Histogram.ARRIVAL).items()}
    return {**acks, **arrivals}


def grown(before: _Counts, seen: _Counts, minute: int) -> list[Took]:
    """Return by how much each count grew. Pure."""
    return [
        Took(minute, source, destination, bound, int(more))
        for (source, destination), counts in seen.items()
        for bound, count in counts.items()
        if (more := count - before.get((source, destination), {}).get(bound, 0)) > 0
    ]


def counted(took: Iterable[Took]) -> dict[float, int]:
    """Return how many stayed under each bound, over all of *took*. Pure."""
    total: Counter[float] = Counter()
    for one in took:
        total[one.bound] += one.count
    return dict(sorted(total.items()))


def quantile(counts: Mapping[float, int], share: float) -> float | None:
    """Return seconds under which that *share* lies, never too few; None for no counts. Pure."""
    wanted, so_far = share * sum(counts.values()), 0
    for bound, count in sorted(counts.items()):
        so_far += count
        if so_far >= wanted:
            return bound
    return None
