"""What every journal guarantees, asked of each implementation."""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from odoorway.errors import JournalFull, JournalLocked
from odoorway.journal.found import Chosen, DeadLetter, EventFilter, Rhythm, Took
from odoorway.journal.keeping import STEP_BYTES, Forgotten, Sweep, Until
from odoorway.journal.port import Journal, Limits
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Leased, Outcome, Planned, Settlement, State
from odoorway.model.event import Event, Rejection
from odoorway.model.standing import Standing

PLAN = Planned(route="r", destination="odoo")
HOLD = Planned(route="r", destination="odoo", hold=True)
Open = Callable[..., Journal]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Open a journal of each kind."""
    made: list[Journal] = []

    def make(limits: Limits | None = None) -> Journal:
        made.append(SqliteJournal.open(tmp_path / "journal.db", limits=limits))
        return made[-1]

    yield make
    for journal in made:
        await journal.close()


def event(number: int, about: str = "", key: str = "", body: str = "") -> Event:
    return Event(
        id=f"evt_{number:06}",
        source="shop",
        topic="orders/create",
        idempotency_key=key or str(number),
        ordering_key=about or str(number),
        version=None,
        received_at=float(number),
        headers=(("x-a", "b"),),
        body=(body or str(number)).encode(),
        body_hash=body or str(number),
    )


async def lease(
    journal: Journal, now: float = 1000.0, *, owner: str = "me", limit: int = 100, last: float = 60
) -> list[Leased]:
    return list(await journal.lease("odoo", owner, limit=limit, now=now, until=now + last))


def settled(one: Leased, outcome: Outcome, now: float = 1000.0, **more: Any) -> Settlement:
    plain: dict[str, Any] = {"due_at": now + 10} if outcome is Outcome.RETRY else {}
    return Settlement(
        delivery=one.delivery.id,
        outcome=outcome,
        at=now,
        seconds=0.1,
        **plain,
        **more,
    )


async def finish(journal: Journal, one: Leased, outcome: Outcome = Outcome.DELIVERED) -> None:
    assert await journal.settle("me", [settled(one, outcome)])


def rejection(number: int) -> Rejection:
    return Rejection(
        id=f"rej_{number}",
        source="shop",
        at=number,
        status=401,
        code="signature.mismatch",
        detail="",
        headers=(),
        body=b"",
    )


def ids(leased: list[Leased]) -> list[str]:
    return [one.event.id for one in leased]


async def test_an_event_is_stored_with_a_delivery_a_plan(opened: Open) -> None:
    """Atomic, and read back as it came."""
    journal = opened()
    other = Planned(route="s", destination="elsewhere")
    assert not (await journal.append(event(1), [PLAN, other])).duplicate
    assert await journal.event("evt_000001") == event(1)
    found = await journal.deliveries(event_id="evt_000001")
    assert {(d.route, d.destination, d.state) for d in found} == {
        ("r", "odoo", State.PENDING),
        ("s", "elsewhere", State.PENDING),
    }
    assert len(await lease(journal)) == 1


async def test_what_comes_together_is_told_apart(opened: Open) -> None:
    """In one commit too: a repeat is the first, another body under the same key is flagged."""
    journal = opened()
    arrivals = [event(n, key="k", body=body) for n, body in enumerate(["a", "b", "a", "c"])]
    answers = await asyncio.gather(*(journal.append(one, [PLAN]) for one in arrivals))
    assert [answer.duplicate for answer in answers] == [False, False, True, False]
    assert answers[2].event_id == arrivals[0].id
    stored = {one.id: one.conflict for one in await journal.events()}
    assert stored == {arrivals[0].id: False, arrivals[1].id: True, arrivals[3].id: True}


async def test_what_comes_together_keeps_its_order(opened: Open) -> None:
    """Many at once, for two routes each, some about the same thing: each lane in turn."""
    journal = opened()
    plans = [PLAN, Planned(route="s", destination="other"), Planned(route="t", destination="odoo")]
    arrivals = [event(n, about=f"about {n % 3}") for n in range(12)]
    await asyncio.gather(*(journal.append(one, plans) for one in arrivals))
    seen: list[tuple[str, str]] = []
    while leased := await lease(journal):
        seen += [(one.event.id, one.delivery.route) for one in leased]
        for one in leased:
            await finish(journal, one)
    for lane in range(3):
        ours = [one.id for one in arrivals if one.ordering_key == f"about {lane}"]
        wanted = [(each, route) for each in ours for route in ("r", "t")]
        assert [pair for pair in seen if pair[0] in ours] == wanted


async def test_texts_and_times_come_back_as_they_were(opened: Open) -> None:
    """Quotes, any Unicode, the bytes of a body; the full precision of a float; NUL written out."""
    journal = opened()
    odd = 'a"b" \\ \u2028 \N{GRINNING FACE}'
    given = replace(
        event(1, about=odd, key=odd, body="a\0b"),
        topic=odd,
        received_at=1764000000.1234567,
        headers=(("x-odd", odd),),
    )
    await journal.append(given, [PLAN])
    assert await journal.event(given.id) == given
    other = replace(given, id="evt_000002", topic="a\0b", idempotency_key="2")
    await journal.append(other, [PLAN])
    assert await journal.event(other.id) == replace(other, topic="a\\u0000b")


async def test_a_duplicate_stores_nothing_and_another_body_is_a_conflict(opened: Open) -> None:
    """The first's id is what the sender hears again."""
    journal = opened()
    await journal.append(event(1, key="k", body="a"), [PLAN])
    again = await journal.append(event(2, key="k", body="a"), [PLAN])
    assert (again.event_id, again.duplicate) == ("evt_000001", True)
    other = await journal.append(event(3, key="k", body="b"), [PLAN])
    assert (other.event_id, other.duplicate) == ("evt_000003", False)
    third = await journal.event("evt_000003")
    assert third
    assert third.conflict
    stats = await journal.stats()
    assert (stats.events, stats.deliveries[State.PENDING]) == (2, 2)


async def test_an_event_without_a_route_is_skipped_and_visible(opened: Open) -> None:
    """With the diagnosis that says so."""
    journal = opened()
    await journal.append(event(1), [])
    (delivery,) = await journal.deliveries(state=State.SKIPPED)
    assert (delivery.route, delivery.code) == ("", "event.no-route")
    assert not await lease(journal)


