"""How long the event loop is held up: a loop that is late answers every webhook late."""

import asyncio
from collections import deque

_EVERY = 0.5  # seconds between two looks
_LOOKS = 120  # that make a minute


class Lag:
    """Sleeps, and sees by how much it woke too late."""

    def __init__(self) -> None:
        """Have seen nothing yet."""
        self._late: deque[float] = deque(maxlen=_LOOKS)

    async def run(self) -> None:
        """Look until cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            await asyncio.sleep(_EVERY)
            self.saw(now() - began - _EVERY)

    def saw(self, late: float) -> None:
        """Take one look into account, *late* in seconds."""
        self._late.append(max(0.0, late))

    def worst(self) -> float:
        """Return the longest of the last minute, in seconds."""
        return max(self._late, default=0.0)
