"""Searches over the journal in memory: what the SQL of the others is compared with. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from odoorway.journal.found import Beat, Chosen, DeadLetter, EventFilter, EventPage, Flow, Problem
from odoorway.model.delivery import Attempt, Delivery, Planned, State
from odoorway.model.event import Event, Rejection

Tried = tuple[Event, list[tuple[Delivery, list[Attempt]]]]


def search(
    tried: Sequence[Tried], wanted: EventFilter, limit: int, before: int | None
) -> EventPage:
    """Return a page; positions count from 1."""
    numbered = list(enumerate(tried, 1))[: None if before is None else before - 1]
    found = [(number, one) for number, one in reversed(numbered) if _fits(one, wanted)]
    page = found[:limit]
    more = page[-1][0] if len(page) == limit else None
    return EventPage(tuple(event for _, (event, _) in page), more)


def dead_letters(
    tried: Iterable[Tried], plans: Mapping[int, Planned], chosen: Chosen
) -> list[DeadLetter]:
    """Return the dead letters that are chosen, the oldest first."""
    wanted = EventFilter(
        source=chosen.source, topic=chosen.topic, since=chosen.since, until=chosen.until
    )
    found = [
        DeadLetter(delivery.id, event.id, plans[delivery.id])
        for event, made in tried
        if _fits((event, made), wanted)
        for delivery, _ in made
        if delivery.state is State.DEAD
        and chosen.destination in {"", delivery.destination}
        and chosen.code in {"", delivery.code or ""}
    ]
    return sorted(found, key=lambda one: one.id)


def problems(tried: Iterable[Tried], rejections: Iterable[Rejection]) -> Sequence[Problem]:
    """Return the groups, the newest first."""
    groups: dict[tuple[str, str, str, str], list[tuple[float, str]]] = {}
    for event, made in tried:
        for delivery, _ in made:
            if delivery.state is State.DEAD:
                key = ("dead", event.source, delivery.destination, delivery.code or "")
                groups.setdefault(key, []).append((delivery.updated_at, event.id))
    for one in rejections:
        groups.setdefault(("rejection", one.source, "", one.code), []).append((one.at, one.id))
    found = [_problem(key, times) for key, times in groups.items()]
    return sorted(found, key=lambda problem: problem.last, reverse=True)


def flows(tried: Iterable[Tried]) -> Sequence[Flow]:
    """Return the counts, in order of source and destination."""
    count = Counter(
        (event.source, delivery.destination, delivery.state)
        for event, made in tried
        for delivery, _ in made
    )
    return [Flow(*key, n) for key, n in sorted(count.items())]


def oldest(tried: Iterable[Tried]) -> dict[tuple[str, str], float]:
    """Return the first arrival that still waits, by source and destination."""
    found: dict[tuple[str, str], float] = {}
    for event, made in tried:
        for delivery in (one for one, _ in made if one.state in {State.PENDING, State.LEASED}):
            found.setdefault((event.source, delivery.destination), event.received_at)
    return found


def beats(count: Mapping[tuple[int, str], int], since: float) -> Sequence[Beat]:
    """Return what happened, in order of minutes."""
    return [Beat(*key, n) for key, n in sorted(count.items()) if key[0] >= since // 60]


def _fits(one: Tried, wanted: EventFilter) -> bool:
    event, made = one
    narrow = (
        (wanted.source, wanted.source == event.source),
        (wanted.topic, wanted.topic == event.topic),
        (wanted.ordering_key, wanted.ordering_key == event.ordering_key),
        (wanted.since, wanted.since is not None and event.received_at >= wanted.since),
        (wanted.until, wanted.until is not None and event.received_at < wanted.until),
        (wanted.state, wanted.state in {delivery.state for delivery, _ in made}),
        (wanted.text, wanted.text.encode() in event.body),
        (wanted.external_id, any(wanted.external_id in xid for xid in _xids(made))),
    )
    return all(fits for asked, fits in narrow if asked)


def _xids(made: Iterable[tuple[Delivery, Iterable[Attempt]]]) -> Iterator[str]:
    return (xid for _, attempts in made for one in attempts for _, xid, _ in one.records)


def _problem(key: tuple[str, str, str, str], times: list[tuple[float, str]]) -> Problem:
    kind, source, destination, code = key
    hours = Counter(int(at // 3600) for at, _ in times)
    return Problem(
        kind=kind,
        source=source,
        destination=destination,
        code=code,
        count=len(times),
        first=min(times)[0],
        last=max(times)[0],
        example=max(example for _, example in times),
        hours=tuple(sorted(hours.items())),
    )
