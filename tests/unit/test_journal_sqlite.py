"""What is SQLite's own: settings that no crash test shows, and the cost of each statement."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from journals import of_schema
from odoorway.errors import JournalUnavailable
from odoorway.journal import sqlite
from odoorway.journal.accounts import SecretMark
from odoorway.journal.accounts_sqlite import SqliteAccounts
from odoorway.journal.connect import connect_writer, refuse_unsafe
from odoorway.journal.found import Rhythm
from odoorway.journal.keeping import Forgotten, Sweep, Until
from odoorway.journal.port import Limits
from odoorway.journal.sqlite import SqliteJournal
from odoorway.journal.statements import load
from odoorway.model.delivery import Planned
from odoorway.model.event import Event, Rejection

WRITE = load("sqlite", "write", "forget", "seen")
READ = load("sqlite", "read")
# What runs on the path of each webhook. Full lists are read on request only.
HOT = {name: sql for name, sql in WRITE.items() if not name.endswith("_release")} | {
    "next_due": READ["next_due"]
}


async def test_the_settings_that_make_a_commit_durable(tmp_path: Path) -> None:
    """No kill shows synchronous=OFF; so it is asked."""
    journal = SqliteJournal.open(tmp_path / "journal.db")
    found = await journal.pragmas()
    await journal.close()
    assert found["synchronous"] == 2
    assert found["journal_mode"] == "wal"


@pytest.mark.parametrize("name", HOT)
async def test_no_hot_statement_scans_a_table(tmp_path: Path, name: str) -> None:
    """Each finds its rows by an index, and sorts no more than what it was given."""
    await SqliteJournal.open(tmp_path / "journal.db").close()
    db = apsw.Connection(str(tmp_path / "journal.db"))
    plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + HOT[name], _Any())]
    db.close()
    given = [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" in step]
    assert not [step for step in plan if step.startswith("SCAN") and step not in given], plan
    assert given or not [step for step in plan if "TEMP B-TREE" in step], plan


class _Any(dict[str, None]):
    """Bindings for a statement that is explained, not run."""

    def __missing__(self, key: str) -> None:
        return None


@pytest.mark.parametrize("spread", [True, False], ids=["spread", "one hot key"])
async def test_leasing_costs_the_same_whatever_waits(tmp_path: Path, spread: bool) -> None:
    """Counted in steps of SQLite's machine, not in time."""
    few, many = [
        await _steps(tmp_path / f"{waiting}.db", waiting, spread=spread) for waiting in (100, 5_000)
    ]
    assert many < few * 1.2 + 50


async def _steps(path: Path, waiting: int, *, spread: bool) -> int:
    journal = SqliteJournal.open(path)
    for n in range(waiting):
        await journal.append(
            _event(n, str(n) if spread else "hot"), [Planned(route="r", destination="odoo")]
        )
    counted = [0]

    def step() -> bool:
        counted[0] += 1
        return False

    journal._writer._db.set_progress_handler(step, 1)
    assert await journal.lease("odoo", "me", limit=10, now=1e9, until=2e9)
    journal._writer._db.set_progress_handler(None)
    await journal.close()
    return counted[0]


async def test_forgetting_costs_the_same_whatever_is_kept(tmp_path: Path) -> None:
    """A step passes no more old events that stay than it was told to look at."""
    few, many = [await _forgetting(tmp_path / f"{kept}.db", kept) for kept in (100, 3_000)]
    assert many < few * 1.2 + 50


async def _forgetting(path: Path, kept: int) -> int:
    """Count the steps of SQLite's machine in which 50 events are looked at, all of which stay."""
    journal = SqliteJournal.open(path)
    plans = [Planned(route="r", destination="odoo")]
    await asyncio.gather(*(journal.append(_event(n, str(n)), plans) for n in range(kept)))
    counted = [0]

    def step() -> bool:
        counted[0] += 1
        return False

    journal._writer._db.set_progress_handler(step, 1)
    until = Until(delivered=9e9, skipped=9e9, dead=9e9)
    sweep = Sweep(name="x", before=9e9, until=until, now=1.0)
    assert await journal.forget(sweep, limit=50) == Forgotten(0, True)
    journal._writer._db.set_progress_handler(None)
    await journal.close()
    return counted[0]


async def test_a_rhythm_is_read_from_its_index_alone(tmp_path: Path) -> None:
    """Among 3,000 events of another in as many steps as among 100; no event is read."""
    few, many = [await _listening(tmp_path / f"{n}.db", n) for n in (100, 3_000)]
    assert many < few * 1.2 + 50


