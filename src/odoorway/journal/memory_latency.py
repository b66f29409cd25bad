"""How long things took, for the journal in memory."""

from collections import Counter
from collections.abc import Iterable, Sequence

from odoorway.journal.found import Took

_Key = tuple[int, str, str, float]


class MemoryLatency:
    """Counts by minute, source, destination and bound."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._counts: Counter[_Key] = Counter()

    def note(self, took: Iterable[Took], since: int) -> None:
        """See ``Journal.note_latency``."""
        for one in took:
            self._counts[one.minute, one.source, one.destination, one.bound] += one.count
        for key in [key for key in self._counts if key[0] < since]:
            del self._counts[key]

    def found(self, minute: int, minutes: int) -> Sequence[Took]:
        """See ``Journal.latency``."""
        total: Counter[_Key] = Counter()
        for (at, source, destination, bound), count in self._counts.items():
            if at >= minute:
                total[at // minutes * minutes, source, destination, bound] += count
        return tuple(Took(*key, count) for key, count in sorted(total.items()))
