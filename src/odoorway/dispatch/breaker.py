"""A destination that fails as a whole is left alone for a while, and asked before it is used."""

from dataclasses import dataclass, replace

_FIRST, _LONGEST = 0.5, 4.0  # seconds; what is back is noticed within five


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed (``until`` is 0): deliveries go out. Open: none until ``until``, then a probe."""

    failures: int = 0  # in a row
    until: float = 0.0  # Unix seconds

    @property
    def closed(self) -> bool:
        """Whether deliveries go out."""
        return self.failures == 0

    def failed(self, now: float, draw: float, retry_after: float | None = None) -> "Breaker":
        """Return the breaker after the destination failed as a whole.

        The pause doubles up to four seconds; *draw*, in [0, 1), spreads it over its upper half.
        """
        pause = min(_LONGEST, _FIRST * 2.0 ** min(self.failures, 20)) * (0.5 + draw / 2)
        return replace(self, failures=self.failures + 1, until=now + max(pause, retry_after or 0))

    def not_after(self, now: float) -> "Breaker":
        """Return the breaker on a clock that was set back to *now*: it is asked at once."""
        return replace(self, until=min(self.until, now))

    def worked(self) -> "Breaker":
        """Return the closed breaker."""
        return Breaker()