async def test_a_lane_is_leased_one_at_a_time_in_order(opened: Open) -> None:
    """Deliveries that share an ordering key never overlap."""
    journal = opened()
    for n in (1, 2, 3):
        await journal.append(event(n, about="order"), [PLAN])
    await journal.append(event(4, about="other"), [PLAN])
    seen = []
    while leased := await lease(journal):
        seen.append(ids(leased))
        assert not await lease(journal, owner="you")
        for one in leased:
            await finish(journal, one)
    assert seen == [["evt_000001", "evt_000004"], ["evt_000002"], ["evt_000003"]]


async def test_a_retry_keeps_its_place(opened: Open) -> None:
    """What waits behind it goes on waiting."""
    journal = opened()
    for n in (1, 2):
        await journal.append(event(n, about="order"), [PLAN])
    (first,) = await lease(journal)
    await finish(journal, first, Outcome.RETRY)
    assert not await lease(journal, 1009)
    assert await journal.next_due("odoo") == 1010
    (again,) = await lease(journal, 1010)
    assert again.event.id == "evt_000001"
    assert again.delivery.attempts == 1


async def test_what_does_not_count_spends_no_attempt_but_is_recorded(opened: Open) -> None:
    """A destination that was down."""
    journal = opened()
    await journal.append(event(1), [PLAN])
    (one,) = await lease(journal)
    await journal.settle("me", [settled(one, Outcome.RETRY, counts=False, code="odoo.unreachable")])
    delivery = await journal.delivery(one.delivery.id)
    assert delivery
    assert (delivery.attempts, delivery.code) == (0, "odoo.unreachable")
    (attempt,) = await journal.attempts(one.delivery.id)
    assert (attempt.number, attempt.outcome, attempt.code) == (1, "retry", "odoo.unreachable")


async def test_a_dead_letter_lets_the_next_one_pass_unless_it_holds(opened: Open) -> None:
    """And a replay in a held lane goes first, and frees it."""
    journal = opened()
    for n in (1, 2):
        await journal.append(event(n, about="free"), [PLAN])
        await journal.append(event(n + 10, about="held"), [HOLD])
    for one in await lease(journal):
        await finish(journal, one, Outcome.DEAD)
    assert ids(await lease(journal)) == ["evt_000002"]
    await journal.replay("evt_000011", [HOLD], 1000)
    (replayed,) = await lease(journal)
    assert replayed.event.id == "evt_000011"
    await finish(journal, replayed)
    assert ids(await lease(journal)) == ["evt_000012"]


@pytest.mark.parametrize("again", [HOLD, replace(HOLD, hold=False)])
async def test_a_replay_that_dies_holds_its_lane_again(opened: Open, again: Planned) -> None:
    """Until a person has fixed it; also where who replays does not know that it held."""
    journal = opened()
    for n in (1, 2):
        await journal.append(event(n, about="held"), [HOLD])
    for _ in range(2):
        (one,) = await lease(journal)
        assert one.event.id == "evt_000001"
        await finish(journal, one, Outcome.DEAD)
        assert not await lease(journal)
        assert len(await journal.replay("evt_000001", [again], 1000)) == 1


async def test_a_replay_of_an_unknown_event_does_nothing(opened: Open) -> None:
    """It returns no delivery."""
    assert await opened().replay("evt_nope", [PLAN], 1000) in ([], ())


async def test_a_lease_that_ran_out_is_taken_by_another_and_recorded(opened: Open) -> None:
    """The first owner's settlement then changes nothing."""
    journal = opened()
    await journal.append(event(1), [PLAN])
    (lost,) = await lease(journal, 1000)
    assert not await lease(journal, 1059, owner="you")
    (taken,) = await lease(journal, 1061, owner="you")
    assert (taken.lost, taken.delivery.attempts) == (1, 0)
    assert not await journal.settle("me", [settled(lost, Outcome.DEAD)])
    delivery = await journal.delivery(lost.delivery.id)
    assert delivery
    assert delivery.state is State.LEASED
    assert await journal.settle("you", [settled(taken, Outcome.DELIVERED)])
    tried = await journal.attempts(lost.delivery.id)
    assert [a.code for a in tried] == ["gateway.lease-lost", None]


async def test_release_makes_leased_deliveries_due_and_records_that_they_were_lost(
    opened: Open,
) -> None:
    """For the one process that starts after another ended; no attempt is spent."""
    journal = opened()
    await journal.append(event(1), [PLAN])
    await lease(journal)
    assert await journal.release() == 1
    (again,) = await lease(journal)
    assert (again.lost, again.delivery.attempts) == (1, 0)
    (lost,) = await journal.attempts(again.delivery.id)
    assert lost.code == "gateway.lease-lost"


async def test_what_is_dated_in_the_future_is_due_again(opened: Open) -> None:
    """A retry keeps its wait, a lease its length, and what is behind comes too; others stay."""
    journal = opened()
    await journal.append(event(5000, about="a"), [PLAN])
    await journal.append(event(5001, about="a"), [PLAN])
    await journal.append(event(5002), [PLAN])
    await journal.append(event(5003), [Planned(route="s", destination="other")])
    retried, leased = await lease(journal, 6000, last=60)
    assert await journal.settle("me", [settled(retried, Outcome.RETRY, 6000)])
    assert await lease(journal, 900, owner="you") == []
    assert await journal.redate("odoo", 900) == 3
    assert await journal.redate("odoo", 900) == 0
    assert await lease(journal, 909, owner="you") == []
    (again,) = await lease(journal, 911)
    assert again.delivery.id == retried.delivery.id
    await finish(journal, again)
    behind, lost = await lease(journal, 961, owner="you")
    assert (behind.event.id, lost.delivery.id) == ("evt_005001", leased.delivery.id)
    assert await journal.lease("other", "me", limit=9, now=961, until=999) == ()


async def test_what_lost_two_leases_goes_alone_and_after_five_is_dead(opened: Open) -> None:
    """Whatever ends the process takes no other with it for ever; the others pass."""
    journal = opened()
    for n in (1, 2, 3):
        await journal.append(event(n), [PLAN])
    for _ in range(2):
        assert len(await lease(journal)) == 3
        await journal.release()
    for lost in (2, 3, 4):
        (one,) = await journal.lease(
            "odoo", "me", limit=9, now=1000.0, until=1060.0, only_alone=True
        )
        assert (one.event.id, one.lost) == ("evt_000001", lost)
        await journal.release()
    (second,) = await lease(journal)
    dead = await journal.delivery(one.delivery.id)
    assert dead
    assert (dead.state, dead.code) == (State.DEAD, "gateway.lease-lost")
    assert second.event.id == "evt_000002"
    await finish(journal, second)
    (third,) = await lease(journal)
    await finish(journal, third, Outcome.RETRY)
    (again,) = await lease(journal, 2000.0)
    assert again.lost == 0, "an outcome ends the count"


