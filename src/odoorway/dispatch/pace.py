"""How much goes to a destination at once: a little more while it copes, half when it does not."""

from collections.abc import Collection
from dataclasses import dataclass, replace

# What says that the destination has too much to do, not that a delivery is wrong.
STRAIN = frozenset({"odoo.timeout", "odoo.unavailable", "odoo.empty-answer", "odoo.conflict"})
_STEPS = 8  # a batch grows from nothing to its limit in so many good batches
_CALM = 4  # full good batches after which one more may be under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The batch size and how many batches may be under way, between 1 and their limits."""

    max_batch: int
    max_concurrency: int
    batch: int
    concurrency: int
    calm: int = 0  # full good batches since the last change of concurrency

    @classmethod
    def start(cls, max_batch: int, max_concurrency: int) -> "Pace":
        """Return the pace to begin with: all that is allowed."""
        return cls(
            max_batch=max_batch,
            max_concurrency=max_concurrency,
            batch=max_batch,
            concurrency=max_concurrency,
        )

    def after(self, size: int, codes: Collection[str | None]) -> "Pace":
        """Return the pace after a batch of *size* that was answered with those *codes*.

        One sign of strain halves both. A batch without any adds to the batch size, and after
        some full ones to the concurrency; a small batch shows nothing about larger ones.
        """
        if not STRAIN.isdisjoint(codes):
            return replace(
                self,
                batch=max(1, min(size, self.batch) // 2),
                concurrency=max(1, self.concurrency // 2),
                calm=0,
            )
        if size < self.batch:
            return self
        more = replace(
            self,
            batch=min(self.max_batch, self.batch + max(1, self.max_batch // _STEPS)),
            calm=self.calm + 1,
        )
        if more.calm < _CALM or more.concurrency >= self.max_concurrency:
            return more
        return replace(more, concurrency=more.concurrency + 1, calm=0)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many deliveries may go now, for *rate* a second; 0 sets no limit. Pure."""

    rate: float
    left: float = 0.0
    at: float = 0.0  # Unix seconds

    def at_time(self, now: float) -> "Allowance":
        """Return the allowance at *now*; what is not used within a second is lost."""
        gained = self.rate * max(0.0, now - self.at) if self.at else self.rate
        return replace(self, left=min(max(1.0, self.rate), self.left + gained), at=now)

    def take(self, wanted: int) -> int:
        """Return how many of *wanted* may go."""
        return wanted if not self.rate else min(wanted, int(self.left))

    def spent(self, count: int) -> "Allowance":
        """Return what is left after *count* went."""
        return replace(self, left=self.left - count) if self.rate else self

    def wait(self) -> float:
        """Return the seconds until one may go."""
        return 0.0 if not self.rate or self.left >= 1 else (1 - self.left) / self.rate
