"""The journal in memory: for tests and trials. Nothing survives the process."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from odoorway.errors import JournalFull
from odoorway.journal import memory_search
from odoorway.journal.caps import cap_event, cap_rejection, cap_settlement
from odoorway.journal.found import (
    Beat,
    Chosen,
    DeadLetter,
    EventFilter,
    EventPage,
    Flow,
    Problem,
    Took,
)
from odoorway.journal.memory_forget import Forgetting
from odoorway.journal.memory_latency import MemoryLatency
from odoorway.journal.port import Appended, Binding, Limits, Stats
from odoorway.model.delivery import (
    Attempt,
    Delivery,
    Leased,
    Outcome,
    Planned,
    Settlement,
    State,
)
from odoorway.model.event import Event, Rejection
from odoorway.model.standing import Standing

_WAITING = (State.PENDING, State.LEASED)


@dataclass(slots=True)
class _Lane:
    """What shares an ordering key: who goes first, and when."""

    head: int | None = None
    due_at: float = 0.0
    owner: str | None = None
    held: bool = False
    waiting: deque[int] = field(default_factory=deque)  # behind the head, in order
    replayed: deque[int] = field(default_factory=deque)  # while held: these go before
    applied: dict[str, str] = field(default_factory=dict)  # route: version


class MemoryJournal(Forgetting):
    """The Journal port on dictionaries; what the other implementations are compared with."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Be empty."""
        self._limits = limits or Limits()
        self._events: dict[str, Event] = {}
        self._keys: dict[tuple[str, str], dict[str, str]] = {}
        self._deliveries: dict[int, Delivery] = {}
        self._plans: dict[int, Planned] = {}
        self._attempts: dict[int, list[Attempt]] = {}
        self._lanes: dict[tuple[str, str, str], _Lane] = {}
        self._standings: dict[str, Standing] = {}
        self._bindings: dict[str, dict[str, int]] = {}
        self._latency = MemoryLatency()
        self._beats: Counter[tuple[int, str]] = Counter()
        self._rejections: deque[Rejection] = deque(maxlen=self._limits.max_rejections)

    async def append(self, event: Event, planned: Sequence[Planned]) -> Appended:
        """See ``Journal.append``."""
        bodies = self._keys.setdefault((event.source, event.idempotency_key), {})
        if event.body_hash in bodies:
            return Appended(bodies[event.body_hash], duplicate=True)
        self._room(len(planned))
        kept = replace(cap_event(event, self._limits), conflict=bool(bodies))
        bodies[event.body_hash] = event.id
        self._events[event.id] = kept
        self._beats[int(event.received_at // 60), "received"] += 1
        for plan in planned:
            self._enqueue(kept, plan, event.received_at)
        if not planned:
            unrouted = Planned(route="", destination="")
            self._add(kept, unrouted, event.received_at, State.SKIPPED, "event.no-route")
        return Appended(event.id, duplicate=False)

    def _room(self, more: int) -> None:
        waiting = sum(d.state in _WAITING for d in self._deliveries.values())
        if waiting + more > self._limits.max_waiting:
            raise JournalFull(f"{waiting} deliveries wait, the limit is {self._limits.max_waiting}")

    def _add(
        self, event: Event, plan: Planned, now: float, state: State, code: str | None = None
    ) -> int:
        number = max(self._plans, default=0) + 1
        self._plans[number] = plan
        self._attempts[number] = []
        self._deliveries[number] = Delivery(
            id=number,
            event_id=event.id,
            route=plan.route,
            destination=plan.destination,
            state=state,
            attempts=0,
            due_at=now,
            updated_at=now,
            code=code,
        )
        return number

    def _enqueue(self, event: Event, plan: Planned, now: float) -> int:
        number = self._add(event, plan, now, State.PENDING)
        lane = self._lanes.setdefault((plan.destination, event.source, event.ordering_key), _Lane())
        if lane.head is None and not lane.held:
            lane.head, lane.due_at = number, now
        else:
            lane.waiting.append(number)
        return number

    def _lane_of(self, number: int) -> _Lane:
        delivery = self._deliveries[number]
        event = self._events[delivery.event_id]
        return self._lanes[delivery.destination, event.source, event.ordering_key]

    async def reject(self, rejection: Rejection) -> None:
        """See ``Journal.reject``."""
        self._rejections.append(cap_rejection(rejection, self._limits))

    async def lease(
        self, destination: str, owner: str, *, limit: int, now: float, until: float
    ) -> Sequence[Leased]:
        """See ``Journal.lease``."""
        if (await self.standing(destination)).paused:
            return []
        due = [
            lane
            for (where, _, _), lane in self._lanes.items()
            if where == destination and lane.head is not None and lane.due_at <= now
        ]
        due.sort(key=lambda lane: (lane.due_at, lane.head))
        return [self._claim(lane, owner, now, until) for lane in due[:limit]]

    def _claim(self, lane: _Lane, owner: str, now: float, until: float) -> Leased:
        assert lane.head is not None  # noqa: S101 - only lanes with a head are due
        delivery = self._deliveries[lane.head]
        if delivery.state is State.LEASED:
            delivery = self._lost(delivery, now)
        lane.due_at, lane.owner = until, owner
        delivery = replace(delivery, state=State.LEASED, due_at=until, updated_at=now)
        self._deliveries[delivery.id] = delivery
        return Leased(
            delivery=delivery,
            event=self._events[delivery.event_id],
            owner=owner,
            until=until,
            applied=lane.applied.get(delivery.route),
        )

    def _lost(self, delivery: Delivery, now: float) -> Delivery:
        """Record that a lease ran out: it counts, or what kills the process does so for ever."""
        number = len(self._attempts[delivery.id]) + 1
        lost = Attempt(
            number=number,
            at=now,
            seconds=0.0,
            outcome=Outcome.RETRY,
            code="gateway.lease-lost",
            detail="",
        )
        self._attempts[delivery.id].append(lost)
        return replace(delivery, attempts=delivery.attempts + 1, code=lost.code)

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Sequence[int]:
        """See ``Journal.settle``."""
        held = [s for s in settlements if self._holds(owner, s.delivery)]
        for settlement in held:
            self._settle(cap_settlement(settlement, self._limits))
        return [s.delivery for s in held]

    def _holds(self, owner: str, number: int) -> bool:
        known = self._deliveries.get(number)
        return (
            known is not None
            and known.state is State.LEASED
            and self._lane_of(number).owner == owner
        )

    def _settle(self, settlement: Settlement) -> None:
        number = settlement.delivery
        before = self._deliveries[number]
        self._attempts[number].append(
            Attempt(
                number=len(self._attempts[number]) + 1,
                at=settlement.at,
                seconds=settlement.seconds,
                outcome=settlement.outcome,
                code=settlement.code,
                detail=settlement.detail,
                records=settlement.records,
                commands=settlement.commands,
            )
        )
        self._deliveries[number] = replace(
            before,
            state=settlement.state,
            attempts=before.attempts + settlement.counts,
            due_at=settlement.due_at,
            updated_at=settlement.at,
            code=settlement.code,
            detail=settlement.detail,
        )
        if settlement.outcome in {Outcome.DELIVERED, Outcome.DEAD}:
            self._beats[int(settlement.at // 60), settlement.outcome.value] += 1
        version = self._events[before.event_id].version
        if version is not None and settlement.outcome is Outcome.DELIVERED:
            self._lane_of(number).applied[before.route] = version
        self._move_on(self._lane_of(number), settlement, hold=self._plans[number].hold)

    @staticmethod
    def _move_on(lane: _Lane, settlement: Settlement, *, hold: bool) -> None:
        lane.owner = None
        if settlement.outcome is Outcome.RETRY:
            lane.due_at = settlement.due_at
            return
        lane.held = hold and settlement.outcome is Outcome.DEAD
        line = () if lane.held else lane.replayed or lane.waiting
        lane.head = line.popleft() if line else None
        lane.due_at = settlement.at

    async def release(self) -> int:
        """See ``Journal.release``."""
        leased = [d for d in self._deliveries.values() if d.state is State.LEASED]
        for delivery in leased:
            self._deliveries[delivery.id] = replace(delivery, state=State.PENDING, due_at=0.0)
            lane = self._lane_of(delivery.id)
            lane.owner, lane.due_at = None, 0.0
        return len(leased)

    async def replay(
        self, event_id: str, planned: Sequence[Planned], now: float, *, only_dead: bool = False
    ) -> Sequence[int]:
        """See ``Journal.replay``."""
        event = self._events.get(event_id)
        if event is None:
            return []
        kept = [
            replace(plan, hold=self._held_before(event_id, plan))
            for plan in planned
            if self._supersede(event_id, plan.route, now) or not only_dead
        ]
        return [self._replayed(event, plan, now) for plan in kept]

    def _held_before(self, event_id: str, plan: Planned) -> bool:
        return plan.hold or any(
            self._plans[number].hold
            for number, one in self._deliveries.items()
            if (one.event_id, one.route) == (event_id, plan.route)
        )

    def _supersede(self, event_id: str, route: str, now: float) -> bool:
        found = False
        for number, delivery in self._deliveries.items():
            same = (delivery.event_id, delivery.route) == (event_id, route)
            if same and delivery.state is State.DEAD:
                found = True
                self._deliveries[number] = replace(
                    delivery,
                    state=State.SKIPPED,
                    code="delivery.replayed",
                    detail="replayed",
                    updated_at=now,
                )
        return found

    def _replayed(self, event: Event, plan: Planned, now: float) -> int:
        number = self._enqueue(event, plan, now)
        lane = self._lane_of(number)
        if lane.held:
            lane.waiting.remove(number)
            lane.replayed.append(number)
        if lane.head is None:
            lane.head, lane.due_at = lane.replayed.popleft(), now
        return number

    async def next_due(self, destination: str) -> float | None:
        """See ``Journal.next_due``."""
        if (await self.standing(destination)).paused:
            return None
        return min(
            (
                lane.due_at
                for (where, _, _), lane in self._lanes.items()
                if where == destination and lane.head is not None
            ),
            default=None,
        )

    async def events(self, *, limit: int = 50, before: str | None = None) -> Sequence[Event]:
        """See ``Journal.events``."""
        newest = list(reversed(self._events))
        start = newest.index(before) + 1 if before in self._events else 0
        return [self._events[key] for key in newest[start : start + limit]]

    async def event(self, event_id: str) -> Event | None:
        """See ``Journal.event``."""
        return self._events.get(event_id)

    async def deliveries(
        self,
        *,
        event_id: str | None = None,
        state: State | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[Delivery]:
        """See ``Journal.deliveries``."""
        found = [
            d
            for d in reversed(self._deliveries.values())
            if (event_id is None or d.event_id == event_id)
            and (state is None or d.state is state)
            and (before is None or d.id < before)
        ]
        return found[:limit]

    async def delivery(self, delivery_id: int) -> Delivery | None:
        """See ``Journal.delivery``."""
        return self._deliveries.get(delivery_id)

    async def attempts(self, delivery_id: int) -> Sequence[Attempt]:
        """See ``Journal.attempts``."""
        return list(self._attempts.get(delivery_id, ()))

    async def rejections(self, *, limit: int = 50) -> Sequence[Rejection]:
        """See ``Journal.rejections``."""
        return list(reversed(self._rejections))[:limit]

    async def stats(self) -> Stats:
        """See ``Journal.stats``."""
        counts = dict.fromkeys(State, 0)
        for delivery in self._deliveries.values():
            counts[delivery.state] += 1
        waiting = [
            self._events[d.event_id].received_at
            for d in self._deliveries.values()
            if d.state in _WAITING
        ]
        return Stats(
            events=len(self._events),
            rejections=len(self._rejections),
            deliveries=counts,
            oldest_waiting=min(waiting, default=None),
        )

    async def standing(self, destination: str) -> Standing:
        """See ``Journal.standing``."""
        return self._standings.get(destination, Standing(name=destination))

    async def note_breaker(self, standing: Standing) -> None:
        """See ``Journal.note_breaker``."""
        known = await self.standing(standing.name)
        self._standings[standing.name] = replace(standing, paused=known.paused)

    async def pause(self, destination: str, now: float, *, paused: bool) -> None:
        """See ``Journal.pause``."""
        known = await self.standing(destination)
        self._standings[destination] = replace(known, paused=paused, changed_at=now)

    async def destinations(self) -> Sequence[str]:
        """See ``Journal.destinations``."""
        return sorted({where for where, _, _ in self._lanes} | set(self._standings))

    async def bound(self, destination: str, xids: Sequence[str]) -> Mapping[str, int]:
        """See ``Journal.bound``."""
        known = self._bindings.get(destination, {})
        return {xid: known[xid] for xid in xids if xid in known}

    async def bind(self, destination: str, bindings: Sequence[Binding]) -> None:
        """See ``Journal.bind``."""
        known = self._bindings.setdefault(destination, {})
        known |= {xid: ident for _, xid, ident in bindings}

    async def unbind(self, destination: str, xids: Sequence[str]) -> None:
        """See ``Journal.unbind``."""
        for xid in xids:
            self._bindings.get(destination, {}).pop(xid, None)

    async def search(
        self, wanted: EventFilter, *, limit: int = 50, before: int | None = None
    ) -> EventPage:
        """See ``Journal.search``."""
        return memory_search.search(self._tried(), wanted, limit, before)

    async def dead_letters(
        self, chosen: Chosen, *, limit: int = 100, after: int = 0, last: int | None = None
    ) -> Sequence[DeadLetter]:
        """See ``Journal.dead_letters``."""
        found = memory_search.dead_letters(self._tried(), self._plans, chosen)
        return [one for one in found if after < one.id and (last is None or one.id <= last)][:limit]

    async def count_dead(self, chosen: Chosen) -> int:
        """See ``Journal.count_dead``."""
        return len(memory_search.dead_letters(self._tried(), self._plans, chosen))

    async def problems(self) -> Sequence[Problem]:
        """See ``Journal.problems``."""
        return memory_search.problems(self._tried(), self._rejections)

    async def flows(self) -> Sequence[Flow]:
        """See ``Journal.flows``."""
        return memory_search.flows(self._tried())

    async def beats(self, since: float) -> Sequence[Beat]:
        """See ``Journal.beats``."""
        return memory_search.beats(self._beats, since)

    async def oldest(self) -> Mapping[tuple[str, str], float]:
        """See ``Journal.oldest``."""
        return memory_search.oldest(self._tried())

    async def note_latency(self, took: Sequence[Took], *, since: int) -> None:
        """See ``Journal.note_latency``."""
        self._latency.note(took, since)

    async def latency(self, since: float, *, minutes: int) -> Sequence[Took]:
        """See ``Journal.latency``."""
        return self._latency.found(int(since // 60), minutes)

    def group_size(self) -> float:
        """See ``Journal.group_size``."""
        return 1.0

    async def rejection(self, rejection_id: str) -> Rejection | None:
        """See ``Journal.rejection``."""
        return next((one for one in self._rejections if one.id == rejection_id), None)

    async def close(self) -> None:
        """See ``Journal.close``."""