async def test_a_lease_is_limited_in_bytes_and_holds_at_least_one(opened: Open) -> None:
    """Memory does not follow from the number that waits."""
    journal = opened()
    for n in range(1, 6):
        await journal.append(event(n, body=str(n) * 1000), [PLAN])
    leased = await journal.lease("odoo", "a", limit=9, now=1000.0, until=1060.0, max_bytes=2500)
    assert ids(list(leased)) == ["evt_000001", "evt_000002"]
    leased = await journal.lease("odoo", "b", limit=9, now=1000.0, until=1060.0, max_bytes=1)
    assert ids(list(leased)) == ["evt_000003"]


async def test_a_lease_can_be_renewed_while_it_is_held(opened: Open) -> None:
    """By its own name only; what was settled or taken by another is not in it any more."""
    journal = opened()
    for n in (1, 2):
        await journal.append(event(n), [PLAN])
    first, second = await lease(journal)
    both = [first.delivery.id, second.delivery.id]
    assert set(await journal.renew("me", both, 1200.0)) == set(both)
    assert await journal.renew("you", both, 9999.0) == []
    await finish(journal, second)
    assert await journal.renew("me", both, 1200.0) == [first.delivery.id]
    assert await lease(journal, 1199.0, owner="you") == []
    (taken,) = await lease(journal, 1201.0, owner="you")
    assert taken.delivery.id == first.delivery.id
    assert await journal.renew("me", both, 9999.0) == []


async def test_a_full_journal_refuses_and_keeps_what_it_has(opened: Open) -> None:
    """Delivering makes room; a duplicate needs none."""
    journal = opened(Limits(max_waiting=2))
    for n in (1, 2):
        await journal.append(event(n), [PLAN])
    with pytest.raises(JournalFull):
        await journal.append(event(3), [PLAN])
    assert await journal.event("evt_000003") is None
    assert (await journal.append(event(1), [PLAN])).duplicate
    (one, _) = await lease(journal)
    await finish(journal, one)
    await journal.append(event(3), [PLAN])


async def test_long_texts_are_cut_and_say_so(opened: Open) -> None:
    """An event's body never is."""
    journal = opened(Limits(text=20, header_value=20, rejection_body=20))
    long = "x" * 1000
    await journal.append(event(1, body=long), [PLAN])
    (one,) = await lease(journal)
    assert one.event.body == long.encode()
    await journal.settle("me", [settled(one, Outcome.DEAD, code="handler.failed", detail=long)])
    (attempt,) = await journal.attempts(one.delivery.id)
    assert attempt.detail.endswith("…[cut]")
    assert len(attempt.detail) <= 20


async def test_rejections_are_bounded(opened: Open) -> None:
    """The oldest go first."""
    journal = opened(Limits(max_rejections=3))
    for n in range(5):
        await journal.reject(
            Rejection(
                id=f"rej_{n}",
                source="shop",
                at=n,
                status=401,
                code="signature.mismatch",
                detail="",
                headers=(),
                body=b"",
            )
        )
    assert [r.id for r in await journal.rejections()] == ["rej_4", "rej_3", "rej_2"]
    assert (await journal.stats()).rejections == 3


async def test_strangers_share_a_budget_and_take_nobodys_place(opened: Open) -> None:
    """What is sent to any other path takes the oldest of such, never a source's own evidence."""
    journal = opened(Limits(max_rejections=3))
    for number, source in enumerate(["shop", "crm", "shop"]):
        await journal.reject(replace(rejection(number), source=source))
    for number in range(10, 20):
        odd = replace(rejection(number), source=f"wp-login.php?{number}", stranger=True)
        await journal.reject(odd)
    assert [one.at for one in await journal.rejections()] == [19, 18, 17, 2, 1, 0]
    for number in range(20, 23):
        await journal.reject(replace(rejection(number), source="shop"))
    assert [one.at for one in await journal.rejections()] == [22, 21, 20, 19, 18, 17, 1]
    groups = {one.source: one.count for one in await journal.problems()}
    assert groups == {"shop": 3, "": 3, "crm": 1}


async def test_a_budget_counts_on_after_the_old_went(opened: Open) -> None:
    """All of it, or a part: what comes next has room."""
    journal = opened(Limits(max_rejections=3))
    for number in range(3):
        await journal.reject(rejection(number))
    assert await journal.forget_rejections(2.0, limit=9) == 2
    for number in range(3, 5):
        await journal.reject(rejection(number))
    assert [one.at for one in await journal.rejections()] == [4, 3, 2]
    assert await journal.forget_rejections(9.0, limit=9) == 3
    await journal.reject(rejection(5))
    assert [one.at for one in await journal.rejections()] == [5]


async def test_lists_are_newest_first_and_page(opened: Open) -> None:
    """By what came before."""
    journal = opened()
    for n in range(1, 6):
        await journal.append(event(n), [PLAN])
    first = await journal.events(limit=2)
    assert [e.id for e in first] == ["evt_000005", "evt_000004"]
    rest = await journal.events(limit=9, before=first[-1].id)
    assert [e.id for e in rest] == ["evt_000003", "evt_000002", "evt_000001"]
    page = await journal.deliveries(limit=2)
    assert [d.id for d in await journal.deliveries(before=page[-1].id)] == [
        page[-1].id - 1,
        page[-1].id - 2,
        page[-1].id - 3,
    ]


async def test_stats_tell_the_oldest_that_waits(opened: Open) -> None:
    """By when it arrived."""
    journal = opened()
    assert (await journal.stats()).oldest_waiting is None
    for n in (5, 7):
        await journal.append(event(n), [PLAN])
    assert (await journal.stats()).oldest_waiting == 5


@pytest.mark.parametrize("seed", range(5))
async def test_any_course_keeps_each_lane_in_order(opened: Open, seed: int) -> None:
    """Random appends, outcomes and replays: no overlap, no overtaking, nothing lost."""
    journal, draw, now = opened(), random.Random(seed), 0.0
    sent: dict[str, list[str]] = {}
    done: dict[str, list[str]] = {}
    for n in range(60):
        about = str(draw.randrange(5))
        await journal.append(event(n, about=about), [PLAN])
        sent.setdefault(about, []).append(event(n).id)
        now += 20
        for one in await lease(journal, now, limit=draw.randrange(1, 4)):
            outcome = draw.choice([Outcome.DELIVERED, Outcome.DEAD, Outcome.RETRY])
            await journal.settle("me", [settled(one, outcome, now)])
            if outcome is not Outcome.RETRY:
                done.setdefault(one.event.ordering_key, []).append(one.event.id)
    while leased := await lease(journal, now := now + 20):
        for one in leased:
            await finish(journal, one)
            done.setdefault(one.event.ordering_key, []).append(one.event.id)
    assert done == sent


