"""What is old goes, by state and by size, and what arrives meanwhile does not wait for it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from console_desk import PLAN, Bench, event

from odoorway.dispatch.retention import YOUNG_DAYS, Keep, Retention
from odoorway.journal.keeping import Forgotten, Sweep
from odoorway.journal.port import Journal
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Leased, Outcome, Planned, Settlement
from odoorway.model.event import Event
from odoorway.settings import Settings
from odoorway.telemetry import Log
from odoorway.testing import ManualClock
from odoorway.wiring.caring import _keep

NOW = 1_000_000_000.0
DAY = 86_400.0
KILOBYTES = b"x" * 8_000


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    """Open a real one."""
    made = SqliteJournal.open(tmp_path / "journal.db")
    yield made
    await made.close()


def aged(number: int, days: float, body: bytes = b"{}") -> Event:
    return replace(event(number), received_at=NOW - days * DAY, body=body)


async def add(
    journal: Journal, events: Sequence[Event], outcome: Outcome | None = Outcome.SKIPPED
) -> None:
    """Store *events*, and settle them so; None lets them wait."""
    where = str(outcome)
    plans = [Planned(route="r", destination=where)]
    await asyncio.gather(*(journal.append(one, plans) for one in events))
    if outcome:
        leased = await journal.lease(where, "me", limit=9_999, now=NOW, until=NOW + 60)
        done = [
            Settlement(delivery=one.delivery.id, outcome=outcome, at=NOW, seconds=0.1)
            for one in leased
        ]
        assert len(await journal.settle("me", done)) == len(events)


async def forget(journal: Journal, **keep: Any) -> tuple[int, list[str]]:
    """Do one round; return how many events went and what the log says of the journal."""
    retention = Retention(journal, ManualClock(NOW), Keep(**keep), breath=0.0)
    with structlog.testing.capture_logs() as logged:
        return await retention.once(), [one["event"] for one in logged]


async def left(journal: Journal) -> list[int]:
    return sorted(int(one.id[4:]) for one in await journal.events(limit=9_999))


async def test_old_events_are_forgotten_a_little_at_a_time() -> None:
    """Settled ones by age, dead letters by another, what waits never."""
    bench = Bench()
    await bench.history()
    assert await forget(bench.journal) == (0, [])
    assert await forget(bench.journal, delivered=1) == (1, [Log.FORGOTTEN])
    assert await left(bench.journal) == [2, 3]
    assert await forget(bench.journal, delivered=1, dead=2) == (1, [Log.FORGOTTEN])
    assert await left(bench.journal) == [3]
    assert not (await bench.journal.append(event(1), [PLAN])).duplicate


async def test_each_state_has_its_own_days(journal: SqliteJournal) -> None:
    """An event goes when it is older than that, and not a moment before."""
    for number, (days, outcome) in enumerate(
        (
            (400, None), (366, Outcome.DEAD), (365, Outcome.DEAD), (91, Outcome.DELIVERED),
            (90, Outcome.DELIVERED), (31, Outcome.SKIPPED), (30, Outcome.SKIPPED),
        )
    ):  # fmt: skip
        await add(journal, [aged(number, days)], outcome)
    assert (await forget(journal, delivered=90, skipped=30, dead=365))[0] == 3
    assert await left(journal) == [0, 2, 4, 6]


def test_the_settings_are_what_is_kept() -> None:
    """Each of its own name; a megabyte is a million bytes."""
    assert _keep(Settings()) == Keep(delivered=90, skipped=30, dead=365, rejected=30, size=0)
    asked = Settings(
        keep_days=1, keep_skipped_days=2, keep_dead_days=3, keep_rejected_days=4, keep_size=5
    )
    assert _keep(asked) == Keep(delivered=1, skipped=2, dead=3, rejected=4, size=5_000_000)


async def test_old_rejections_and_beats_go_too() -> None:
    """Rejections by their own days, beats with what was delivered."""
    bench = Bench()
    await bench.history()
    assert await forget(bench.journal, rejected=1) == (0, [Log.FORGOTTEN])
    assert not await bench.journal.rejections()
    assert await bench.journal.beats(0.0)
    await forget(bench.journal, delivered=1)
    assert not await bench.journal.beats(0.0)


async def test_for_size_the_oldest_go_until_it_fits(journal: SqliteJournal) -> None:
    """No more of them than needed, and never by size when there is room."""
    await add(journal, [aged(n, 20 - n / 1000) for n in range(10)], Outcome.DELIVERED)
    await add(journal, [aged(n, 10 - n / 1000, KILOBYTES) for n in range(10, 1_000)])
    full = await journal.size()
    assert await forget(journal, size=full) == (0, [])
    removed, logged = await forget(journal, size=full // 2)
    assert logged == [Log.FORGOTTEN]
    assert full // 4 < await journal.size() <= full // 2
    assert await left(journal) == list(range(removed, 1_000))


async def test_size_spares_what_waits_dead_letters_and_what_is_young(
    journal: SqliteJournal,
) -> None:
    """And says once how large it is, and what to do."""
    await add(journal, [aged(n, 900, KILOBYTES) for n in range(100)], Outcome.DEAD)
    await add(journal, [aged(n, 800, KILOBYTES) for n in range(100, 200)], None)
    await add(journal, [aged(n, YOUNG_DAYS + 0.01) for n in (200, 201)], Outcome.DELIVERED)
    await add(journal, [aged(n, YOUNG_DAYS) for n in (202, 203)], Outcome.DELIVERED)
    retention = Retention(journal, ManualClock(NOW), Keep(size=1_000_000), breath=0.0)
    with structlog.testing.capture_logs() as logged:
        assert await retention.once() == 2
    assert await left(journal) == [*range(200), 202, 203]
    (large,) = [one for one in logged if one["event"] == Log.JOURNAL_LARGE]
    assert (large["size"], large["limit"]) == (await journal.size(), 1_000_000)
    assert "ODOORWAY_KEEP_SIZE" in large["fix"]


async def rows(journal: SqliteJournal, *tables: str) -> list[int]:
    """Return how many rows each of *tables* has."""
    counts = [f"SELECT count(*) FROM {table}" for table in tables]
    return await journal.query(lambda db: [db.execute(sql).get for sql in counts])


def versioned(number: int, days: float, version: str, about: str = "a") -> Event:
    return replace(aged(number, days), version=version, ordering_key=about)


async def test_a_lane_goes_with_its_last_event(journal: SqliteJournal) -> None:
    """And the version applied in it: nothing of a thing stays when all its events are gone."""
    old = [versioned(n, 100, "1", about=str(n)) for n in range(500)]
    await add(journal, old, Outcome.DELIVERED)
    for one in (versioned(500, 100, "1"), versioned(501, 1, "2")):
        await add(journal, [one], Outcome.DELIVERED)
    await add(journal, [versioned(502, 100, "1", "waits")], None)
    assert (await forget(journal, delivered=90))[0] == 501
    assert await rows(journal, "lane", "applied") == [2, 1]
    (late,) = await leased_of(journal, versioned(503, 0, "1"), Outcome.DELIVERED)
    assert late.applied == "2"


async def leased_of(journal: SqliteJournal, one: Event, where: object) -> Sequence[Leased]:
    await journal.append(one, [Planned(route="r", destination=str(where))])
    return await journal.lease(str(where), "me", limit=9, now=NOW + 9e9, until=NOW + 9e9 + 60)


async def test_an_applied_version_outlives_what_size_removed(journal: SqliteJournal) -> None:
    """What is late is known to be stale for as long as delivered events are kept."""
    await add(journal, [versioned(1, 10, "2")], Outcome.DELIVERED)
    assert (await forget(journal, delivered=90, size=1))[0] == 1
    clock = ManualClock(NOW + 79 * DAY)
    keeping = Retention(journal, clock, Keep(delivered=90), breath=0.0)
    await keeping.once()
    assert await rows(journal, "lane", "applied", "delivery") == [1, 1, 0]
    clock.advance(2 * DAY)
    await keeping.once()
    assert await rows(journal, "lane", "applied") == [0, 0]


async def test_versions_are_kept_for_ever_where_events_are(journal: SqliteJournal) -> None:
    """No days set: size removes events, and nothing what was applied."""
    await add(journal, [versioned(1, 10, "2")], Outcome.DELIVERED)
    assert (await forget(journal, size=1))[0] == 1
    await Retention(journal, ManualClock(NOW + 999 * DAY), Keep(size=1), breath=0.0).once()
    (late,) = await leased_of(journal, versioned(2, 0, "1"), Outcome.DELIVERED)
    assert late.applied == "2"


@pytest.mark.parametrize("state", ["pending", "leased", "dead", "held"])
async def test_a_lane_that_is_used_again_stays(journal: SqliteJournal, state: str) -> None:
    """Whatever its new delivery is doing; and what waits in it is delivered."""
    await add(journal, [versioned(1, 10, "2")], Outcome.DELIVERED)
    await forget(journal, delivered=90, size=1)
    hold = Planned(route="r", destination="delivered", hold=state == "held")
    await journal.append(versioned(2, -50, "3"), [hold])
    if state != "pending":
        (one,) = await journal.lease("delivered", "me", limit=9, now=NOW + 51 * DAY, until=9e9)
        assert one.applied == "2"
        if state != "leased":
            settled = Settlement(
                delivery=one.delivery.id, outcome=Outcome.DEAD, at=NOW, seconds=0.1
            )
            await journal.settle("me", [settled])
    keeping = Retention(
        journal, ManualClock(NOW + 100 * DAY), Keep(delivered=90, dead=365), breath=0.0
    )
    await keeping.once()
    assert await rows(journal, "lane", "applied", "delivery") == [1, 1, 1]
    await journal.append(versioned(3, -51, "4"), [hold])
    waiting = await journal.lease("delivered", "you", limit=9, now=NOW + 101 * DAY, until=9e9 + 1)
    known = {"pending": ["2"], "leased": [], "dead": ["2"], "held": []}
    assert [one.applied for one in waiting] == known[state]


async def test_lanes_of_events_that_are_gone_count_for_nothing(journal: SqliteJournal) -> None:
    """What they took made young events go: the size never came below its limit."""
    empty = await journal.size()
    old = [replace(aged(n, 100), ordering_key=f"order/{n}") for n in range(2_000)]
    await add(journal, old, Outcome.DELIVERED)
    await forget(journal, delivered=90)
    assert await journal.size() < empty + 50_000
    room = empty + 150_000
    await add(journal, [aged(n, 5) for n in range(2_000, 2_050)], Outcome.DELIVERED)
    assert await forget(journal, delivered=90, size=room) == (0, [])


async def test_an_hour_looks_at_what_the_last_one_did_not(tmp_path: Path) -> None:
    """Not again at all that is older than the shortest of the days, whatever stays of it."""
    journal = SqliteJournal.open(tmp_path / "journal.db")
    await add(journal, [aged(n, 40) for n in range(1_000)], Outcome.DELIVERED)
    assert await looks(journal, NOW) == [6, 1, 1]
    assert await looks(journal, NOW + 3600) == [1, 1, 1]
    await journal.close()
    journal = SqliteJournal.open(tmp_path / "journal.db")
    assert await looks(journal, NOW + 7200) == [1, 1, 1]
    assert await looks(journal, NOW + 8 * DAY) == [6, 1, 1]
    assert await looks(journal, NOW + 51 * DAY) == [6, 1, 1]
    assert not await left(journal)
    await journal.close()


async def looks(journal: SqliteJournal, now: float) -> list[int]:
    """Do a round; return how many steps each walk took."""
    names: list[str] = []

    class Counted(SqliteJournal):
        async def forget(self, sweep: Sweep, *, limit: int) -> Forgotten:
            names.append(sweep.name)
            return await journal.forget(sweep, limit=limit)

    counting = object.__new__(Counted)
    counting.__dict__ |= journal.__dict__
    keep = Keep(delivered=90, skipped=30, dead=365)
    await Retention(counting, ManualClock(now), keep, breath=0.0).once()
    return [names.count(name) for name in ("skipped", "delivered", "dead")]


async def test_an_event_from_the_future_holds_back_nothing(journal: SqliteJournal) -> None:
    """A clock that was wrong once, or an import, does not end retention; the event itself stays."""
    await journal.append(aged(0, -5 * 365), [])
    await add(journal, [aged(n, 400) for n in range(1, 201)])
    assert (await forget(journal, delivered=90, skipped=30, dead=365))[0] == 200
    assert await left(journal) == [0]


async def test_what_is_settled_late_goes_when_the_walk_starts_over(
    journal: SqliteJournal,
) -> None:
    """A dead letter that is replayed behind the walks is found within a week."""
    keep = Keep(delivered=90, dead=365)
    await add(journal, [aged(1, 200)], Outcome.DEAD)
    clock = ManualClock(NOW)
    keeping = Retention(journal, clock, keep, breath=0.0)
    assert await keeping.once() == 0
    await journal.replay(aged(1, 0).id, [Planned(route="r", destination="again")], NOW)
    (one,) = await journal.lease("again", "me", limit=9, now=NOW, until=NOW + 60)
    done = Settlement(delivery=one.delivery.id, outcome=Outcome.DELIVERED, at=NOW, seconds=0.1)
    await journal.settle("me", [done])
    clock.advance(6.9 * DAY)
    assert await keeping.once() == 0
    clock.advance(0.2 * DAY)
    assert await keeping.once() == 1
    assert await rows(journal, "event", "lane") == [0, 0]


async def test_appends_go_on_while_much_is_removed(journal: SqliteJournal) -> None:
    """Between two steps others are committed, not after the last."""
    await add(journal, [aged(n, 50) for n in range(5_000)])
    retention = Retention(journal, ManualClock(NOW), Keep(skipped=30), breath=0.0)
    removing = asyncio.create_task(retention.once())
    between, added = set(), 0
    while not removing.done():
        await journal.append(aged(10_000 + added, 0), [PLAN])
        added += 1
        between.add((await journal.stats()).events - added)
    assert await removing == 5_000
    assert await left(journal) == [10_000 + n for n in range(added)]
    assert len([old for old in between if 0 < old < 5_000]) >= 5


async def test_keys_that_expired_go_all_of_them(journal: SqliteJournal) -> None:
    """In steps, by their own time; the events that they were the keys of stay."""
    await asyncio.gather(
        *(journal.append(aged(number, 90.5 - number / 1_000), [PLAN]) for number in range(900))
    )
    assert await forget(journal) == (0, [])
    again = [
        await journal.append(replace(aged(number, 0), id=f"evt_9{number}"), [PLAN])
        for number in (0, 499, 501, 899)
    ]
    assert [one.duplicate for one in again] == [False, False, True, True]
    assert await journal.forget_keys(NOW, limit=9) == 0
    assert len(await left(journal)) == 902
