"""Flat records as calls of `load`, and what they look up."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoorway.commands import Upsert, find
from odoorway.deliver.odoo.load import Text, loads
from odoorway.deliver.odoo.lookup import CHUNK, key_of, questions, settle
from odoorway.deliver.odoo.refusal import Refused
from odoorway.deliver.odoo.schedule import schedule
from odoorway.deliver.odoo.values import Unwritable, cell, plain
from odoorway.model.delivery import Outcome
from odoorway.transform.flatten import flatten
from odoorway.transform.plan import DbId, Lines, Many, Record, Ref

TEXT = Text({})


class Color(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (0, "0"),
        (10**20, "100000000000000000000"),
        (1e-7, "0.0000001"),
        (1e21, "1000000000000000000000"),
        (19.9, "19.9"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (date(2025, 12, 31), "2025-12-31"),
        (datetime(2025, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2024-12-31 23:00:00"),
        (datetime(2025, 1, 1, 9, 30, 5, 999, tzinfo=UTC), "2025-01-01 09:30:05"),
        (datetime(2025, 1, 1, 9), "2025-01-01 09:00:00"),  # noqa: DTZ001 - naive is the case
        (" spaced\nñ ", " spaced\nñ "),
        (Color.RED, "red"),
        (b"\x00\x01", "AAE="),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"a": [1, None]}, '{"a": [1, false]}'),
    ],
)
def test_cells_are_exact(value, text):
    """A scalar is written exactly, in the one form that `load` reads."""
    assert cell(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive(number):
    """Every float comes back from its text as itself, and the text has no exponent."""
    assert float(cell(number)) == number
    assert "e" not in cell(number)


@pytest.mark.parametrize(
    "value", ["a\0b", "\ud800", float("nan"), float("inf"), Decimal("NaN"), object(), {1, 2}]
)
def test_what_odoo_cannot_store_is_refused(value):
    """A value that would fail a whole batch is refused for its own record, naming the field."""
    with pytest.raises(Unwritable, match=r"^note: "):
        loads([Record("m", "x.1", {"note": value})], TEXT)


def test_plain_values():
    """JSON values keep their type, None clears, references are ids."""
    assert plain({"a": None, "b": True, "c": Decimal("1.5"), "d": Ref("x")}, {"x": 3}) == {
        "a": False,
        "b": True,
        "c": 1.5,
        "d": 3,
    }
    assert plain(Many((Ref("x"), DbId(4))), {"x": 3}) == [[6, 0, [3, 4]]]
    with pytest.raises(Unwritable):
        plain(Lines((Record("l", "x.1"),)))


def test_records_of_one_form_share_a_call():
    """Records of one model with the same columns, in any order, are one load."""
    (load,) = loads(
        [Record("m", "x.1", {"a": 1, "b": None}), Record("m", "x.2", {"b": "z", "a": 2})], TEXT
    )
    assert load.body == {
        "fields": ["id", "a", "b"],
        "data": [["x.1", "1", ""], ["x.2", "2", "z"]],
        "context": {"tz": "UTC"},
    }


def test_other_columns_are_another_call():
    """A record never gets a column it does not mention: an empty cell would clear the field."""
    first, second = loads([Record("m", "x.1", {"a": 1}), Record("m", "x.2", {"b": 2})], TEXT)
    assert (first.columns, second.columns) == (("id", "a"), ("id", "b"))


def test_references():
    """External IDs, database ids and plain numbers each get the column that means them."""
    values = {
        "partner_id": Ref("x.c"),
        "product_id": DbId(7),
        "company_id": 3,
        "qty": 4,
        "tag_ids": Many((Ref("x.t"), Ref("x.u"))),
        "categ_ids": Many((Ref("x.t"), DbId(9))),
        "other_ids": Many(()),
    }
    (load,) = loads([Record("m", "x.1", values)], Text({"x.t": 5}))
    assert dict(zip(load.columns, load.body["data"][0], strict=True)) == {
        "id": "x.1",
        "partner_id/id": "x.c",
        "product_id/.id": "7",
        "company_id/.id": "3",
        "qty": "4",
        "tag_ids/id": "x.t,x.u",
        "categ_ids/.id": "5,9",
        "other_ids/.id": "",
    }


def _line(number, **values):
    return Record("l", f"x.l{number}", values)


def test_lines_are_rows_below_their_parent():
    """The first line shares its parent's row; further ones leave the parent's columns empty."""
    order = Record("o", "x.1", {"note": "n", "line": Lines((_line(1, q=1), _line(2, q=2)))})
    (load,) = loads(
        [order, Record("o", "x.2", {"note": "m", "line": Lines((_line(3, q=3),))})], TEXT
    )
    assert load.body["fields"] == ["id", "note", "line/id", "line/q"]
    assert load.body["data"] == [
        ["x.1", "n", "x.l1", "1"],
        ["", "", "x.l2", "2"],
        ["x.2", "m", "x.l3", "3"],
    ]
    blocks = [load.block_at(row) for row in range(3)]
    assert [block and block.record for block in blocks] == [0, 0, 1]
    assert load.block_at(3) is None


def test_lines_of_another_form_follow_in_their_own_call():
    """A line that lacks a field of the others goes later, so that its field is not cleared."""
    lines = Lines((_line(1, q=1, d=5), _line(2, q=2), _line(3, q=3, d=0)))
    first, second = loads([Record("o", "x.1", {"note": "n", "line": lines})], TEXT)
    assert first.columns == ("id", "note", "line/id", "line/q", "line/d")
    assert [row[2] for row in first.body["data"]] == ["x.l1", "x.l3"]
    assert second.body["fields"] == ["id", "line/id", "line/q"]
    assert second.body["data"] == [["x.1", "x.l2", "2"]]


def test_no_lines_is_no_column():
    """An empty list of lines leaves those that Odoo has: an empty column would remove them."""
    (load,) = loads([Record("o", "x.1", {"note": "n", "line": Lines(())})], TEXT)
    assert load.columns == ("id", "note")


def test_lines_of_lines():
    """Lines nest; each inner line stands on a row of its line."""
    inner = Lines((_line(8, a=1), _line(9, a=2)))
    lines = Lines((_line(1, sub=inner), _line(2, sub=Lines((_line(7, a=3),)))))
    (load,) = loads([Record("o", "x.1", {"line": lines})], TEXT)
    assert load.body["fields"] == ["id", "line/id", "line/sub/id", "line/sub/a"]
    assert load.body["data"] == [
        ["x.1", "x.l1", "x.l8", "1"],
        ["", "", "x.l9", "2"],
        ["", "x.l2", "x.l7", "3"],
    ]


def _plans(*jobs):
    return {number: flatten("s", commands) for number, commands in enumerate(jobs)}


def test_jobs_share_what_they_write_alike():
    """The same customer with the same values in two orders is written once, for both jobs."""
    customer = Upsert("c", ("c", 1), {"name": "A"})
    orders = [[Upsert("o", ("o", n), {"c_id": customer})] for n in (1, 2)]
    first, second = schedule(_plans(*orders))
    assert [entry.jobs for entry in first] == [[0, 1]]
    assert [entry.jobs for entry in second] == [[0], [1]]


def test_the_later_job_has_the_last_word():
    """Different values for one record are written one after the other, in order of arrival."""
    jobs = [
        [Upsert("o", ("o", 1), {"c_id": Upsert("c", ("c", 1), {"name": name})})] for name in "ABA"
    ]
    stages = schedule(_plans(*jobs))
    customers = [[e.record.values["name"] for e in s if e.record.model == "c"] for s in stages]
    assert customers == [["A"], ["B"], ["A"]]
    orders = [e.jobs for stage in stages for e in stage if e.record.model == "o"]
    assert orders == [[0, 1, 2]]


def test_finds_are_asked_together():
    """One question a model and its fields, each value once, in chunks."""
    keys = [key_of(find("p", sku=f"S{n % 600}")) for n in range(1200)]
    asked = list(questions([*keys, key_of(find("p", a=1, b="x"))]))
    assert [len(question.keys) for question in asked] == [CHUNK, 600 - CHUNK, 1]
    assert asked[0].body["domain"][0][:2] == ["sku", "in"]
    assert asked[2].body["domain"] == ["&", ["a", "=", 1], ["b", "=", "x"]]
    two = next(questions([key_of(find("p", a=1, b=n)) for n in range(2)]))
    assert two.body["domain"] == [
        "|", "&", ["a", "=", 1], ["b", "=", 0], "&", ["a", "=", 1], ["b", "=", 1],
    ]  # fmt: skip


def test_rows_answer_finds_exactly():
    """A row answers a find of its value only: case counts, a many2one is its id or its name."""
    one, other, partner = find("p", a="x"), find("p", a="X"), find("p", a=5)
    (question,) = questions(map(key_of, (one, other, partner)))
    rows = [{"id": 1, "a": "x"}, {"id": 2, "a": [5, "Azure"]}, {"id": 3, "a": "5"}]
    assert question.answers([*rows, {"id": 4, "a": False}]) == {
        key_of(one): (1,),
        key_of(other): (),
        key_of(partner): (2, 3),
    }


def test_what_a_find_becomes():
    """One match is its id; none is as missing= says; several are an error that names them."""
    new = Upsert("p", ("p", 1))
    assert settle(find("p", a=1), [[7]]) == DbId(7)
    assert settle(find("p", a=1, missing=None), [[]]) is None
    assert settle(find("p", a=1, missing=new), [[]]) is new
    for given_find, ids, code, outcome in (
        (find("p", a=1), [], "odoo.no-match", Outcome.DEAD),
        (find("p", a=1, missing="retry"), [], "odoo.awaiting-match", Outcome.RETRY),
        (find("p", a=1, missing=new), [7, 8], "odoo.many-matches", Outcome.DEAD),
    ):
        with pytest.raises(Refused) as caught:
            settle(given_find, [ids], {("p", 8): "Eight"})
        assert (caught.value.verdict.code, caught.value.verdict.outcome) == (code, outcome)
        assert "p with a = 1" in caught.value.verdict.detail
    assert caught.value.verdict.detail.endswith("matches several: ? (id 7), Eight (id 8)")
    with pytest.raises(Refused, match=r"\(id 9\) and 2 more$"):
        settle(find("p", a=1), [list(range(12))])


@pytest.mark.parametrize("value", ["x\0", math.nan])
def test_a_find_of_nonsense_is_refused(value):
    """What cannot be searched for is told for its own delivery."""
    with pytest.raises(Refused, match="p with a = ") as caught:
        key_of(find("p", a=value))
    assert caught.value.verdict.code == "odoo.invalid-value"
