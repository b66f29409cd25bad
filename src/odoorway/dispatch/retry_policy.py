"""When to try again, and when to stop: exponential backoff with full jitter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The schedule of one delivery's attempts.

    The wait before the next attempt is drawn evenly between nothing and a ceiling that
    doubles from ``base`` to ``cap`` seconds. The defaults come to about three days on average.
    """

    base: float = 10.0
    cap: float = 6 * 3600.0
    attempts: int = 34

    def ceiling(self, spent: int) -> float:
        """Return the longest wait after *spent* attempts, in seconds."""
        return min(self.cap, self.base * 2.0 ** min(spent - 1, 40))

    def wait(self, spent: int, draw: float, retry_after: float | None = None) -> float | None:
        """Return the seconds to wait after *spent* attempts, or None when that was the last.

        *draw* is a random number in [0, 1). The destination's own ``Retry-After`` is the
        least wait, up to ``cap``.
        """
        if spent >= self.attempts:
            return None
        asked = min(retry_after or 0.0, self.cap)
        return max(asked, draw * self.ceiling(spent))