async def test_concurrent_appends_are_all_there(opened: Open) -> None:
    """Each once, though they share transactions."""
    journal = opened()
    await asyncio.gather(*(journal.append(event(n % 100), [PLAN]) for n in range(300)))
    assert (await journal.stats()).events == 100


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """With the file's name; a visitor beside it is not."""
    path = tmp_path / "journal.db"
    first = SqliteJournal.open(path)
    with pytest.raises(JournalLocked, match=r"journal\.db"):
        SqliteJournal.open(path)
    visitor = SqliteJournal.open(path, serve=False)
    await first.append(event(1), [PLAN])
    assert await visitor.event("evt_000001")
    await visitor.close()
    await first.close()
    await SqliteJournal.open(path).close()


async def test_what_was_appended_is_there_when_opened_again(tmp_path: Path) -> None:
    """A file, not a memory."""
    first = SqliteJournal.open(tmp_path / "journal.db")
    await first.append(event(1), [PLAN])
    await first.close()
    second = SqliteJournal.open(tmp_path / "journal.db")
    assert ids(await lease(second)) == ["evt_000001"]
    await second.close()


async def test_what_arrives_while_the_head_is_leased_waits(opened: Open) -> None:
    """Two of one lane are never under way at once."""
    journal = opened()
    await journal.append(event(1, about="o"), [PLAN])
    (first,) = await lease(journal)
    await journal.append(event(2, about="o"), [PLAN])
    assert await lease(journal) == []
    await finish(journal, first)
    assert ids(await lease(journal)) == ["evt_000002"]


async def test_what_arrives_in_a_held_lane_waits_and_a_freed_lane_is_free(opened: Open) -> None:
    """Until a replay of the dead letter is delivered; then as if nothing had been."""
    journal = opened()
    await journal.append(event(1, about="o"), [HOLD])
    await finish(journal, (await lease(journal))[0], Outcome.DEAD)
    await journal.append(event(2, about="o"), [HOLD])
    assert await lease(journal) == []
    await journal.replay("evt_000001", [HOLD], 1000.0)
    for expected in ("evt_000001", "evt_000002"):
        (one,) = await lease(journal)
        assert one.event.id == expected
        await finish(journal, one)
    await journal.append(event(3, about="o"), [HOLD])
    assert ids(await lease(journal)) == ["evt_000003"]


async def test_all_that_is_replayed_into_a_held_lane_goes_first(opened: Open) -> None:
    """Two routes of the dead event go before what waits behind it."""
    journal = opened()
    other = replace(HOLD, route="other")
    await journal.append(event(1, about="o"), [HOLD])
    await journal.append(event(2, about="o"), [HOLD])
    await finish(journal, (await lease(journal))[0], Outcome.DEAD)
    await journal.replay("evt_000001", [HOLD, other], 1000.0)
    went = []
    while leased := await lease(journal):
        went.append((leased[0].event.id, leased[0].delivery.route))
        await finish(journal, leased[0])
    assert went == [("evt_000001", "r"), ("evt_000001", "other"), ("evt_000002", "r")]


async def test_the_version_that_a_route_delivered_is_remembered(opened: Open) -> None:
    """In its lane, once delivered and not before; another route of the lane has its own."""
    journal = opened()
    other = replace(PLAN, route="other")
    first = replace(event(1, about="o"), version="7")
    await journal.append(first, [PLAN])
    await journal.append(replace(event(2, about="o"), version="8"), [PLAN, other])
    await journal.append(event(3, about="o"), [PLAN])
    seen = []
    while leased := await lease(journal, 2000.0):
        (one,) = leased
        seen.append((one.event.id, one.delivery.route, one.applied, one.delivery.attempts))
        again = len(seen) == 1
        outcome = Outcome.RETRY if again else Outcome.DELIVERED
        await journal.settle("me", [settled(one, outcome, 1000.0)])
    assert seen == [
        ("evt_000001", "r", None, 0),
        ("evt_000001", "r", None, 1),
        ("evt_000002", "r", "7", 0),
        ("evt_000002", "other", None, 0),
        ("evt_000003", "r", "8", 0),
    ]


async def test_of_a_paused_destination_nothing_is_leased(opened: Open) -> None:
    """Whatever waits, and whatever its breaker does; webhooks are still taken."""
    journal = opened()
    await journal.append(event(1), [PLAN])
    assert await journal.standing("odoo") == Standing(name="odoo")
    await journal.pause("odoo", 5.0, paused=True)
    await journal.append(event(2), [PLAN])
    assert await lease(journal) == []
    assert await journal.next_due("odoo") is None
    failed = Standing(name="odoo", failures=3, until=9.0, code="c", detail="d", changed_at=6.0)
    await journal.note_breaker(failed)
    assert await journal.standing("odoo") == replace(failed, paused=True)
    assert (await journal.standing("other")).delivering
    await journal.pause("odoo", 7.0, paused=False)
    known = await journal.standing("odoo")
    assert (known.paused, known.failures, known.changed_at) == (False, 3, 7.0)
    assert len(await lease(journal)) == 2


async def test_bindings_are_kept_a_destination(opened: Open) -> None:
    """What an external ID means is remembered, replaced and forgotten, each destination apart."""
    journal = opened()
    await journal.bind("odoo", [("res.partner", "x.a", 1), ("res.partner", "x.b", 2)])
    await journal.bind("other", [("res.partner", "x.a", 9)])
    await journal.bind("odoo", [("res.partner", "x.b", 3)])
    assert dict(await journal.bound("odoo", ["x.a", "x.b", "x.c"])) == {"x.a": 1, "x.b": 3}
    await journal.unbind("odoo", ["x.a"])
    assert dict(await journal.bound("odoo", ["x.a", "x.b"])) == {"x.b": 3}
    assert dict(await journal.bound("other", ["x.a"])) == {"x.a": 9}


async def test_destinations_are_those_planned_for_or_paused(opened: Open) -> None:
    """Each once, in order, however many lanes there are."""
    journal = opened()
    assert list(await journal.destinations()) == []
    for number, name in enumerate(["b", "a", "b"]):
        await journal.append(event(number), [replace(PLAN, destination=name)])
    await journal.pause("c", 5.0, paused=True)
    assert list(await journal.destinations()) == ["a", "b", "c"]


