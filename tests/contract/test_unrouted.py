"""An event of which nobody can tell which routes it takes: a dead letter of no route."""

from dataclasses import replace

import pytest
from test_repeats import PLAN, named

from journals import temporary
from odoorway.journal.found import Chosen
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import State
from odoorway.model.event import Flaw

FLAW = Flaw("event.no-topic", "the topic's place json:type names nothing in this body")
OTHER = replace(PLAN, route="s")


async def unrouted() -> tuple[SqliteJournal, str]:
    journal, event = temporary(), named(100.0)
    await journal.append(event, [], FLAW)
    return journal, event.id


async def test_it_is_counted_listed_and_charted_as_a_dead_letter() -> None:
    """With its diagnosis and detail; beside it one that no route wanted is skipped."""
    journal, event_id = await unrouted()
    await journal.append(named(101.0, key="e2"), [])
    (skipped, dead) = await journal.deliveries()
    assert (dead.event_id, dead.state, dead.route) == (event_id, State.DEAD, "")
    assert (dead.code, dead.detail) == (FLAW.code, FLAW.detail)
    assert (skipped.state, skipped.code) == (State.SKIPPED, "event.no-route")
    stats = await journal.stats()
    assert (stats.deliveries[State.DEAD], stats.deliveries[State.SKIPPED]) == (1, 1)
    assert [(one.code, one.count) for one in await journal.problems()] == [(FLAW.code, 1)]
    assert [one.what for one in await journal.beats(0.0) if one.what != "received"] == ["dead"]
    assert await journal.count_dead(Chosen()) == 1


async def test_a_flaw_makes_no_difference_where_routes_are_known() -> None:
    """A repeat of either adds nothing."""
    journal, _ = await unrouted()
    for _ in range(2):
        await journal.append(named(101.0), [], FLAW)
        await journal.append(named(101.0, key="e2"), [PLAN], FLAW)
    assert {one.state for one in await journal.deliveries()} == {State.PENDING, State.DEAD}
    assert len(await journal.deliveries()) == 2


@pytest.mark.parametrize("only_dead", [True, False])
async def test_replays_on_the_routes_that_are_known_by_then_take_its_place(only_dead: bool) -> None:
    """All of them, once."""
    journal, event_id = await unrouted()
    made = await journal.replay(event_id, [PLAN, OTHER], 1000.0, only_dead=only_dead)
    states = {one.route: one.state for one in await journal.deliveries()}
    assert len(made) == 2
    assert states == {"": State.SKIPPED, "r": State.PENDING, "s": State.PENDING}
    assert not await journal.replay(event_id, [PLAN, OTHER], 1000.0, only_dead=True)


async def test_a_replay_without_a_route_changes_nothing() -> None:
    """As a bulk replay would plan it: it stays a dead letter."""
    journal, event_id = await unrouted()
    (letter,) = await journal.dead_letters(Chosen())
    assert not await journal.replay(event_id, [letter.planned], 1000.0, only_dead=True)
    assert (await journal.stats()).deliveries[State.DEAD] == 1
