"""What may be asked of a journal beside single rows: searches, problems, and how much flows."""

from dataclasses import dataclass

from odoorway.model.delivery import Attempt, Delivery, Planned, State
from odoorway.model.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are looked for; what is None or empty narrows nothing."""

    source: str = ""
    topic: str = ""
    state: State | None = None  # of any of its deliveries
    since: float | None = None  # Unix seconds, of arrival
    until: float | None = None
    ordering_key: str = ""
    external_id: str = ""  # of a record that was written, or its end from a ``_`` or ``.`` on
    text: str = ""  # in the payload


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first, and where to go on."""

    events: tuple[Event, ...]
    next: int | None  # give it as ``before``; None: there are no older ones
    searched_to: float | None = None  # the search ended here for now, Unix seconds; go on if wanted


@dataclass(frozen=True, slots=True)
class History:
    """One event, and all that became of it."""

    event: Event
    deliveries: tuple[tuple[Delivery, tuple[Attempt, ...]], ...]  # newest first, attempts in order


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Events in the order in which they were stored, and where to go on."""

    events: tuple[History, ...]  # none of a page that is all unwanted
    next: int | None  # give it as ``after``; None: there are no later ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Dead letters, or rejections, of one source that have one diagnosis."""

    kind: str  # "dead", "breached", "waiting" or "rejection"
    source: str  # empty for rejections of paths that are none
    destination: str  # empty for rejections
    code: str
    count: int
    first: float  # Unix seconds
    last: float
    example: str  # the id of the event, or rejection, that came last
    hours: tuple[tuple[int, int], ...]  # (Unix seconds / 3600, how many then), in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which dead letters are meant; what is None or empty narrows nothing."""

    source: str = ""
    destination: str = ""
    code: str = ""  # the diagnosis
    topic: str = ""
    since: float | None = None  # Unix seconds, of arrival
    until: float | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter, and the delivery that would take its place."""

    id: int  # of the delivery
    event_id: str
    planned: Planned


@dataclass(frozen=True, slots=True)
class Flow:
    """How many deliveries of one source to one destination are in one state."""

    source: str
    destination: str
    state: State
    count: int


@dataclass(frozen=True, slots=True)
class Took:
    """How many of one stretch of minutes stayed under a number of seconds, and over the next."""

    minute: int  # the first of the stretch, Unix seconds / 60
    source: str
    destination: str  # empty: up to the answer 202
    bound: float  # seconds; infinity for those that took longer than anybody measures
    count: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a source sent last, and how long it is silent at times."""

    last: float  # Unix seconds
    gaps: int = 0  # how many silences were looked at
    longest: float = 0.0  # seconds, of these


@dataclass(frozen=True, slots=True)
class Beat:
    """What happened in one minute."""

    minute: int  # Unix seconds / 60
    what: str  # "received", "delivered" or "dead"
    count: int