async def _listening(path: Path, others: int) -> int:
    journal = SqliteJournal.open(path)
    arrivals = [_event(n, "x") for n in range(30)]
    arrivals += [replace(_event(n + 30, "x"), source="busy") for n in range(others)]
    await asyncio.gather(*(journal.append(one, []) for one in arrivals))
    counted = [0]

    def step() -> bool:
        counted[0] += 1
        return False

    journal._people._db.set_progress_handler(step, 1)
    assert (await journal.rhythms(["shop"], 9e9, history=20))["shop"] == Rhythm(29.0, 20, 1.0)
    journal._people._db.set_progress_handler(None)
    asked = {"source": "shop", "now": 9e9, "history": 20}
    explained = "EXPLAIN QUERY PLAN " + READ["rhythm"]
    plan = await journal.query(lambda db: [row[3] for row in db.execute(explained, asked)])
    await journal.close()
    assert any("USING COVERING INDEX event_rhythm" in one for one in plan), plan
    return counted[0]


async def test_the_age_of_secrets_moves_out_of_the_audit_log(tmp_path: Path) -> None:
    """A journal from before keeps what it knew: the newest mark of each source, and its time."""
    path = tmp_path / "journal.db"
    db = of_schema(path, 9)
    deeds = [(1.0, "shop aa"), (2.0, "crm bb"), (3.0, "shop cc"), (4.0, "odd")]
    add = "INSERT INTO deed (at, who, action, detail) VALUES (?, 'x', ?, ?)"
    db.executemany(add, [(at, "secret", detail) for at, detail in deeds])
    db.execute(add, (5.0, "pause", "shop dd"))
    db.close()
    journal = SqliteJournal.open(path)
    known = await SqliteAccounts(journal).secret_marks()
    await journal.close()
    assert {*known} == {SecretMark("shop", "cc", 3.0), SecretMark("crm", "bb", 2.0)}


async def test_lanes_that_were_left_behind_are_found(tmp_path: Path) -> None:
    """Nothing removed a lane before: those that are empty count as empty from today on."""
    path = tmp_path / "journal.db"
    db = of_schema(path, 11)
    columns = "(id, destination, source, ordering_key, head, held)"
    add = f"INSERT INTO lane {columns} VALUES (?, ?, ?, ?, ?, ?)"
    lanes = [(1, None, 0), (2, 7, 0), (3, None, 1), (4, None, 0), (5, None, 0)]
    db.executemany(add, [(n, "odoo", "shop", str(n), head, held) for n, head, held in lanes])
    db.execute("INSERT INTO applied VALUES (1, 'r', '1'), (5, 'r', '1')")
    db.execute(
        "INSERT INTO event VALUES (1, 'e', 's', 't', 'k', 'o', NULL, 1.0, '[]', 'h', 0, x'')"
    )
    columns = "(event, lane, route, destination, state, due_at, updated_at)"
    db.execute(f"INSERT INTO delivery {columns} VALUES (1, 4, 'r', 'odoo', 'dead', 1.0, 1.0)")
    db.close()
    began = time.time()
    journal = SqliteJournal.open(path)
    assert await journal.forget_lanes(began - 9, limit=9) == 0
    assert await journal.forget_lanes(began + 99, limit=9) == 2
    left = await journal.query(lambda db: db.execute("SELECT id FROM lane ORDER BY id").fetchall())
    await journal.close()
    assert left == [(2,), (3,), (4,)]


async def test_rejections_from_before_find_their_budgets(tmp_path: Path) -> None:
    """Those of unknown paths share one; the numbers go on from where they were."""
    path = tmp_path / "journal.db"
    db = of_schema(path, 10)
    add = "INSERT INTO rejection VALUES (?, 'r', ?, 1.0, 401, ?, '', '[]', x'')"
    codes = ["signature.mismatch", "request.not-found", "request.unknown-source"]
    sources = ["shop", "wp-login.php", "shopp"]
    db.executemany(add, [(n, sources[n % 3], codes[n % 3]) for n in range(1, 10)])
    db.close()
    journal = SqliteJournal.open(path, limits=Limits(max_rejections=4))
    for source in ("shop", "shop", "else"):
        await journal.reject(replace(_REJECTION, source=source, stranger=source == "else"))
    kept = [one.source for one in await journal.rejections()]
    await journal.close()
    assert kept == ["else", "shop", "shop", "shop", "shopp", "wp-login.php", "shop", "shopp"]


_REJECTION = Rejection(
    id="rej", source="", at=1.0, status=401, code="x", detail="", headers=(), body=b""
)


def _event(number: int, about: str) -> Event:
    return Event(
        id=f"evt_{number:06}",
        source="shop",
        topic="t",
        idempotency_key=str(number),
        ordering_key=about,
        version=None,
        received_at=float(number),
        headers=(),
        body=b"{}",
        body_hash=str(number),
    )


