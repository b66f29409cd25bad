"""One event on one route: its states, its attempts, and what may follow what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from odoorway.model.event import Event


class State(StrEnum):
    """Where a delivery stands. Waiting to retry is ``pending`` with a time."""

    PENDING = "pending"
    LEASED = "leased"
    DELIVERED = "delivered"
    BREACHED = "breached"  # written, but not as the handler expected
    DEAD = "dead"
    SKIPPED = "skipped"


class Outcome(StrEnum):
    """What one attempt came to."""

    DELIVERED = "delivered"
    BREACHED = "breached"
    RETRY = "retry"
    DEAD = "dead"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A delivery to be, decided when its event is appended."""

    route: str
    destination: str
    hold: bool = False  # a dead letter stops the ones behind it that share its ordering key


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery as the journal knows it."""

    id: int
    event_id: str
    route: str
    destination: str
    state: State
    attempts: int  # those that count against the retry schedule
    due_at: float  # Unix seconds; meaningful while pending or leased
    updated_at: float
    code: str | None = None  # the last attempt's diagnosis code
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A delivery claimed by an owner until ``until``, with its event."""

    delivery: Delivery
    event: Event
    owner: str  # the name of the lease, which no other has
    until: float
    applied: str | None = None  # version of the last event this route delivered in this lane
    due: float = 0.0  # when it became due, Unix seconds
    lost: int = 0  # leases in a row that ended without an outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a delivery. Append-only; long texts arrive capped."""

    number: int  # 1 for the first
    at: float
    seconds: float
    outcome: Outcome
    code: str | None  # a diagnosis code; None when delivered
    detail: str  # what a person reads: the reason, the traceback, Odoo's message
    records: tuple[tuple[str, str, int], ...] = ()  # (model, external ID, database id) written
    commands: str = ""  # what the handler wanted, as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What to record for one leased delivery: the attempt and the state that follows."""

    delivery: int
    outcome: Outcome
    at: float
    seconds: float
    due_at: float = 0.0  # when to try again; only for RETRY
    counts: bool = True  # False: the destination was down, no attempt is spent
    code: str | None = None
    detail: str = ""
    records: tuple[tuple[str, str, int], ...] = field(default=())
    commands: str = ""  # what the handler wanted, as JSON
    # Only for RETRY: the model of a record that is waited for, empty for a time only. What waits
    # lets the later ones of its lane pass.
    waits_for: str | None = None
    waits_on: Mapping[str, str] = field(default_factory=dict)  # the record's values, as text
    made: tuple[tuple[str, Mapping[str, str]], ...] = ()  # models and values that were written

    @property
    def state(self) -> State:
        """The delivery's next state."""
        return _NEXT[self.outcome]


_NEXT = {
    Outcome.DELIVERED: State.DELIVERED,
    Outcome.RETRY: State.PENDING,
    Outcome.BREACHED: State.BREACHED,
    Outcome.DEAD: State.DEAD,
    Outcome.SKIPPED: State.SKIPPED,
}
