"""Which events may be removed, and in which order they are looked at. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from odoorway.model.delivery import State

STEP_BYTES: Final = 4_194_304  # of bodies in one step: freeing a body reads all of its pages
NEVER: Final = float("-inf")  # before which nothing arrived
_NEEDED_LONGEST: Final = (
    State.PENDING,
    State.LEASED,
    State.DEAD,
    State.BREACHED,
    State.DELIVERED,
    State.SKIPPED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Before which arrival (Unix seconds) an event in that state may go; None: never."""

    delivered: float | None = None
    skipped: float | None = None
    dead: float | None = None

    @property
    def limits(self) -> dict[State, float]:
        """Those that there are, by state."""
        limits = {
            State.SKIPPED: self.skipped,
            State.DELIVERED: self.delivered,
            State.DEAD: self.dead,
            State.BREACHED: self.dead,
        }
        return {state: limit for state, limit in limits.items() if limit is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A walk through the events by their arrival, which goes on where it ended the last time."""

    name: str  # its position is kept under this
    before: float  # what arrived then or later, the future too, is not looked at
    until: Until  # what may go
    versions: float = NEVER  # applied versions of events before that may go with an empty lane
    now: float  # Unix seconds
    anew: float = NEVER  # a round that ended, and began before that, starts over


@dataclass(frozen=True, slots=True)
class Position:
    """How far a sweep came."""

    began: float  # Unix seconds, of this round
    at: float = NEVER  # the arrival of the event that was looked at last
    seq: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What is asked of an event before it may go."""

    position: int  # its number in the journal
    arrived: float  # Unix seconds
    states: Collection[State]  # of its deliveries
    size: int  # bytes of its body


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What one step removed, and whether there is more to look at."""

    removed: int
    more: bool


def sweeps(until: Until, now: float, anew: float) -> list[Sweep]:
    """Return the walks by which each event is looked at once as its state's time comes.

    What settles after its state's walk has passed is found by that of a state that is kept
    longer, or when a round starts over.
    """
    return [
        Sweep(
            name=state.value,
            before=limit,
            until=until,
            versions=NEVER if until.delivered is None else until.delivered,
            now=now,
            anew=anew,
        )
        for state, limit in until.limits.items()
    ]


def start_of(sweep: Sweep, known: Position | None) -> Position:
    """Return where a step begins: where the last ended, or at the first event."""
    if known is None or (known.ended and known.began < sweep.anew):
        return Position(sweep.now)
    return known


def state_of(states: Collection[State]) -> State:
    """Return the state of the delivery that needs its event longest; without any, skipped."""
    return next((state for state in _NEEDED_LONGEST if state in states), State.SKIPPED)


def may_go(event: Kept, until: Until) -> bool:
    """Tell whether *event* is older than its state needs it. What waits never may."""
    return event.arrived < until.limits.get(state_of(event.states), NEVER)


def choose(stretch: Sequence[Kept], until: Until) -> tuple[list[int], int]:
    """Return the positions of the events that go, and how many were looked at.

    That is all of them, unless the bodies that go take ``STEP_BYTES``.
    """
    going: list[int] = []
    size = 0
    for looked, event in enumerate(stretch, 1):
        if may_go(event, until):
            going.append(event.position)
            size += event.size
        if size >= STEP_BYTES:
            return going, looked
    return going, len(stretch)
