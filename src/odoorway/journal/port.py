"""What every journal guarantees; one contract suite runs on each implementation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from odoorway.journal.found import (
    Beat,
    Chosen,
    DeadLetter,
    EventFilter,
    EventPage,
    Flow,
    HistoryPage,
    Problem,
    Rhythm,
    Took,
)
from odoorway.journal.keeping import Forgotten, Sweep
from odoorway.model.delivery import Attempt, Delivery, Leased, Planned, Settlement, State
from odoorway.model.event import Event, Flaw, Rejection
from odoorway.model.standing import Standing

MAX_BYTES = 32 << 20  # of the bodies of one lease
Binding = tuple[str, str, int]  # (model, external ID, database id)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of an append."""

    event_id: str
    duplicate: bool  # the same event was there before; nothing was stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts over the whole journal."""

    events: int
    rejections: int
    deliveries: dict[State, int]  # every state, zero included
    oldest_waiting: float | None  # the arrival of the oldest event that still waits, Unix seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a journal keeps. Texts and bodies above a cap are cut and end in ``…[cut]``."""

    max_waiting: int = 5_000_000  # pending deliveries; more is JournalFull
    max_rejections: int = 2_000  # in each budget; the oldest go first
    rejection_body: int = 4_096  # bytes
    header_value: int = 2_048  # characters
    text: int = 16_384  # characters of a detail or traceback
    key_life: float | None = (
        90 * 86_400.0
    )  # seconds that a platform's event id is known; None: ever
    repeat_window: float = 600.0  # seconds that an equal body without an id is a repeat; 0: never