@pytest.mark.parametrize(
    ("version", "safe"), [("3.40.1", False), ("3.51.2", False), ("3.51.3", True)]
)
def test_a_library_that_can_corrupt_the_file_is_refused(version: str, safe: bool) -> None:
    """The WAL-reset fault of SQLite 3.7.0 to 3.51.2."""
    if safe:
        refuse_unsafe(version)
    else:
        with pytest.raises(JournalUnavailable, match=version):
            refuse_unsafe(version)


async def test_a_journal_that_cannot_be_opened_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its lock nor a connection: it can be opened as soon as it is mended."""
    path, made = tmp_path / "journal.db", []

    def connected(given: Path, **more: int) -> apsw.Connection:
        made.append(connect_writer(given, **more))
        return made[-1]

    def failing(_: Path) -> apsw.Connection:
        raise apsw.CantOpenError("no more files")

    monkeypatch.setattr(sqlite, "connect_writer", connected)
    with monkeypatch.context() as broken:
        broken.setattr(sqlite, "connect_reader", failing)
        with pytest.raises(JournalUnavailable, match="no more files"):
            SqliteJournal.open(path)
    with pytest.raises(apsw.ConnectionClosedError):
        made[0].pragma("user_version")
    await SqliteJournal.open(path).close()


async def test_a_file_from_a_newer_odoorway_is_refused(tmp_path: Path) -> None:
    """Rather than misread."""
    path = tmp_path / "journal.db"
    await SqliteJournal.open(path).close()
    db = apsw.Connection(str(path))
    db.pragma("user_version", 99)
    db.close()
    with pytest.raises(JournalUnavailable, match="newer"):
        SqliteJournal.open(path)


async def test_what_is_known_comes_along_from_an_older_journal(tmp_path: Path) -> None:
    """Ids of events that are kept, and of those without one the last minutes."""
    path = tmp_path / "journal.db"
    db = of_schema(path, 8)
    events = [
        replace(_event(number, about), idempotency_key=key, received_at=at, body_hash=body)
        for number, (about, key, at, body) in enumerate(
            (
                ("order/1", "e1", 0.0, "a"), ("stock/A", "sha256:a", 8_000.0, "a"),
                ("stock/B", "sha256:c", 9_000.0, "c"), ("stock/A", "sha256:b", 9_000.0, "b"),
                ("order/1", "e1", 9_000.0, "b"), ("stock/A", "sha256:d", 9_001.0, "d"),
                ("stock/B", "sha256:e", 9_002.0, "e"),
            )
        )
    ]  # fmt: skip
    for one in events:
        db.execute(
            "INSERT INTO event (id, source, topic, idempotency_key, ordering_key, received_at,"
            " headers, body_hash, conflict, body)"
            " VALUES (?, 'shop', 't', ?, ?, ?, '[]', ?, 0, x'')",
            (one.id, one.idempotency_key, one.ordering_key, one.received_at, one.body_hash),
        )
    db.close()
    journal = SqliteJournal.open(path)
    again = [replace(one, id=f"new_{one.id}", received_at=9_100.0) for one in events]
    told = [await journal.append(again[number], []) for number in (0, 4, 5, 6, 3)]
    await journal.close()
    known = [events[number].id for number in (0, 4, 5, 6)]
    assert [one.event_id for one in told] == [*known, again[3].id]


async def test_forgetting_keys_costs_the_same_whatever_is_known(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine: the last of those that expired is as near."""
    few, many = [await _forgetting_keys(tmp_path / f"{known}.db", known) for known in (100, 3_000)]
    assert many < few * 1.2 + 50


async def _forgetting_keys(path: Path, known: int) -> int:
    journal = SqliteJournal.open(path, limits=Limits(key_life=10.0))
    plans = [Planned(route="r", destination="odoo")]
    await asyncio.gather(*(journal.append(_event(n, str(n)), plans) for n in range(known)))
    counted = [0]

    def step() -> bool:
        counted[0] += 1
        return False

    journal._writer._db.set_progress_handler(step, 1)
    assert await journal.forget_keys(30.5, limit=50) == 21
    assert await journal.forget_keys(90.5, limit=50) == 50
    journal._writer._db.set_progress_handler(None)
    await journal.close()
    return counted[0]


async def test_nothing_ends_the_thread_that_writes(tmp_path: Path) -> None:
    """A bug in an operation, too few results among them, is told to who waits; then it goes on."""
    journal = SqliteJournal.open(tmp_path / "journal.db")

    class Odd(BaseException):
        pass

    def odd(db: apsw.Connection) -> None:
        raise Odd

    with pytest.raises(JournalUnavailable, match="Odd"):
        await asyncio.wait_for(journal.change(odd), 20)
    with pytest.raises(JournalUnavailable, match="1 operations had 0 results"):
        await asyncio.wait_for(journal._writer.append(lambda _db, _items: [], 1), 20)
    await asyncio.wait_for(journal.touch(), 20)
    await journal.close()
