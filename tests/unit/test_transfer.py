"""What export writes, import takes back: whatever texts it holds, and however much it is."""

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from console_desk import event
from typer.testing import CliRunner

from odoorway import Upsert
from odoorway.cli.main import app
from odoorway.cli.transfer import _BATCH, _BATCH_BYTES, batches
from odoorway.journal.found import EventFilter, History
from odoorway.journal.search import PAGE_BYTES
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Outcome, Planned, Settlement
from odoorway.model.event import Event
from odoorway.transform.shown import shown

LINE_ENDS = "\x0b \x0c \x1c \x1d \x1e \x85 \u2028 \u2029 \r \n \r\n"
PLAN = Planned(route="r", destination="odoo")


def odd(number: int) -> Event:
    """Return an event with every text odd that may be."""
    return replace(
        event(number),
        topic=f"orders{LINE_ENDS}é",
        idempotency_key=f"{LINE_ENDS}{number}",
        ordering_key=f"order/{LINE_ENDS}{number}",
        version=LINE_ENDS,
        headers=(("x-a", f"ü{LINE_ENDS}"),),
        body=f'{{"street": "1 High St\u2028Flat {number}"}}'.encode() + bytes(range(256)),
        conflict=False,
    )


async def fill(path: Path, many: int) -> None:
    """Store odd events, each delivered with odd commands and details."""
    journal = SqliteJournal.open(path)
    commands = shown([Upsert("res.partner", ("c", 1), {"street": LINE_ENDS})])
    await asyncio.gather(*(journal.append(odd(n), [PLAN]) for n in range(1, many + 1)))
    leased = await journal.lease("odoo", "me", limit=many, now=9e9, until=9e9 + 60)
    done = [
        Settlement(
            delivery=one.delivery.id, outcome=Outcome.DELIVERED, at=1.0, seconds=0.1,
            detail=LINE_ENDS, commands=commands,
        )
        for one in leased
    ]  # fmt: skip
    await journal.settle("me", done)
    await journal.close()


async def stored(path: Path) -> list[History]:
    journal = SqliteJournal.open(path, serve=False)
    page = await journal.history(EventFilter(), limit=9_999)
    await journal.close()
    return list(page.events)


def run(*words: str, given: bytes = b"", code: int = 0) -> tuple[str, str]:
    done = CliRunner().invoke(app, words, input=given, env={"COLUMNS": "200"})
    assert done.exit_code == code, done.output
    return done.stdout, done.stderr


@pytest.fixture
def here(tmp_path: Path) -> str:
    """A journal with a history."""
    asyncio.run(fill(tmp_path / "here.db", 7))
    return str(tmp_path / "here.db")


@pytest.fixture
def there(tmp_path: Path) -> str:
    """An empty journal."""
    asyncio.run(SqliteJournal.open(tmp_path / "there.db").close())
    return str(tmp_path / "there.db")


@pytest.mark.parametrize("way", ["-", "file"])
def test_import_takes_what_export_gave(here: str, there: str, way: str, tmp_path: Path) -> None:
    """Each event as it was, and in its order; what there is once more is passed over."""
    exported, _ = run("export", "--journal", here)
    assert exported.isascii()
    file = tmp_path / "exported.jsonl"
    file.write_bytes(exported.encode())
    for told in ("7 events stored, 0 were there", "0 events stored, 7 were there"):
        given = exported.encode() if way == "-" else b""
        _, said = run("import", "-" if way == "-" else str(file), "--journal", there, given=given)
        assert told in said
    before, after = asyncio.run(stored(Path(here))), asyncio.run(stored(Path(there)))
    assert [one.event for one in after] == [one.event for one in before]


def test_lines_end_at_a_line_feed_and_nowhere_else(here: str, there: str) -> None:
    """A program between may have written texts as they are; empty lines are nothing."""
    exported, _ = run("export", "--journal", here)
    lines = [json.dumps(json.loads(one), ensure_ascii=False) for one in exported.splitlines()]
    text = "\n\n".join(lines) + "\r\n \n"
    assert "\u2028" in text
    _, said = run("import", "-", "--journal", there, given=text.encode())
    assert "7 events stored" in said


