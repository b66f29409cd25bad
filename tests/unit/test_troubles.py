"""What a person has to look at is kept beside the deliveries: the same as these, and quick."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest
from console_desk import event

from journals import of_schema, temporary
from odoorway.journal.found import Chosen, Problem
from odoorway.journal.keeping import Sweep, Until
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Outcome, Planned, Settlement

HOUR = 3600.0
CODES = ("odoo.no-match", "odoo.timeout", None)
AS_THEY_ARE = """
SELECT delivery.state, event.source, delivery.destination, coalesce(delivery.code, ''),
    delivery.updated_at, event.id
FROM delivery JOIN event ON event.seq = delivery.event
WHERE state IN ('dead', 'breached')
ORDER BY delivery.updated_at, delivery.id
"""


async def die(
    journal: SqliteJournal,
    at: float,
    code: str | None,
    limit: int = 1,
    outcome: Outcome = Outcome.DEAD,
) -> None:
    leased = await journal.lease("odoo", "me", limit=limit, now=9e9, until=9e9 + 60)
    done = [
        Settlement(delivery=one.delivery.id, outcome=outcome, at=at, seconds=0.1, code=code)
        for one in leased
    ]
    await journal.settle("me", done)


def grouped(rows: Sequence[tuple[Any, ...]]) -> list[Problem]:
    """Return what the problems have to be, from all such deliveries."""
    found = []
    for kind, source, destination, code in {row[:4] for row in rows}:
        own = [row for row in rows if row[:4] == (kind, source, destination, code)]
        found.append(
            Problem(
                kind=kind, source=source, destination=destination, code=code, count=len(own),
                first=own[0][4], last=own[-1][4], example=own[-1][5],
                hours=tuple(sorted(Counter(int(row[4] // HOUR) for row in own).items())),
            )
        )  # fmt: skip
    return found


async def test_they_are_what_the_deliveries_are() -> None:
    """However they come and go: they die, are replayed, given up, die again and are forgotten."""
    journal, draw, at = temporary(), random.Random(5), 0.0
    for number in range(300):
        at += draw.random() * HOUR
        arrived = replace(event(number), source=draw.choice(["shop", "crm"]), received_at=at)
        await journal.append(arrived, [Planned(route="r", destination="odoo")])
        match draw.randrange(5):
            case 0 | 1:
                outcome = draw.choice([Outcome.DEAD, Outcome.BREACHED])
                await die(journal, at, draw.choice(CODES), outcome=outcome)
            case 2:
                letters = await journal.dead_letters(Chosen(), limit=99)
                for letter in letters and [draw.choice(letters)]:
                    await journal.replay(letter.event_id, [letter.planned], at)
            case 3:
                await journal.give_up(event(draw.randrange(number + 1)).id, at, "it is as it is")
            case 4:
                old = Sweep(name="x", before=at / 2, until=Until(dead=at / 2), now=at)
                await journal.forget(old, limit=2)
    rows = await journal.query(lambda db: db.execute(AS_THEY_ARE).fetchall())
    assert len(rows) > 20
    problems = await journal.problems()
    assert {*problems} == {*grouped(rows)}
    assert [one.last for one in problems] == sorted((p.last for p in problems), reverse=True)
    for one in problems:
        chosen = Chosen(source=one.source, destination=one.destination, code=one.code)
        if one.kind == "dead" and one.code:
            assert await journal.count_dead(chosen) == one.count
    assert {one.kind for one in problems} == {"dead", "breached"}


@pytest.mark.parametrize("outcome", [Outcome.DEAD, Outcome.BREACHED])
async def test_problems_cost_the_same_however_many_there_are(
    tmp_path: Path, outcome: Outcome
) -> None:
    """Counted by hours: a hundred thousand dead letters are no more rows than one."""
    few, many = [await _asking(tmp_path / f"{n}.db", n, outcome) for n in (100, 3_000)]
    assert many < few * 1.2 + 50


async def _asking(path: Path, many: int, outcome: Outcome) -> int:
    journal = SqliteJournal.open(path)
    await _fill(journal, many, outcome)
    steps = count()
    journal._people._db.set_progress_handler(lambda: next(steps) < 0, 1)
    (problem,) = await journal.problems()
    asked = next(steps)
    await journal.close()
    assert problem.count == many
    return asked


async def _fill(journal: SqliteJournal, many: int, outcome: Outcome) -> None:
    plans = [Planned(route="r", destination="odoo")]
    arrivals = (replace(event(number), received_at=1.0) for number in range(many))
    await asyncio.gather(*(journal.append(one, plans) for one in arrivals))
    await die(journal, 5.0, "odoo.no-match", limit=many, outcome=outcome)


async def test_troubles_from_before_are_found(tmp_path: Path) -> None:
    """What was dead already when the journal learned to keep them apart."""
    path = tmp_path / "journal.db"
    db = of_schema(path, 23)
    _insert(db)
    db.close()
    journal = SqliteJournal.open(path)
    rows = await journal.query(lambda db: db.execute(AS_THEY_ARE).fetchall())
    problems, letters = await journal.problems(), await journal.dead_letters(Chosen())
    await journal.close()
    assert {*problems} == {*grouped(rows)}
    assert [(one.id, one.event_id) for one in letters] == [(1, "evt_1"), (3, "evt_1")]


def _insert(db: apsw.Connection) -> None:
    db.execute(
        "INSERT INTO event VALUES (1, 'evt_1', 's', 't', 'k', 'o', '', 1.0, '', 'h', 0, x'')"
    )
    add = "INSERT INTO delivery (event, route, destination, state, due_at, updated_at, code)"
    for state, code in (("dead", "x"), ("delivered", None), ("dead", None), ("breached", "y")):
        db.execute(f"{add} VALUES (1, 'r', 'odoo', ?, 1.0, 2.0, ?)", (state, code))