class Journal(Protocol):
    """The durable queue. All times are Unix seconds given by the caller.

    Every method raises JournalUnavailable when the store cannot do it. ``next_due``, ``standing``,
    ``bound`` and ``size`` are the engine's, and never wait behind what people ask; the others that
    read raise JournalSlow when they take longer than a second in the process that serves.
    """

    async def append(
        self, event: Event, planned: Sequence[Planned], flaw: Flaw | None = None
    ) -> Appended:
        """Record *event* durably with one delivery a plan, unless it is a repeat.

        When this returns, the event survives ``kill -9`` and power loss: only then may the
        receiver answer 2xx. A repeat stores nothing and returns the first event's id with
        ``duplicate`` set. It is one when the same source, event id, topic and body came within
        ``Limits.key_life``; without an event id, when the same topic and body came within
        ``Limits.repeat_window`` and nothing else about the same ordering key since. The same event
        id with another topic or body is an event of its own with ``conflict`` set. Without a plan
        the event is stored with one delivery, route ``""``: ``skipped``, or ``dead`` for a *flaw*
        that keeps anybody from telling which routes it takes.

        Raises:
            JournalFull: ``Limits.max_waiting`` deliveries wait already.
            JournalUnavailable: the event is not known to be stored and may be sent again.
        """
        ...

    async def reject(self, rejection: Rejection) -> None:
        """Record a refused request, durable at leisure, bounded by the limits.

        Each source has a budget of its own, and all strangers share one, so that what they send
        to other paths never takes the place of a source's rejections.
        """
        ...

    async def lease(
        self,
        destination: str,
        owner: str,
        *,
        limit: int,
        now: float,
        until: float,
        max_bytes: int = MAX_BYTES,
        only_alone: bool = False,
    ) -> Sequence[Leased]:
        """Claim up to *limit* due deliveries of *destination* until that time.

        *owner* names the lease: give each another, so that what comes late of one settles nothing
        of the next. The bodies of a lease are *max_bytes* together, or it holds one delivery. One
        whose lease was lost twice in a row is leased alone, with *only_alone* nothing else; after
        five it is a dead letter.

        Deliveries that share destination, source and ordering key form a lane: only its
        head can be leased, so they never overlap and keep their order of arrival. An expired
        lease may be taken by anybody. Costs the same whatever waits. Of a paused destination
        nothing can be leased.
        """
        ...

    async def renew(self, owner: str, deliveries: Sequence[int], until: float) -> Sequence[int]:
        """Let a lease last until then; return those of the deliveries that it still holds."""
        ...

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Sequence[int]:
        """Record attempts and next states in one transaction; return the deliveries changed.

        One that waits for something (``Settlement.waits_for``) stands aside: the later ones of its
        lane pass, unless it was planned with ``hold``. It is due again at its time, or at once
        when something is delivered that may be what it waits for, or anything of its own lane.
        A settlement of a delivery that *owner* no longer holds changes nothing. A dead letter
        lets the next of its lane pass unless it was planned with ``hold``. What is delivered
        leaves its event's version for ``Leased.applied``.
        """
        ...

    async def release(self) -> int:
        """Make every leased delivery due at once; for the one process that owns the journal.

        Each has lost its lease, which is recorded.
        """
        ...

    async def redate(self, destination: str, now: float) -> int:
        """Take up what waits of *destination* dated later than *now*; return how many those are.

        A clock that was ahead and is set back would leave them waiting until it is there again.
        Each waits from now on, as long as it was to wait. Looks at all that waits: for the start,
        and for a clock that was set back.
        """
        ...

    async def replay(
        self, event_id: str, planned: Sequence[Planned], now: float, *, only_dead: bool = False
    ) -> Sequence[int]:
        """Add new deliveries of a stored event; return their ids, none when it is not stored.

        In a lane that a dead letter holds they go first, and delivering them frees the lane. A
        dead letter of the same event and route, or of no route, is settled as skipped: this takes
        its place, and holds the lane where that did. A plan without a route is left out. With
        *only_dead* nothing is added where there is none, so that of two who replay one dead
        letter at the same time only one does.
        """
        ...

    async def give_up(self, event_id: str, now: float, reason: str) -> int:
        """Settle what waits of an event as skipped, for a person's *reason*; return how many.

        What is written but not as expected is accepted as it is.
        """
        ...

    async def wake(self, event_id: str, now: float) -> int:
        """Let what waits of an event be tried now; return how many deliveries that are."""
        ...

    async def next_due(self, destination: str) -> float | None:
        """Return when the next lane is due, or None when nothing waits or may go."""
        ...

    async def events(self, *, limit: int = 50, before: str | None = None) -> Sequence[Event]:
        """Return events, newest first, those older than the event id *before*."""
        ...

    async def event(self, event_id: str) -> Event | None:
        """Return one event."""
        ...

    async def deliveries(
        self,
        *,
        event_id: str | None = None,
        state: State | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[Delivery]:
        """Return deliveries, newest first, those with an id below *before*."""
        ...

    async def delivery(self, delivery_id: int) -> Delivery | None:
        """Return one delivery."""
        ...

    async def attempts(self, delivery_id: int) -> Sequence[Attempt]:
        """Return a delivery's attempts, first to last."""
        ...

    async def rejections(self, *, limit: int = 50) -> Sequence[Rejection]:
        """Return rejections, newest first."""
        ...

    async def stats(self) -> Stats:
        """Return the counts."""
        ...

    async def standing(self, destination: str) -> Standing:
        """Return how *destination* stands; one never heard of delivers."""
        ...

    async def note_breaker(self, standing: Standing) -> None:
        """Remember what the breaker learned; whether a person paused it stays as it is."""
        ...

    async def pause(self, destination: str, now: float, *, paused: bool) -> None:
        """Stop, or let go on, all that is leased of *destination* from now on."""
        ...

    async def destinations(self) -> Sequence[str]:
        """Return the destinations that something is kept for, or that ever failed or paused."""
        ...

    async def bound(self, destination: str, xids: Sequence[str]) -> Mapping[str, int]:
        """Return the database ids of those external IDs that are bound at *destination*."""
        ...

    async def bind(self, destination: str, bindings: Sequence[Binding]) -> None:
        """Remember (model, external ID, database id); a later one of an external ID counts."""
        ...

    async def unbind(self, destination: str, xids: Sequence[str]) -> None:
        """Forget what those external IDs are bound to."""
        ...

    async def search(
        self, wanted: EventFilter, *, limit: int = 50, before: int | None = None
    ) -> EventPage:
        """Return events that are *wanted*, newest first, those older than a page's ``next``.

        What is rare is looked for as long as others may wait, and a page holds no more bodies
        than fit into memory: it may hold less than *limit*, and then says where to go on.
        """
        ...

    async def history(self, wanted: EventFilter, *, after: int = 0, limit: int) -> HistoryPage:
        """Return what is *wanted* of the next *limit* events, with all that became of them.

        In the order in which they were stored. A page holds no more bodies than fit into memory:
        it may look at fewer events.
        """
        ...

    async def dead_letters(
        self, chosen: Chosen, *, limit: int = 100, after: int = 0, last: int | None = None
    ) -> Sequence[DeadLetter]:
        """Return the dead letters that are *chosen*, oldest first: ids over *after*, to *last*."""
        ...

    async def count_dead(self, chosen: Chosen) -> int:
        """Return how many dead letters are *chosen*."""
        ...

    async def problems(self, *, long_ago: float = 0.0) -> Sequence[Problem]:
        """Return dead letters and rejections, grouped by source and diagnosis, newest first.

        What stands aside and waits for something since before *long_ago* (Unix seconds, of
        arrival) is a group of the kind ``waiting``; 20,000 of these are looked at, at most.

        Rejections of paths that are no source are one group a diagnosis, with an empty source.
        """
        ...

    async def flows(self) -> Sequence[Flow]:
        """Return how many deliveries stand where, by source and destination."""
        ...

    async def beats(self, since: float) -> Sequence[Beat]:
        """Return what happened in each minute since that time, the oldest first."""
        ...

    async def rhythms(
        self, sources: Sequence[str], now: float, *, history: int
    ) -> Mapping[str, Rhythm]:
        """Return when each of *sources* sent last, and its longest silence of the last *history*.

        Who never sent is missing. What is dated after *now* does not count. Costs the same
        whatever else arrived since, and reads no event.
        """
        ...

    async def rejected_since(self, at: float) -> int:
        """Return how many of the rejections that are kept came after that time."""
        ...

    async def oldest(self) -> Mapping[tuple[str, str], float]:
        """Return when the oldest event that waits arrived, by source and destination.

        Looks at the thousand that wait longest only: who waits and is missing waits less long.
        """
        ...

    async def note_latency(self, took: Sequence[Took], *, since: int) -> None:
        """Add counts to what is known of their minutes, and forget the minutes before *since*."""
        ...

    async def latency(self, since: float, *, minutes: int) -> Sequence[Took]:
        """Return how long things took since that time, in stretches of that many minutes."""
        ...

    def group_size(self) -> float:
        """Return how many appends share a commit at present, on average."""
        ...

    async def rejection(self, rejection_id: str) -> Rejection | None:
        """Return one rejection."""
        ...

    async def forget(self, sweep: Sweep, *, limit: int) -> Forgotten:
        """Look at the next *limit* events of *sweep* by their arrival; remove what may go.

        An event's state is that of the delivery which needs it longest: waiting, then dead,
        delivered, skipped. What waits is never removed, nor a dead letter that holds its lane;
        the others when they arrived before their state's time, with all that became of them.
        Counts of what is there follow; beats stay, and so do the keys by which a repeat is known.

        A lane goes with the last event of it, unless it has an applied version of an event that
        did not come before the sweep's ``versions``: see ``forget_lanes``.

        The position is kept with what was removed, in one transaction. One step costs the same
        whatever the journal holds, so small limits keep appends from waiting.
        """
        ...

    async def forget_lanes(self, until: float, *, limit: int) -> int:
        """Remove empty lanes, with the versions applied in them, whose last event is that old.

        Returns how many were looked at, *limit* at most: one that was used again stays.
        """
        ...

    async def forget_rejections(self, until: float, *, limit: int) -> int:
        """Remove up to *limit* rejections before *until*, oldest first; return how many."""
        ...

    async def forget_beats(self, until: float, *, limit: int) -> int:
        """Remove up to *limit* beats of minutes before *until*, oldest first; return how many."""
        ...

    async def touch(self) -> None:
        """Store something that changes nothing, to see whether the store can.

        Raises:
            JournalUnavailable: it cannot.
        """
        ...

    async def forget_keys(self, until: float, *, limit: int) -> int:
        """Remove up to *limit* keys that expired before *until*; return how many.

        Whether their events are there makes no difference.
        """
        ...

    async def size(self) -> int:
        """Return the bytes that the content takes. Removing events makes it less."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let the store go."""
        ...