def test_what_stands_before_a_wrong_line_is_stored(here: str, there: str) -> None:
    """So that the same file can be imported again when it is mended."""
    exported, _ = run("export", "--journal", here)
    lines = exported.splitlines()
    wrong = "\n".join([*lines[:3], "{}", *lines[3:]])
    _, said = run("import", "-", "--journal", there, given=wrong.encode(), code=1)
    assert "line 4 cannot be stored" in said
    assert len(asyncio.run(stored(Path(there)))) == 3
    _, said = run("import", "/nowhere.jsonl", "--journal", there, code=1)
    assert "cannot read /nowhere.jsonl: No such file" in said


def test_an_export_shows_all_that_became_of_an_event(here: str) -> None:
    """The oldest first, with its deliveries and their attempts."""
    exported, _ = run("export", "--journal", here)
    events = [json.loads(line) for line in exported.splitlines()]
    assert [one["id"] for one in events] == [odd(n).id for n in range(1, 8)]
    (delivery,) = events[0]["deliveries"]
    assert (delivery["state"], delivery["tried"][0]["detail"]) == ("delivered", LINE_ENDS)


def test_a_file_is_read_as_it_is_stored() -> None:
    """A commit's worth at a time, by number and by size, never the whole of it."""
    read = []

    def reading(size: int) -> Iterator[Event]:
        for number in range(10_000):
            read.append(number)
            yield replace(event(number), body=bytes(size))

    assert len(next(batches(reading(10)))) == len(read) == _BATCH
    read.clear()
    assert len(next(batches(reading(_BATCH_BYTES // 3)))) == len(read) == 4


async def test_a_history_comes_in_pages(tmp_path: Path) -> None:
    """Each event once, in order, by number and by size; a filter narrows it."""
    journal = SqliteJournal.open(tmp_path / "journal.db")
    draw = random.Random(3)
    for number in range(1, 41):
        size = PAGE_BYTES // 3 if draw.random() < 0.2 else 10
        source = "shop" if number % 5 else "rare"
        await journal.append(replace(event(number), source=source, body=bytes(size)), [PLAN])

    async def walked(wanted: EventFilter) -> list[list[History]]:
        pages: list[list[History]] = []
        after = 0
        while True:
            page = await journal.history(wanted, after=after, limit=16)
            if page.next is None:
                return pages
            assert page.next > after
            pages.append(list(page.events))
            after = page.next

    pages = await walked(EventFilter())
    assert [one.event.id for page in pages for one in page] == [event(n).id for n in range(1, 41)]
    assert max(sum(len(one.event.body) for one in page) for page in pages) <= PAGE_BYTES
    assert max(map(len, pages)) <= 16
    rare = [one.event.id for page in await walked(EventFilter(source="rare")) for one in page]
    assert rare == [event(n).id for n in range(5, 41, 5)]
    about = EventFilter(ordering_key=event(7).ordering_key)
    assert [one.event.id for page in await walked(about) for one in page] == [event(7).id]
    await journal.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": {"a": 1}}, {"headers": "x"}, {"headers": [["a"]]}, {"received_at": 1e300},
        {"received_at": None}, {"idempotency_key": None}, {"body": "é"}, {"body": 7},
    ],
)  # fmt: skip
def test_a_line_of_another_shape_is_not_stored(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """It is named; no page would ever show it."""
    path = tmp_path / "journal.db"
    asyncio.run(fill(path, 1))
    runner = CliRunner()
    line = json.loads(runner.invoke(app, ["export", "--journal", str(path)]).stdout)
    (tmp_path / "wrong.jsonl").write_text(json.dumps({**line, "id": "evt_other", **wrong}))
    told = runner.invoke(app, ["import", str(tmp_path / "wrong.jsonl"), "--journal", str(path)])
    assert told.exit_code == 1
    assert "line 1 cannot be stored" in told.output
    assert len(asyncio.run(stored(path))) == 1
