"""Is what Odoo holds what the handler expects?"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from odoorway.commands import Empty, Update, Upsert, find
from odoorway.deliver.odoo.expect import Held, broken, step_of
from odoorway.errors import HandlerError

CENT = Decimal("0.01")


@pytest.mark.parametrize(
    ("expected", "held"),
    [
        (Decimal("64.00"), Held(64.0, "monetary", CENT)),
        ("64.004", Held(64.0, "monetary", CENT)),
        (0.1 + 0.2, Held(0.3, "float", Decimal("0.000001"))),
        (64, Held(64.4, "monetary", Decimal(1))),
        (3, Held(3, "integer")),
        (Empty, Held(0.0, "float")),
        (True, Held(True, "boolean")),
        (False, Held(False, "boolean")),
        (Empty, Held(False, "char")),
        (7, Held([7, "Ada"], "many2one")),
        ("Ada", Held([7, "Ada"], "many2one")),
        (42, Held("42", "char")),
        (Decimal("1.50"), Held("1.50", "char")),
        (date(2025, 3, 1), Held("2025-03-01", "date")),
        ("2025-03-01T09:00:00Z", Held("2025-03-01", "date")),
        (datetime(2025, 3, 1, 12, 30, 1, 5, tzinfo=UTC), Held("2025-03-01 12:30:01", "datetime")),
        ("2025-03-01T13:30:00+01:00", Held("2025-03-01 12:30:00", "datetime")),
        (date(2025, 3, 1), Held("2025-03-01 00:00:00", "datetime")),
    ],
)
def test_what_writing_it_would_have_left_there_is_as_expected(expected: Any, held: Held) -> None:
    assert broken("x", expected, held) is None


@pytest.mark.parametrize(
    ("expected", "held", "told"),
    [
        (Decimal(64), Held(73.6, "monetary", CENT), "x is 73.60 in Odoo, and 64.00 was expected"),
        (64.005, Held(64.0, "monetary", CENT), "x is 64.00 in Odoo, and 64.005 was expected"),
        ("many", Held(1.0, "float", CENT), "x is 1.00 in Odoo, and many was expected"),
        ("1e999999", Held(1.0, "float", CENT), "x is 1.00 in Odoo, and 1e999999 was expected"),
        (float("nan"), Held(1.0, "float", CENT), "x is 1.00 in Odoo, and nan was expected"),
        (1, Held(True, "integer"), "x is True in Odoo, and 1 was expected"),
        (True, Held([1, "Ada"], "many2one"), "x is Ada (id 1) in Odoo, and True was expected"),
        (8, Held([7, "Ada"], "many2one"), "x is Ada (id 7) in Odoo, and 8 was expected"),
        ("a", Held(False, "char"), "x is empty in Odoo, and a was expected"),
        (Empty, Held("a", "char"), "x is a in Odoo, and Empty was expected"),
        (True, Held(False, "boolean"), "x is False in Odoo, and True was expected"),
        ("\0", Held("a", "char"), "x is a in Odoo, and \0 was expected"),
        ("soon", Held("2025-03-01", "date"), "x is 2025-03-01 in Odoo, and soon was expected"),
    ],
)
def test_both_figures_are_told(expected: Any, held: Held, told: str) -> None:
    assert broken("x", expected, held) == told


@pytest.mark.parametrize("absent", [None, "", " ", False])
def test_what_the_payload_lacks_is_not_as_expected(absent: Any) -> None:
    """Not even where the field is empty: nothing was compared."""
    told = broken("x", absent, Held(False, "char"))
    assert told == "x is empty in Odoo, and the payload has no value to compare it with"


def test_a_tolerance_is_given_and_told() -> None:
    held = Held(64.0, "monetary", CENT)
    assert broken("x", "64.05", held, 0.05) is None
    told = "x is 64.00 in Odoo, and 64.06 was expected (give or take 0.05)"
    assert broken("x", "64.06", held, Decimal("0.05")) == told
    assert broken("x", "64.004", held, 0) is not None


@pytest.mark.parametrize(
    ("info", "rounding", "step"),
    [
        ({"type": "monetary"}, 1.0, "1.0"),
        ({"type": "monetary"}, "nonsense", "0.01"),
        ({"type": "float", "digits": [16, 2]}, None, "0.01"),
        ({"type": "float", "digits": "nonsense"}, None, "0.000001"),
        ({"type": "char"}, None, None),
        ({}, None, None),
    ],
)
def test_what_counts_as_a_difference(info: Any, rounding: Any, step: str | None) -> None:
    assert step_of(info, rounding) == (None if step is None else Decimal(step))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"expect": ["amount_total"]}, "give {'amount_total': total}"),
        ({"expect": {"a b": 1}}, "write a field, or 'a_id.field'"),
        ({"expect": {".".join("abcdef"): 1}}, "write a field, or 'a_id.field'"),
        ({"expect": {"a": [1]}}, "give text, a number or a time"),
        ({"expect": {"a": find("x", b=1)}}, "like 'currency_id.name'"),
        ({"tolerance": -1}, "give a number, like 0.01"),
        ({"tolerance": True}, "give a number, like 0.01"),
        ({"tolerance": float("nan")}, "give a number, like 0.01"),
    ],
)
def test_what_cannot_be_expected_is_refused_where_it_is_written(given: Any, told: str) -> None:
    with pytest.raises(HandlerError, match="Upsert's") as refused:
        Upsert("sale.order", ("order", 1), {}, **given)
    assert told in str(refused.value)
    with pytest.raises(HandlerError, match="Update's"):
        Update("sale.order", find("sale.order", name="x"), {}, **given)