async def _history(journal: Journal) -> None:
    """Six events of two sources: two delivered, two dead, one waiting, one without a route."""
    for number in range(1, 6):
        sent = replace(event(number, body=f"body {number}"), source="shop" if number < 4 else "crm")
        await journal.append(sent, [PLAN])
    await journal.append(replace(event(400, about="7"), topic="odd"), [])
    leased = await lease(journal, limit=4)
    outcomes = [Outcome.DELIVERED, Outcome.DEAD, Outcome.DELIVERED, Outcome.DEAD]
    for one, outcome in zip(leased, outcomes, strict=True):
        code = "odoo.no-match" if outcome is Outcome.DEAD else None
        records = (("sale.order", f"__odoorway__.shop_order_{one.event.id}", 5),)
        done = replace(settled(one, outcome, code=code), records=records)
        await journal.settle("me", [done])


async def test_events_are_found(opened: Open) -> None:
    """By each of their properties, newest first, and pages do not overlap."""
    journal = opened()
    await _history(journal)

    async def found(**wanted: Any) -> list[str]:
        page = await journal.search(EventFilter(**wanted))
        assert page.next is None
        return [one.id[-3:] for one in page.events]

    assert await found() == ["400", "005", "004", "003", "002", "001"]
    assert await found(source="crm") == ["005", "004"]
    assert await found(topic="odd") == ["400"]
    assert await found(state=State.DEAD) == ["004", "002"]
    assert await found(state=State.SKIPPED) == ["400"]
    assert await found(since=3.0, until=5.0) == ["004", "003"]
    assert await found(ordering_key="3") == ["003"]
    assert await found(ordering_key="3", source="crm") == []
    assert await found(text="body 2") == ["002"]
    assert await found(external_id="shop_order_evt_000001") == ["001"]
    assert await found(external_id="__odoorway__.shop_order_evt_000001") == ["001"]
    assert await found(external_id="000001") == ["001"]
    first = await journal.search(EventFilter(), limit=4)
    second = await journal.search(EventFilter(), limit=4, before=first.next)
    assert [one.id[-3:] for one in second.events] == ["002", "001"]


@pytest.mark.parametrize("other", ["order_1", "order", "sale.order", "7", "__odoorway__"])
async def test_an_external_id_is_not_a_part_of_another(opened: Open, other: str) -> None:
    """Neither its beginning, nor a model's name, nor a record's number finds it."""
    journal = opened()
    await journal.append(event(1), [PLAN])
    (one,) = await lease(journal)
    records = (("sale.order", "__odoorway__.shop_order_10", 7),)
    await journal.settle("me", [replace(settled(one, Outcome.DELIVERED), records=records)])
    assert (await journal.search(EventFilter(external_id="order_10"))).events
    assert not (await journal.search(EventFilter(external_id=other))).events


async def test_the_rhythm_of_a_source(opened: Open) -> None:
    """When it sent last, and its longest silence of so many; the future and others do not count."""
    journal = opened()
    times = [1.0, 100.0, 160.0, 170.0, 200.0, 9e9]
    for number, at in enumerate(times):
        await journal.append(replace(event(number), received_at=at), [])
    await journal.append(replace(event(9), source="crm", received_at=250.0), [])

    async def rhythms(history: int) -> Any:
        return await journal.rhythms(["shop", "crm", "new"], 300.0, history=history)

    crm = Rhythm(250.0, 0, 0.0)
    assert await rhythms(3) == {"shop": Rhythm(200.0, 3, 60.0), "crm": crm}
    assert await rhythms(50) == {"shop": Rhythm(200.0, 4, 99.0), "crm": crm}
    assert await rhythms(0) == {"shop": Rhythm(200.0, 0, 0.0), "crm": crm}


async def test_problems_flows_and_beats(opened: Open) -> None:
    """What a person has to look at, how much stands where, and what happened when."""
    journal = opened()
    await _history(journal)
    await journal.reject(rejection(1))
    problems = {(p.kind, p.source, p.code): p.count for p in await journal.problems()}
    assert problems == {
        ("dead", "shop", "odoo.no-match"): 1,
        ("dead", "crm", "odoo.no-match"): 1,
        ("rejection", "shop", "signature.mismatch"): 1,
    }
    flows = {(f.source, f.destination, f.state): f.count for f in await journal.flows()}
    assert flows == {
        ("shop", "odoo", State.DELIVERED): 2,
        ("shop", "odoo", State.DEAD): 1,
        ("crm", "odoo", State.DEAD): 1,
        ("crm", "odoo", State.PENDING): 1,
        ("shop", "", State.SKIPPED): 1,
    }
    beats = [(b.minute, b.what, b.count) for b in await journal.beats(0.0)]
    assert beats[0] == (0, "received", 5)
    assert (6, "received", 1) in beats
    assert {(what, n) for _, what, n in beats[2:]} == {("delivered", 2), ("dead", 2)}
    assert (await journal.beats(300.0))[0].minute == 6


async def test_a_problem_tells_its_hours_and_its_newest(opened: Open) -> None:
    """Two dead letters of one cause, three hours apart."""
    journal = opened()
    for number, at in enumerate((100.0, 3 * 3600.0 + 5), 1):
        await journal.append(replace(event(number), received_at=at), [PLAN])
        (leased,) = await journal.lease("odoo", "me", limit=9, now=at, until=at + 60)
        done = Settlement(
            delivery=leased.delivery.id, outcome=Outcome.DEAD, at=at + 1, seconds=1.0, code="x.y"
        )
        await journal.settle("me", [done])
    (problem,) = await journal.problems()
    assert problem.hours == ((0, 1), (3, 1))
    assert (problem.first, problem.last, problem.count) == (101.0, 3 * 3600.0 + 6, 2)
    assert problem.example == event(2).id


async def test_dead_letters_by_filter(opened: Open) -> None:
    """Oldest first, in pages, with what would take their place: holding the lane stays so."""
    journal = opened()
    await _history(journal)
    holding = Planned(route="order", destination="odoo", hold=True)
    await journal.append(event(500), [holding])
    (leased,) = await journal.lease("odoo", "me", limit=1, now=999.0, until=1000.0)
    while leased.event.id != event(500).id:
        (leased,) = await journal.lease("odoo", "me", limit=1, now=999.0, until=1000.0)
    done = Settlement(
        delivery=leased.delivery.id, outcome=Outcome.DEAD, at=999.0, seconds=1.0, code="x.y"
    )
    await journal.settle("me", [done])
    found = await journal.dead_letters(Chosen())
    assert found[-1] == DeadLetter(leased.delivery.id, event(500).id, holding)
    assert [one.id for one in found] == sorted(one.id for one in found)
    first = await journal.dead_letters(Chosen(), limit=1)
    rest = await journal.dead_letters(Chosen(), after=first[-1].id)
    assert [*first, *rest] == list(found)
    assert await journal.dead_letters(Chosen(), last=first[-1].id) == first
    assert await journal.count_dead(Chosen()) == len(found) == 3
    for chosen, count in (
        (Chosen(code="odoo.no-match"), 2),
        (Chosen(source="crm"), 1),
        (Chosen(since=499.0), 1),
        (Chosen(until=499.0, topic="orders/create"), 2),
        (Chosen(destination="erp"), 0),
    ):
        assert await journal.count_dead(chosen) == count
        assert len(await journal.dead_letters(chosen)) == count


