"""Ten thousand dead letters replayed at once: all of them, once, at a rate, until cancelled."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from console_desk import PLAN, Bench, event

from odoorway.clock import SystemClock
from odoorway.console.jobs import BulkReplays, rate_of
from odoorway.journal.found import Chosen
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Outcome, Settlement, State

MANY = 10_000


@pytest.fixture
async def journal(tmp_path):
    """A journal on disk; nobody delivers from it."""
    opened = SqliteJournal.open(tmp_path / "odoorway.db", serve=True)
    yield opened
    await opened.close()


async def dead_letters(journal, count):
    """Make that many: odd ones of the shop, even ones of the CRM, with two causes."""
    for start in range(0, count, 2000):
        numbers = range(start, min(count, start + 2000))
        await asyncio.gather(*(journal.append(_event(n), [PLAN]) for n in numbers))
        leased = await journal.lease("odoo", "me", limit=2000, now=2e9, until=3e9)
        await journal.settle("me", [_died(one) for one in leased])


def _event(number):
    source, topic = ("shop", "orders/create") if number % 2 else ("crm", "lead")
    like = replace(event(number, topic), source=source, ordering_key=str(number))
    return replace(like, received_at=float(number))


def _died(leased):
    code = "odoo.no-match" if int(leased.event.idempotency_key) % 4 else "odoo.timeout"
    return Settlement(
        delivery=leased.delivery.id, outcome=Outcome.DEAD, at=2e9, seconds=0.1, code=code
    )


async def ended(jobs, job):
    """Wait for the job; the time limit is only there to end a test that hangs."""
    async with asyncio.timeout(120):
        await jobs.idle()
    assert (job.ended, job.error) == (True, "")


async def waiting(journal):
    """Return how often each event waits for its delivery."""
    found: Counter[str] = Counter()
    before = None
    while page := await journal.deliveries(state=State.PENDING, limit=1000, before=before):
        found.update(one.event_id for one in page)
        before = page[-1].id
    return found


async def test_ten_thousand_are_replayed_once_each_and_a_cancelled_job_can_be_gone_on_with(journal):
    """Cancelled in the middle the rest stays dead; the next job replays exactly that rest."""
    await dead_letters(journal, MANY)
    woken = []

    def wake():
        woken.append(1)
        if len(woken) == 5:
            jobs.cancel("job_1")

    jobs = BulkReplays(journal, SystemClock(), wake)
    first = await jobs.start(Chosen(), "ada", 10_000.0)
    assert first.total == MANY
    await ended(jobs, first)
    assert first.cancelled
    assert 0 < first.done < MANY
    stats = await journal.stats()
    assert stats.deliveries[State.DEAD] == MANY - first.done
    assert stats.deliveries[State.PENDING] == first.done
    second = await jobs.start(Chosen(), "ada", 10_000.0)
    await ended(jobs, second)
    assert (second.total, second.done) == (MANY - first.done, MANY - first.done)
    assert (await journal.stats()).deliveries[State.DEAD] == 0
    assert await waiting(journal) == Counter({_event(n).id: 1 for n in range(MANY)})


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (Chosen(), 40),
        (Chosen(source="shop"), 20),
        (Chosen(source="shop", code="odoo.timeout"), 0),
        (Chosen(code="odoo.timeout"), 10),
        (Chosen(topic="lead", since=10.0, until=20.0), 5),
        (Chosen(destination="erp"), 0),
    ],
)
async def test_a_filter_takes_what_it_names_and_nothing_else(journal, chosen, count):
    """Its total is right before it begins, and what it leaves stays dead."""
    await dead_letters(journal, 40)
    jobs = BulkReplays(journal, SystemClock())
    job = await jobs.start(chosen, "ada", 10_000.0)
    assert job.total == await journal.count_dead(chosen) + job.done == count
    await ended(jobs, job)
    assert job.done == count
    assert (await journal.stats()).deliveries[State.DEAD] == 40 - count


async def test_a_slice_is_no_larger_than_its_rate_allows(journal):
    """Ten slices a second; a rate under ten goes one by one."""
    await dead_letters(journal, 30)
    asked = []
    listed = journal.dead_letters

    async def spied(chosen, *, limit, **more):
        asked.append(limit)
        return await listed(chosen, limit=limit, **more)

    journal.dead_letters = spied
    for rate, size in ((500.0, 50), (1000.0, 100), (9999.0, 500)):
        asked.clear()
        jobs = BulkReplays(journal, SystemClock())
        job = await jobs.start(Chosen(), "ada", rate)
        assert job.left == job.total / rate
        await ended(jobs, job)
        assert set(asked) == {size}
    assert rate_of("") == 200.0
    for wrong in ("0", "-1", "nan", "inf", "much", "10001"):
        with pytest.raises(ValueError, match=r"rate|float"):
            rate_of(wrong)


async def test_a_job_tells_its_error_and_leaves_the_rest_dead(journal):
    """A journal that fails ends the job, which says so."""
    await dead_letters(journal, 5)

    async def fails(*_, **__):
        raise OSError("disk full")

    journal.replay = fails
    jobs = BulkReplays(journal, SystemClock())
    job = await jobs.start(Chosen(), "ada")
    await jobs.idle()
    assert (job.error, job.done) == ("disk full", 0)
    assert await journal.count_dead(Chosen()) == 5


async def test_by_the_api_and_the_pages(tmp_path):
    """The same filter and rate everywhere, and a wrong one says what is right."""
    bench = Bench()
    await dead_letters(bench.journal, 8)
    async with bench.client() as client:
        told = {"source": "shop", "since": "1970-01-01T00:00:02Z", "rate": 1000}
        job = (await client.post("/api/v1/replays", json=told)).json()
        assert (job["total"], job["rate"]) == (3, 1000.0)
        for wrong in ({"rate": 0}, {"rate": True}, {"since": "soon"}, {"colour": "red"}, ["x"]):
            answer = await client.post("/api/v1/replays", json=wrong)
            assert answer.status_code == 400, wrong
            assert answer.json()["detail"]
        page = (await client.get("/events?state=dead&source=crm")).text
        assert "Replay all 4" in page
        assert 'name="rate"' in (await client.get("/problems")).text
        assert "Replay all" not in (await client.get("/events?state=dead&text=ada")).text
