"""Is an arrival a repeat of an earlier event? Pure, and the same for every journal."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from odoorway.journal.port import Limits
from odoorway.model.event import Event


class Mark(NamedTuple):
    """What an event is known by when it comes again."""

    source: str
    key: str
    topic: str
    body_hash: str
    event: str  # its id
    expires: float | None  # from when on it is not known any more; None: never
    at: float  # its arrival, Unix seconds
    named: bool  # whether the platform gave it an id

    @property
    def remembered(self) -> bool:
        """Whether it is ever known again."""
        return self.expires is None or self.expires > self.at


class Sameness(NamedTuple):
    """How an arrival compares with what came before."""

    repeats: str | None  # the id of the event that it repeats
    conflict: bool = False  # another body, or topic, came under its event id


_NEW: Final = Sameness(None)


def mark_of(event: Event, limits: Limits) -> Mark:
    """Return what *event* is known by.

    With the platform's id that is the id. Without one it is the last thing that happened to what
    it is about: an equal body is a repeat while nothing else came about the same thing, so that
    of stock 5, 4, 5 the last 5 is a change. Never a repeat is what was lost.
    """
    if event.named:
        key, life = f"id:{event.idempotency_key}", limits.key_life
    else:
        key, life = f"about:{event.ordering_key}", limits.repeat_window
    arrived = event.received_at
    return Mark(
        event.source,
        key,
        event.topic,
        event.body_hash,
        event.id,
        None if life is None else arrived + life,
        arrived,
        event.named,
    )


def compare(arrivals: Sequence[Mark], known: Mapping[int, str | None]) -> Sequence[Sameness]:
    """Tell which of *arrivals*, in their order, are repeats.

    *known* has the positions of those whose source and key the journal knows, with the event that
    came with the same topic and body, if any did.
    """
    if not known and len({(mark.source, mark.key) for mark in arrivals}) == len(arrivals):
        return [_NEW] * len(arrivals)
    here: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    found = []
    for position, mark in enumerate(arrivals):
        came = here.setdefault((mark.source, mark.key), {})
        what = (mark.topic, mark.body_hash)
        older = known.get(position) if mark.named or (mark.remembered and not came) else None
        repeats = came.get(what) or older
        conflict = mark.named and not repeats and bool(came or position in known)
        found.append(Sameness(repeats, conflict))
        if not repeats:
            if not mark.named:
                came.clear()
            if mark.remembered:
                came[what] = mark.event
    return found
