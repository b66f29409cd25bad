"""What every journal takes for a repeat: of an event with an id, and of one without."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from odoorway.errors import JournalFull
from odoorway.journal.keeping import Sweep, Until
from odoorway.journal.port import Appended, Journal, Limits
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Planned, State
from odoorway.model.event import Event, new_id

PLAN = Planned(route="r", destination="odoo")
LIFE, WINDOW = 1_000.0, 100.0
Way = Callable[..., Awaitable[list[Appended]]]
Open = Callable[..., Awaitable[Journal]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Open a journal again and again."""
    made: list[Journal] = []

    async def close() -> None:
        while made:
            await made.pop().close()

    async def make(**limits: Any) -> Journal:
        await close()
        chosen = Limits(**{"key_life": LIFE, "repeat_window": WINDOW} | limits)
        made.append(SqliteJournal.open(tmp_path / "journal.db", limits=chosen))
        return made[-1]

    yield make
    await close()


def named(at: float, key: str = "e1", body: str = "a", topic: str = "t") -> Event:
    return Event(
        id=new_id("evt", at),
        source="shop",
        topic=topic,
        idempotency_key=key,
        ordering_key="order/1",
        version=None,
        received_at=at,
        headers=(),
        body=body.encode(),
        body_hash=body,
    )


def unnamed(at: float, body: str, about: str = "stock/A", topic: str = "t") -> Event:
    key = f"sha256:{topic} {body}"
    return replace(named(at, key, body, topic), ordering_key=about or key)


async def append(journal: Journal, *events: Event) -> list[Appended]:
    """Append one after the other."""
    return [await journal.append(one, [PLAN]) for one in events]


async def together(journal: Journal, *events: Event) -> list[Appended]:
    """Append in one commit."""
    return list(await asyncio.gather(*(journal.append(one, [PLAN]) for one in events)))


def repeated(events: Sequence[Event], answers: Sequence[Appended]) -> list[int | None]:
    """Return the position of the event that each repeats; None for one of its own."""
    ids = [one.id for one in events]
    return [ids.index(one.event_id) if one.duplicate else None for one in answers]


either = pytest.mark.parametrize("way", [append, together])


async def test_an_id_is_known_as_long_as_its_key_lives(opened: Open) -> None:
    """Then the same id is another event; the first one's life is not made longer by repeats."""
    journal = await opened()
    events = [named(0), named(1), named(LIFE - 1), named(LIFE), named(LIFE + 1)]
    assert repeated(events, await append(journal, *events)) == [None, 0, 0, None, 3]


async def test_an_id_may_be_known_for_ever(opened: Open) -> None:
    """Where no life is set."""
    journal = await opened(key_life=None)
    events = [named(0), named(1e12)]
    assert repeated(events, await append(journal, *events)) == [None, 0]
    assert await journal.forget_keys(9e12, limit=9) == 0


@either
async def test_another_body_or_topic_under_an_id_is_an_event_and_flagged(
    opened: Open, way: Way
) -> None:
    """Each of them is known by itself then: what is not signed must not make another vanish."""
    journal = await opened()
    events = [
        named(0), named(1, body="b"), named(2, topic="u"), named(3, body="b"), named(4),
        named(5, key="e2"),
    ]  # fmt: skip
    answers = await way(journal, *events)  # either of the two
    assert repeated(events, answers) == [None, None, None, 1, 0, None]
    stored = [await journal.event(one.id) for one in events]
    assert [one and one.conflict for one in stored] == [False, True, True, None, None, False]


@either
async def test_stock_5_4_5_arrives_as_5_4_5(opened: Open, way: Way) -> None:
    """An equal body is a repeat only while nothing else came about the same thing."""
    journal = await opened()
    events = [unnamed(at, body) for at, body in enumerate("5445545")]
    answers = await way(journal, *events)  # either of the two
    assert repeated(events, answers) == [None, None, 1, None, 3, None, None]
    assert not [one for one in await journal.events() if one.conflict]


