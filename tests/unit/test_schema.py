"""What Odoo would refuse, told from its own description of the fields."""

from decimal import Decimal
from typing import Any

import pytest

from odoorway.commands import Call, Update, Upsert, find
from odoorway.deliver.odoo.schema import Written, looked_up, problems, required, written

FIELDS: dict[str, dict[str, Any]] = {
    "partner_id": {"type": "many2one", "relation": "res.partner", "required": True},
    "invoice_id": {"type": "many2one", "relation": "res.partner", "required": True,
                   "depends": ["partner_id"]},
    "state": {"type": "selection", "selection": [["draft", "Quotation"], ["sale", "Order"]]},
    "date": {"type": "datetime"},
    "total": {"type": "monetary", "readonly": True},
    "weight": {"type": "float"},
    "note": {"type": "char"},
    "lines": {"type": "one2many", "relation": "sale.order.line"},
    "tags": {"type": "many2many", "relation": "crm.tag"},
}  # fmt: skip
GIVEN = {"partner_id": 3}


def told(values, defaults=(), **more):
    one = Written("sale.order", values, **{"creates": True, **more})
    return [(p.level, p.code, p.text) for p in problems(one, FIELDS, defaults)]


@pytest.mark.parametrize(
    "values",
    [
        {"partner_id": find("res.partner", email="x")},
        {"state": "draft"}, {"state": "Order"}, {"date": "2026-01-01T10:00:00"},
        {"weight": Decimal("1.5")}, {"weight": "1.5"}, {"weight": 3}, {"note": None},
        {"lines": [Upsert("sale.order.line", ("line", 1), {})]}, {"lines": []},
        {"tags": [1, find("crm.tag", name="x")]},
    ],
)  # fmt: skip
def test_what_fits_is_not_mentioned(values):
    """Computed fields are not asked for, though they are required."""
    assert told({**GIVEN, **values}) == []


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"nope": 1}, "odoo.unknown-field", "has no field 'nope'"),
        ({"state": "lost"}, "odoo.invalid-value", "'lost'; it is one of draft, sale"),
        ({"date": "tomorrow"}, "odoo.invalid-value", "is a datetime"),
        ({"weight": "heavy"}, "odoo.invalid-value", "is a number"),
        ({"note": ["a"]}, "odoo.invalid-value", "cannot hold a list"),
        ({"note": find("res.partner", id=1)}, "odoo.invalid-value", "cannot refer to"),
        ({"partner_id": find("crm.lead", id=1)}, "odoo.invalid-value", "refers to res.partner"),
        ({"lines": [Upsert("crm.lead", ("l", 1), {})]}, "odoo.invalid-value", "not to crm.lead"),
    ],
)
def test_what_odoo_would_refuse_is_named(values, code, words):
    """Each with the diagnosis that its delivery would have."""
    ((level, found, text),) = told({**GIVEN, **values})
    assert (level, found) == ("fail", code)
    assert words in text


def test_what_odoo_may_take_all_the_same_is_a_warning():
    """A read-only field, unless it is writable in some states; a required one that is empty."""
    FIELDS["kept"] = {"type": "char", "readonly": True, "states": {"draft": []}}
    assert told({**GIVEN, "kept": "x"}) == []
    ((level, code, text),) = told({"partner_id": None})
    assert (level, code) == ("warn", "odoo.missing-required")
    assert "partner_id is required" in text
    assert [(level, "total" in text) for level, _, text in told({**GIVEN, "total": 1})] == [
        ("warn", True)
    ]


def test_a_required_field_may_come_from_elsewhere():
    """From Odoo's defaults, from the parent of a line, or because the record is there already."""
    assert told({}, defaults=["partner_id"]) == []
    assert told({}, parent="res.partner") == []
    assert told({}, creates=False) == []
    assert [code for _, code, _ in told({})] == ["odoo.missing-required"]
    assert required(FIELDS) == ["invoice_id", "partner_id"]


def test_a_delegated_field_is_required_and_its_reference_is_not():
    """A product's name is its template's, and the template makes itself."""
    product: dict[str, dict[str, Any]] = {
        "product_tmpl_id": {"type": "many2one", "relation": "product.template", "required": True},
        "name": {"type": "char", "required": True, "depends": ["product_tmpl_id.name"]},
    }
    one = Written("product.product", {}, creates=True)
    assert [p.text.split()[0] for p in problems(one, product, ())] == ["product.product.name"]


def test_all_that_is_written_and_searched_is_found():
    """Nested records, lines, what a lookup creates, and what guards a call."""
    made = Upsert("product.product", ("sku", 1), {"name": "x"})
    line = Upsert("sale.order.line", ("line", 1), {
        "product_id": find("product.product", default_code="A", missing=made)})  # fmt: skip
    customer = Upsert("res.partner", ("customer", 1), {"name": "x"})
    order = Upsert("sale.order", ("order", 1), {"partner_id": customer, "order_line": [line]})
    picking = Update("stock.picking", find("stock.picking", origin="S1"), {"note": "x"})
    call = Call("sale.order", "action_confirm", on=order, unless={"state": ["sale"]})
    found = {(one.model, one.creates, one.parent) for one in written([picking, call])}
    assert found == {
        ("sale.order", True, None), ("sale.order.line", True, "sale.order"),
        ("product.product", True, None), ("res.partner", True, None),
        ("stock.picking", False, None),
    }  # fmt: skip
    assert set(looked_up([picking, call])) == {
        ("product.product", "default_code"), ("stock.picking", "origin"), ("sale.order", "state"),
    }  # fmt: skip