async def test_who_waits_longest(opened: Open) -> None:
    """By source and destination; what is settled waits no more."""
    journal = opened()
    assert await journal.oldest() == {}
    other = Planned(route="other", destination="erp")
    await journal.append(replace(event(1), received_at=10.0), [PLAN])
    await journal.append(replace(event(2), received_at=20.0), [PLAN, other])
    await journal.append(replace(event(3), source="crm", received_at=30.0), [PLAN])
    waiting = {("shop", "odoo"): 10.0, ("shop", "erp"): 20.0, ("crm", "odoo"): 30.0}
    assert await journal.oldest() == waiting
    (leased, *_) = await journal.lease("odoo", "me", limit=1, now=40.0, until=90.0)
    assert await journal.oldest() == waiting
    done = Settlement(delivery=leased.delivery.id, outcome=Outcome.DELIVERED, at=50.0, seconds=1.0)
    await journal.settle("me", [done])
    assert await journal.oldest() == {**waiting, ("shop", "odoo"): 20.0}


async def test_how_long_things_take(opened: Open) -> None:
    """Counts of a minute add up, stretches add minutes up, and what is too old is forgotten."""
    journal = opened()
    took = [Took(7, "shop", "", 0.5, 2), Took(9, "shop", "odoo", math.inf, 1)]
    await journal.note_latency(took, since=0)
    await journal.note_latency([Took(7, "shop", "", 0.5, 3), Took(8, "shop", "", 0.5, 4)], since=0)
    minute = [Took(7, "shop", "", 0.5, 5), Took(8, "shop", "", 0.5, 4), took[1]]
    assert list(await journal.latency(0.0, minutes=1)) == minute
    assert list(await journal.latency(8 * 60.0, minutes=1)) == minute[1:]
    assert list(await journal.latency(0.0, minutes=8)) == [
        Took(0, "shop", "", 0.5, 5),
        Took(8, "shop", "", 0.5, 4),
        Took(8, "shop", "odoo", math.inf, 1),
    ]
    await journal.note_latency([], since=9)
    assert list(await journal.latency(0.0, minutes=1)) == minute[2:]


async def test_a_replay_takes_the_dead_letters_place(opened: Open) -> None:
    """Nobody has to look at the first one any more, and all counts say so."""
    journal = opened()
    await _history(journal)
    (before, *_) = await journal.deliveries(state=State.DEAD)
    assert await journal.replay(before.event_id, [PLAN], 900.0)
    after = await journal.delivery(before.id)
    assert after
    assert (after.state, after.code) == (State.SKIPPED, "delivery.replayed")
    assert (await journal.stats()).deliveries[State.DEAD] == 1
    assert len(await journal.attempts(before.id)) == 1
    assert sum(f.count for f in await journal.flows() if f.state is State.DEAD) == 1
    assert sum(p.count for p in await journal.problems()) == 1


async def test_a_replay_of_the_dead_only_finds_the_others_work_done(opened: Open) -> None:
    """Of two who replay one dead letter one does; what was never dead is left alone."""
    journal = opened()
    await _history(journal)
    (before, *_) = await journal.deliveries(state=State.DEAD)
    plans = [PLAN, replace(PLAN, route="never-taken")]
    made = [await journal.replay(before.event_id, plans, 900.0, only_dead=True) for _ in range(2)]
    assert [len(one) for one in made] == [1, 0]
    assert len(await journal.replay(before.event_id, [PLAN], 900.0)) == 1  # as a person may


async def test_what_is_old_is_forgotten(opened: Open) -> None:
    """Settled events by age, in steps; what waits never, dead letters when asked; counts follow."""
    journal = opened()
    await _history(journal)
    beats = await journal.beats(0.0)
    settled_ones = sweep("x", Until(delivered=400.0, skipped=400.0))
    steps = [await journal.forget(settled_ones, limit=limit) for limit in (2, 9, 9)]
    assert steps == [Forgotten(1, True), Forgotten(1, False), Forgotten(0, False)]
    assert await _left(journal) == ["002", "004", "005", "400"]
    dead_ones = sweep("y", Until(dead=400.0))
    assert await journal.forget(dead_ones, limit=9) == Forgotten(2, False)
    assert await _left(journal) == ["005", "400"]
    stats = await journal.stats()
    assert (stats.events, stats.deliveries[State.DEAD], stats.deliveries[State.DELIVERED]) == (
        2, 0, 0,
    )  # fmt: skip
    flows = {(f.source, f.state): f.count for f in await journal.flows()}
    assert flows == {("crm", State.PENDING): 1, ("shop", State.SKIPPED): 1}
    assert await journal.beats(0.0) == beats
    assert not await journal.attempts(1)


def sweep(
    name: str, until: Until, before: float = 8e9, *, now: float = 1000.0, **more: float
) -> Sweep:
    return Sweep(name=name, before=before, until=until, now=now, **more)


async def _left(journal: Journal) -> list[str]:
    return [one.id[-3:] for one in reversed(await journal.events())]


async def _of_each_state(journal: Journal) -> None:
    """1 delivered, 2 dead, 3 skipped, 4 without a route, 5 leased, 6 pending; all one second."""
    plans: dict[int, list[Planned]] = {4: [], 6: [replace(PLAN, destination="elsewhere")]}
    for number in range(1, 7):
        await journal.append(replace(event(number), received_at=100.0), plans.get(number, [PLAN]))
    outcomes = (Outcome.DELIVERED, Outcome.DEAD, Outcome.SKIPPED)
    for one, outcome in zip(await lease(journal), outcomes, strict=False):
        await finish(journal, one, outcome)