@either
async def test_what_came_about_another_thing_makes_no_difference(opened: Open, way: Way) -> None:
    """Nor does what is about nothing; the same body on another topic is another event."""
    journal = await opened()
    events = [
        unnamed(0, "5"), unnamed(1, "9", "stock/B"), unnamed(2, "5"), unnamed(3, "x", ""),
        unnamed(4, "y", ""), unnamed(5, "x", ""), unnamed(6, "5", topic="u"), unnamed(7, "5"),
    ]  # fmt: skip
    answers = await way(journal, *events)  # either of the two
    assert repeated(events, answers) == [None, None, 0, None, None, 3, None, None]


async def test_an_equal_body_without_an_id_is_known_for_the_window(opened: Open) -> None:
    """From the first of them on; with no window each is an event."""
    journal = await opened()
    events = [unnamed(at, "5") for at in (0, WINDOW - 1, WINDOW, WINDOW + 1)]
    assert repeated(events, await append(journal, *events)) == [None, 0, None, 2]
    journal = await opened(repeat_window=0)
    for way in (append, together):
        events = [unnamed(WINDOW + 2, "5"), unnamed(WINDOW + 2, "5")]
        assert repeated(events, await way(journal, *events)) == [None, None]


async def test_a_repeat_stays_known_over_a_restart(opened: Open) -> None:
    """When a platform missed the answer is when it sends again."""
    events = [named(0), unnamed(0, "5"), named(9), unnamed(9, "5")]
    answers = await append(await opened(), *events[:2])
    answers += await append(await opened(), *events[2:])
    assert repeated(events, answers) == [None, None, 0, 1]


async def test_events_and_keys_are_forgotten_apart(opened: Open) -> None:
    """A repeat of an event that is gone gets the same answer; one whose key is gone is new."""
    journal = await opened()
    events = [named(0), unnamed(0, "5")]
    for one in events:
        await journal.append(one, [])
    old = Sweep(name="old", before=1.0, until=Until(skipped=1.0), now=1.0)
    assert (await journal.forget(old, limit=9)).removed == 2
    again = [named(9), unnamed(9, "5")]
    answers = await append(journal, *again)
    assert repeated(events, answers) == [0, 1]
    assert (await journal.stats()).events == 0
    kept = [named(10, key=f"k{number}") for number in range(5)]
    await append(journal, *kept)
    assert await journal.forget_keys(WINDOW + 1, limit=9) == 1  # the one without an id
    assert await journal.forget_keys(LIFE + 11, limit=4) == 4
    assert await journal.forget_keys(LIFE + 11, limit=4) == 2
    assert await journal.forget_keys(LIFE + 11, limit=4) == 0
    assert (await journal.stats()).events == 5
    assert not (await append(journal, named(11, key="k0")))[0].duplicate


async def test_a_change_and_the_change_back_in_one_commit_are_none(opened: Open) -> None:
    """Whatever was known before them."""
    journal = await opened()
    events = [unnamed(0, "5"), unnamed(1, "4"), unnamed(2, "5")]
    answers = await append(journal, events[0]) + await together(journal, *events[1:])
    assert repeated(events, answers) == [None] * 3


async def test_a_full_journal_answers_repeats(opened: Open) -> None:
    """They need no room; what is new is refused and is not known by that."""
    journal = await opened(max_waiting=2)
    events = [named(0), unnamed(0, "5")]
    await append(journal, *events)
    arrivals = [named(1), named(1, key="e2"), unnamed(1, "5"), unnamed(1, "4")]
    for _ in range(2):
        told = await asyncio.gather(
            *(journal.append(one, [PLAN]) for one in arrivals), return_exceptions=True
        )
        assert [type(one) for one in told] == [Appended, JournalFull] * 2
        assert repeated(events, [one for one in told if isinstance(one, Appended)]) == [0, 1]


@either
async def test_an_event_that_the_journal_has_is_not_stored_again(opened: Open, way: Way) -> None:
    """As when an export is read twice: by its own id, also when nothing else is known of it."""
    journal = await opened(repeat_window=0)
    events = [unnamed(0, "5"), unnamed(1, "4"), unnamed(2, "5")]
    assert repeated(events, await way(journal, *events)) == [None] * 3
    assert repeated(events, await way(journal, *events)) == [0, 1, 2]
    assert (await journal.stats()).deliveries[State.PENDING] == 3
