"""A clock that stands still until it is told to move."""


class ManualClock:
    """A Clock for tests."""

    def __init__(self, now: float = 1_764_000_000.0) -> None:
        """Stand at *now*, Unix seconds."""
        self._now = now

    def now(self) -> float:
        """Return Unix time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._now += seconds
