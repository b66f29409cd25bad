"""An accepted request, and one that was refused."""

import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

# Ids are no secrets, and asking the kernel for each costs 8 µs. It is a generator of our own,
# because hooks.py may seed the module's; a process that was forked must not go on with its
# parent's, or both would give the same ids.
_random = random.Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)
Headers = tuple[tuple[str, str], ...]
UNNAMED: Final = "sha256:"  # begins an idempotency key that is a hash of topic and body


def new_id(prefix: str, now: float) -> str:
    """Return an id that sorts by time: 48 bits of milliseconds, then 64 random bits, in hex."""
    return f"{prefix}_{int(now * 1000):012x}{_random.getrandbits(64):016x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One accepted request: immutable, kept as it came.

    ``body`` is what was signed or, for a compressed request, what it unpacks to. ``headers``
    have lower-case names, are in order of arrival, and hold no credentials.
    """

    id: str
    source: str
    topic: str
    idempotency_key: str
    ordering_key: str
    version: str | None
    received_at: float  # Unix seconds
    headers: Headers
    body: bytes
    body_hash: str  # SHA-256, hex
    conflict: bool = False  # an earlier one has the same idempotency key, not topic and body

    @property
    def named(self) -> bool:
        """Whether the platform gave it an id; else its idempotency key is a hash."""
        return not self.idempotency_key.startswith(UNNAMED)

    @property
    def received(self) -> datetime:
        """The time of arrival, aware, in UTC."""
        return datetime.fromtimestamp(self.received_at, UTC)

    def header(self, name: str) -> str | None:
        """Return the first header of that *name*, whatever its case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), None)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What of an accepted request could not be read; the event is kept all the same."""

    code: str  # a diagnosis code
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A request refused before it became an event; kept, bounded, for diagnosis."""

    id: str
    source: str  # as asked for in the path; it may not exist
    at: float  # Unix seconds
    status: int
    code: str  # a diagnosis code
    detail: str
    headers: Headers
    body: bytes  # the first bytes only
    stranger: bool = False  # sent to a path that is no source's