@pytest.mark.parametrize(
    ("until", "gone"),
    [
        (Until(), []),
        (Until(delivered=101.0), ["001"]),
        (Until(dead=101.0), ["002"]),
        (Until(skipped=101.0), ["003", "004"]),
        (Until(delivered=100.0, dead=100.0, skipped=100.0), []),
        (Until(delivered=9e9, dead=9e9, skipped=9e9), ["001", "002", "003", "004"]),
        (Until(delivered=101.0, dead=100.0, skipped=99.0), ["001"]),
    ],
)
async def test_each_state_is_kept_by_its_own_limit(
    opened: Open, until: Until, gone: list[str]
) -> None:
    """And what waits, leased or not, for ever."""
    journal = opened()
    await _of_each_state(journal)
    before = await journal.stats()
    assert await journal.forget(sweep("x", until), limit=99) == Forgotten(len(gone), False)
    left = await _left(journal)
    assert left == [f"{n:03}" for n in range(1, 7) if f"{n:03}" not in gone]
    stats = await journal.stats()
    assert stats.events == sum(stats.deliveries.values()) == len(left)
    for state in (State.PENDING, State.LEASED):
        assert stats.deliveries[state] == before.deliveries[state] == 1


@pytest.mark.parametrize(
    ("outcomes", "until", "goes"),
    [
        ((Outcome.DELIVERED, Outcome.DEAD), Until(delivered=9e9, skipped=9e9), False),
        ((Outcome.DELIVERED, Outcome.DEAD), Until(dead=9e9), True),
        ((Outcome.SKIPPED, Outcome.DELIVERED), Until(skipped=9e9), False),
        ((Outcome.SKIPPED, Outcome.DELIVERED), Until(delivered=9e9), True),
        ((Outcome.SKIPPED, Outcome.DEAD), Until(delivered=9e9, skipped=9e9), False),
        ((Outcome.DELIVERED, None), Until(delivered=9e9, dead=9e9, skipped=9e9), False),
        ((Outcome.DEAD, Outcome.RETRY), Until(delivered=9e9, dead=9e9, skipped=9e9), False),
    ],
)
async def test_the_delivery_that_needs_an_event_longest_counts(
    opened: Open, outcomes: tuple[Outcome | None, ...], until: Until, goes: bool
) -> None:
    """Whichever of its routes that is, the first or the last."""
    journal = opened()
    for number, order in enumerate((outcomes, outcomes[::-1])):
        destinations = [f"{number}{route}" for route in range(len(order))]
        plans = [Planned(route=name, destination=name) for name in destinations]
        await journal.append(event(number), plans)
        for name, outcome in zip(destinations, order, strict=True):
            (one,) = await journal.lease(name, "me", limit=9, now=1000.0, until=1060.0)
            if outcome:
                await finish(journal, one, outcome)
    assert await journal.forget(sweep("x", until), limit=9) == Forgotten(2 * goes, False)


async def _alternating(journal: Journal, many: int) -> None:
    """Store events from 1 on: each odd one is dead, each even one delivered."""
    for number in range(1, many + 1):
        await journal.append(event(number), [PLAN])
        (one,) = await lease(journal)
        await finish(journal, one, Outcome.DEAD if number % 2 else Outcome.DELIVERED)


async def test_a_walk_goes_on_where_it_ended(opened: Open) -> None:
    """Kept events are passed once, also by the next process; each walk has its own position."""
    journal = opened()
    await _alternating(journal, 7)
    until = Until(delivered=6.5)
    walked = [await journal.forget(sweep("x", until, 6.5), limit=2) for _ in range(4)]
    assert [(one.removed, one.more) for one in walked] == [
        (1, True), (1, True), (1, True), (0, False),
    ]  # fmt: skip
    await journal.close()
    journal = opened()
    everything = Until(dead=9.0, delivered=9.0)
    assert await journal.forget(sweep("x", everything, 6.5), limit=9) == Forgotten(0, False)
    assert await journal.forget(sweep("x", everything, 8.0), limit=9) == Forgotten(1, False)
    assert await _left(journal) == ["001", "003", "005"]
    assert await journal.forget(sweep("y", everything), limit=9) == Forgotten(3, False)


async def test_a_round_starts_over_when_it_is_old_and_has_ended(opened: Open) -> None:
    """What settled behind a walk is found then; one that is under way first comes to its end."""
    journal = opened()
    await _alternating(journal, 5)
    until = Until(delivered=9.0)
    assert (await journal.forget(sweep("x", until), limit=9)).removed == 2
    await journal.replay("evt_000001", [PLAN], 900.0)
    (again,) = await lease(journal)
    await finish(journal, again)

    async def later(now: float, limit: int = 9) -> Forgotten:
        return await journal.forget(sweep("x", until, now=now, anew=now - 100), limit=limit)

    assert await later(1099.0) == Forgotten(0, False)
    assert await later(1101.0, limit=1) == Forgotten(1, True)
    await journal.append(event(2, key="again"), [])
    assert await later(1299.0, limit=1) == Forgotten(0, True)
    assert await later(1299.0) == Forgotten(0, False)
    assert await later(1299.0, limit=1) == Forgotten(0, True)


async def test_an_event_dated_in_the_future_stops_nothing(opened: Open) -> None:
    """It stays; what arrived before and after it goes by its own date."""
    journal = opened()
    for number, at in enumerate([9e9, 20.0, 30.0, 9e9, 10.0, 20.0, 10.0]):
        await journal.append(replace(event(number), received_at=at), [])
    old = sweep("x", Until(skipped=25.0), 25.0)
    steps = [await journal.forget(old, limit=1) for _ in range(5)]
    assert steps == [Forgotten(1, True)] * 4 + [Forgotten(0, False)]
    assert await _left(journal) == ["000", "002", "003"]


async def test_a_dead_letter_that_holds_its_lane_is_not_forgotten(opened: Open) -> None:
    """Only its replay lets go those that wait behind it; then it is as any other."""
    journal = opened()
    for number in (1, 2):
        await journal.append(event(number, about="a"), [HOLD])
    (first,) = await lease(journal)
    await finish(journal, first, Outcome.DEAD)
    everything = Until(dead=9e9, delivered=9e9, skipped=9e9)
    assert await journal.forget(sweep("x", everything), limit=9) == Forgotten(0, False)
    await journal.replay("evt_000001", [HOLD], 900.0)
    for _ in range(2):
        (one,) = await lease(journal)
        await finish(journal, one)
    assert await journal.forget(sweep("y", everything), limit=9) == Forgotten(2, False)


