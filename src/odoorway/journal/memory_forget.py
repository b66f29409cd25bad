"""How the journal in memory forgets."""

from collections import Counter, deque
from collections.abc import Iterable

from odoorway.journal.keeping import Forgotten, Kept, Until, choose
from odoorway.journal.memory_search import Tried
from odoorway.model.delivery import Attempt, Delivery
from odoorway.model.event import Event, Rejection


class Forgetting:
    """That part of the journal in memory: what it removes from, and how."""

    _events: dict[str, Event]
    _keys: dict[tuple[str, str], dict[str, str]]
    _deliveries: dict[int, Delivery]
    _attempts: dict[int, list[Attempt]]
    _rejections: deque[Rejection]
    _beats: Counter[tuple[int, str]]  # by minute and what happened

    async def forget(self, until: Until, *, after: int = 0, limit: int) -> Forgotten:
        """See ``Journal.forget``. An event's position is the id of its first delivery."""
        numbered = {made[0][0].id: (event, made) for event, made in self._tried()}
        stretch = [_kept(number, *one) for number, one in numbered.items() if number > after]
        going, on = choose(stretch[:limit], until, limit)
        for number in going:
            self._remove(*numbered[number])
        return Forgotten(len(going), on)

    def _remove(self, event: Event, made: Iterable[tuple[Delivery, list[Attempt]]]) -> None:
        del self._events[event.id]
        del self._keys[event.source, event.idempotency_key][event.body_hash]
        for delivery, _ in made:
            del self._deliveries[delivery.id], self._attempts[delivery.id]

    async def forget_rejections(self, until: float, *, limit: int) -> int:
        """See ``Journal.forget_rejections``."""
        oldest = list(self._rejections)[:limit]
        old = [one for one in oldest if one.at < until]
        for one in old:
            self._rejections.remove(one)
        return len(old)

    async def forget_beats(self, until: float, *, limit: int) -> int:
        """See ``Journal.forget_beats``."""
        old = sorted(key for key in self._beats if key[0] < until // 60)[:limit]
        for key in old:
            del self._beats[key]
        return len(old)

    async def size(self) -> int:
        """See ``Journal.size``; here only bodies count."""
        bodies = [len(event.body) for event in self._events.values()]
        return sum(bodies) + sum(len(one.body) for one in self._rejections)

    def _tried(self) -> list[Tried]:
        """Return each event with its deliveries and their attempts."""
        made: dict[str, list[tuple[Delivery, list[Attempt]]]] = {}
        for number, delivery in self._deliveries.items():
            made.setdefault(delivery.event_id, []).append((delivery, self._attempts[number]))
        return [(event, made.get(key, [])) for key, event in self._events.items()]


def _kept(number: int, event: Event, made: Iterable[tuple[Delivery, list[Attempt]]]) -> Kept:
    states = {delivery.state for delivery, _ in made}
    return Kept(number, event.received_at, states, len(event.body))
