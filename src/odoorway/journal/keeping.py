"""Which events may be removed: pure, and the same for every journal."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from odoorway.model.delivery import State

STEP_BYTES: Final = 4_194_304  # of bodies in one step: freeing a body reads all of its pages
_NEEDED_LONGEST: Final = (
    State.PENDING,
    State.LEASED,
    State.DEAD,
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
    def latest(self) -> float:
        """What arrived then or later stays, whatever its state."""
        times = (self.delivered, self.skipped, self.dead)
        return max((time for time in times if time is not None), default=float("-inf"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What is asked of an event before it may go."""

    position: int  # in the journal's order of arrival
    arrived: float  # Unix seconds
    states: Collection[State]  # of its deliveries
    size: int  # bytes of its body


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What one step removed, and where to go on."""

    removed: int
    next: int | None  # give it as ``after``; None: nothing further is old enough


def state_of(states: Collection[State]) -> State:
    """Return the state of the delivery that needs its event longest; without any, skipped."""
    return next((state for state in _NEEDED_LONGEST if state in states), State.SKIPPED)


def may_go(event: Kept, until: Until) -> bool:
    """Tell whether *event* is older than its state needs it. What waits never may."""
    limits = {
        State.DELIVERED: until.delivered,
        State.SKIPPED: until.skipped,
        State.DEAD: until.dead,
    }
    limit = limits.get(state_of(event.states))
    return limit is not None and event.arrived < limit


def choose(stretch: Sequence[Kept], until: Until, limit: int) -> tuple[list[int], int | None]:
    """Return the positions of the events that go, and where to go on.

    *stretch* are the next events, *limit* of them unless there are fewer. It ends early at an
    event that is too young in any state, and when the bodies that go take ``STEP_BYTES``.
    """
    going: list[int] = []
    size = 0
    for event in stretch:
        if event.arrived >= until.latest:
            return going, None
        if may_go(event, until):
            going.append(event.position)
            size += event.size
        if size >= STEP_BYTES:
            return going, event.position
    return going, stretch[-1].position if len(stretch) == limit else None