async def test_one_step_removes_no_more_than_its_bytes(opened: Open) -> None:
    """Large bodies go a few at a time: freeing one reads all of its pages."""
    journal = opened()
    for number in range(1, 4):
        large = replace(event(number), body=b"x" * (STEP_BYTES // 2))
        await journal.append(large, [])
    steps = [await journal.forget(sweep("x", Until(skipped=9.0)), limit=9) for _ in range(2)]
    assert steps == [Forgotten(2, True), Forgotten(1, False)]


async def test_old_rejections_and_beats_are_forgotten(opened: Open) -> None:
    """The oldest first, in steps; one that is dated in the future holds back nothing."""
    journal = opened()
    await journal.reject(rejection(9_000_000))
    for number in range(5):
        await journal.reject(rejection(number * 60))
        await journal.append(event(number * 60), [])
    for forget in (journal.forget_rejections, journal.forget_beats):
        assert [await forget(180.0, limit=2) for _ in range(3)] == [2, 1, 0]
    assert [one.at for one in await journal.rejections()] == [240, 180, 9_000_000]
    assert [beat.minute for beat in await journal.beats(0.0)] == [3, 4]
    assert (await journal.stats()).rejections == 3
    await journal.reject(rejection(300))
    assert [one.at for one in await journal.rejections()] == [300, 240, 180, 9_000_000]


async def test_the_size_follows_the_content(opened: Open) -> None:
    """It grows with what is added and goes down with each stretch that is removed."""
    journal = opened()
    empty = await journal.size()
    for number in range(1, 201):
        await journal.append(replace(event(number), body=b"x" * 2_000), [])
    sizes = [await journal.size()]
    assert sizes[0] >= empty + 400_000
    for _ in range(5):
        await journal.forget(sweep("x", Until(skipped=9e9)), limit=40)
        sizes.append(await journal.size())
    assert all(later < earlier for earlier, later in pairwise(sizes))
    assert sizes[-1] < empty + 100_000


def aside(one: Leased, model: str = "", now: float = 1000.0, **on: str) -> Settlement:
    """Return the settlement of a delivery that waits for a record, or for a time."""
    more = {"waits_for": model, "waits_on": on, "code": "odoo.awaiting-match"}
    return settled(one, Outcome.RETRY, now, **more)


async def test_what_waits_lets_the_later_ones_of_its_lane_pass(opened: Open) -> None:
    """And is due again at once when one of them is delivered, before those that came after it."""
    journal = opened()
    for n in (1, 2, 3):
        await journal.append(event(n, "order/7"), [PLAN])
    (paid,) = await lease(journal)
    await journal.settle("me", [aside(paid, "sale.order", client_order_ref="#7")])
    (created,) = await lease(journal)
    assert created.event.id == "evt_000002"
    assert await lease(journal) == [], "one of a lane at a time"
    await finish(journal, created)
    (again,) = await lease(journal)
    assert (again.event.id, again.delivery.attempts) == ("evt_000001", 0)
    await finish(journal, again)
    assert ids(await lease(journal)) == ["evt_000003"]


async def test_what_waits_is_woken_by_another_lane_that_writes_it(opened: Open) -> None:
    """A record with other values wakes nobody; one whose field is not known may be it."""
    journal = opened()
    for n in (1, 2, 3, 4, 5):
        await journal.append(event(n), [PLAN])
    first, second, third, fourth, fifth = await lease(journal)
    await journal.settle("me", [aside(first, "product.product", default_code="A")])
    await journal.settle("me", [aside(second, "product.product", default_code="B")])
    assert await lease(journal) == []
    made = (("product.product", {"default_code": "A", "name": "x"}),)
    await journal.settle("me", [settled(third, Outcome.DELIVERED, made=made)])
    (woken,) = await lease(journal)
    assert woken.delivery.id == first.delivery.id
    await finish(journal, woken)
    others = (("res.partner", {"default_code": "B"}),)
    await journal.settle("me", [settled(fourth, Outcome.DELIVERED, made=others)])
    assert await lease(journal) == []
    await journal.settle("me", [settled(fifth, Outcome.DELIVERED, made=(("product.product", {}),))])
    assert [one.delivery.id for one in await lease(journal)] == [second.delivery.id]


async def test_what_waits_is_due_at_its_time_too(opened: Open) -> None:
    """Nobody has to write anything; its lane waits for it again while it is under way."""
    journal = opened()
    for n in (1, 2):
        await journal.append(event(n, "order/7"), [PLAN])
    (one,) = await lease(journal)
    await journal.settle("me", [aside(one)])
    assert await journal.next_due("odoo") == 2.0
    (two,) = await lease(journal)
    await journal.settle("me", [aside(two, now=1005.0)])
    assert await journal.next_due("odoo") == 1010.0
    assert await lease(journal, 1009.0) == []
    (again,) = await lease(journal, 1015.0)
    assert (again.event.id, again.delivery.attempts) == ("evt_000001", 1)


async def test_with_hold_what_waits_lets_nothing_pass(opened: Open) -> None:
    """Strict order was asked for."""
    journal = opened()
    for n in (1, 2):
        await journal.append(event(n, "order/7"), [HOLD])
    (one,) = await lease(journal)
    await journal.settle("me", [aside(one, "sale.order")])
    assert await lease(journal) == []


async def test_a_person_gives_up_what_waits_or_has_it_tried_now(opened: Open) -> None:
    """Given up it is skipped with the reason, and its lane goes on."""
    journal = opened()
    for n in (1, 2):
        await journal.append(event(n), [PLAN])
    one, two = await lease(journal)
    await journal.settle("me", [aside(one, "sale.order"), aside(two, "sale.order")])
    assert await journal.wake("evt_000001", 1001.0) == 1
    assert ids(await lease(journal, 1001.0)) == ["evt_000001"]
    assert await journal.give_up("evt_000001", 1001.0, "x") == 0, "it is under way"
    assert await journal.give_up("evt_000002", 1001.0, "the shop cancelled it") == 1
    given_up = await journal.delivery(two.delivery.id)
    assert given_up
    assert (given_up.state, given_up.code) == (State.SKIPPED, "delivery.given-up")
    assert given_up.detail == "the shop cancelled it"
    assert await lease(journal, 9000.0, owner="you") != []


async def test_what_waits_long_is_a_problem(opened: Open) -> None:
    """With how many there are; what came lately is none yet."""
    journal = opened()
    for n in (1, 2, 3):
        await journal.append(event(n), [PLAN])
    await journal.settle("me", [aside(one, "sale.order") for one in await lease(journal)])
    (problem,) = await journal.problems(long_ago=3.0)
    assert (problem.kind, problem.code, problem.count) == ("waiting", "odoo.awaiting-match", 2)
    assert await journal.problems() == []
