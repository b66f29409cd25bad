"""Who reads waits for nobody who asks for more, and a search goes as far as its time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import count, cycle
from pathlib import Path
from typing import Any

import apsw
import pytest
from console_desk import event

from journals import temporary
from odoorway.errors import JournalSlow
from odoorway.journal.connect import connect_reader
from odoorway.journal.found import EventFilter, EventPage
from odoorway.journal.reader import Reader
from odoorway.journal.search import PAGE_BYTES, search
from odoorway.journal.sqlite import SqliteJournal

LONG = """
WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 5e6)
SELECT max(n) FROM counted
"""


async def test_the_engine_does_not_wait_behind_a_person() -> None:
    """Whatever a person's question takes, the engine's own are answered meanwhile."""
    journal, answered = temporary(), threading.Event()
    asking = asyncio.create_task(journal.query(lambda _: answered.wait(30)))
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        assert await journal.next_due("odoo") is None
        assert (await journal.standing("odoo")).delivering
        assert await journal.bound("odoo", ["x"]) == {}
        assert await journal.size()
    assert not asking.done()
    answered.set()
    assert await asking


def ticking(step: float) -> Callable[[], float]:
    """Return a clock that goes on by *step* whenever it is looked at."""
    ticks = count()
    return lambda: next(ticks) * step


async def test_a_question_that_takes_too_long_is_given_up() -> None:
    """It is told why, and what waits behind it is answered."""
    reader = Reader(apsw.Connection(":memory:"), "test", patience=1.0, now=ticking(0.1))
    for _ in range(2):
        with pytest.raises(JournalSlow, match=r"longer than 1 s.*ask for less"):
            await reader.ask(lambda db: db.execute(LONG).fetchall())
        assert await reader.ask(lambda _: reader.spent()) < 0.2
    reader.close()


async def test_a_command_may_take_its_time(tmp_path: Path) -> None:
    """Beside the process that serves, nobody waits behind it."""
    serving = SqliteJournal.open(tmp_path / "journal.db")
    beside = SqliteJournal.open(tmp_path / "journal.db", serve=False)
    limits = [(one._engine._patience, one._people._patience) for one in (serving, beside)]
    await beside.close()
    await serving.close()
    assert limits == [(None, 1.0), (None, None)]


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncIterator[apsw.Connection]:
    """Read a journal of 1,000 events, each hundredth of them of another source."""
    journal = SqliteJournal.open(tmp_path / "journal.db")
    arrivals = (
        replace(event(n), source="rare" if n % 100 == 50 else "shop") for n in range(1, 1_001)
    )
    await asyncio.gather(*(journal.append(one, []) for one in arrivals))
    await journal.close()
    connection = connect_reader(tmp_path / "journal.db")
    yield connection
    connection.close()


RARE = [950, 850, 750, 650, 550, 450, 350, 250, 150, 50]


def numbers(page: EventPage) -> list[int]:
    return [int(one.id[4:]) for one in page.events]


def test_a_search_with_time_finds_what_is_rare_at_once(reading: apsw.Connection) -> None:
    """However far back it is."""
    page = search(reading, EventFilter(source="rare"), 50, None, lambda: 0.0)
    assert (numbers(page), page.next, page.searched_to) == (RARE, None, None)


def test_a_search_says_how_far_its_time_reached(reading: apsw.Connection) -> None:
    """Going on from there finds the rest: each once, and in order."""
    found, before, pages = [], None, 0
    while True:
        spent = cycle([0.0, 0.6])
        page = search(reading, EventFilter(source="rare"), 50, before, spent.__next__)
        found += numbers(page)
        pages += 1
        if page.next is None:
            break
        assert page.searched_to == float(page.next)
        before = page.next
    assert (found, pages) == (RARE, 63)  # of 16 events each


def impatient(patience: int) -> Callable[[], bool]:
    """Return what interrupts after that many steps."""
    steps = count()
    return lambda: next(steps) > patience


@pytest.mark.parametrize("patience", [997, 2_003, 5_003])
def test_a_search_that_is_interrupted_keeps_what_it_found(
    reading: apsw.Connection, patience: int
) -> None:
    """Wherever in its stretches that happens; only with nothing at all is it too slow."""
    found, before, pages = [], None, 0
    while True:
        reading.set_progress_handler(impatient(patience), 1)
        page = search(reading, EventFilter(source="rare"), 50, before, lambda: 0.0)
        found += numbers(page)
        pages += 1
        if page.next is None:
            break
        before = page.next
    assert found == RARE
    assert pages > 1
    reading.set_progress_handler(lambda: True, 1)
    with pytest.raises(apsw.InterruptError):
        search(reading, EventFilter(source="rare"), 50, None, lambda: 0.0)


def test_stretches_get_shorter_where_they_are_slow(reading: apsw.Connection) -> None:
    """What has to read large payloads looks at few of them at a time."""
    looked: list[Any] = []

    def look(_db: apsw.Cursor, _sql: str, given: Any) -> bool:
        looked.append(given)
        return True

    reading.set_exec_trace(look)
    times = iter([0.0, 0.01, 0.02, 0.2, 0.4, 0.6])
    search(reading, EventFilter(text="nowhere"), 50, None, times.__next__)
    lengths = [one["before"] - one["stop"] for one in looked if one and "stop" in one]
    assert lengths == [16, 32, 64, 32, 16]


async def test_a_page_holds_no_more_than_its_bytes() -> None:
    """Large payloads come a few at a time, and none is left out."""
    journal = temporary()
    for number in range(1, 5):
        await journal.append(replace(event(number), body=bytes(PAGE_BYTES * 2 // 5)), [])
    first = await journal.search(EventFilter(), limit=50)
    second = await journal.search(EventFilter(), limit=50, before=first.next)
    assert (numbers(first), numbers(second), second.next) == ([4, 3, 2], [1], None)
