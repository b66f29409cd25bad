"""What an order of the sandbox costs, as Odoo 19 computes it: by line, rounded to the cent."""

from collections.abc import Mapping, Sequence
from typing import Any

Amounts = dict[str, float]
_OF_LINES = {
    "amount_untaxed": "price_subtotal",
    "amount_tax": "price_tax",
    "amount_total": "price_total",
}


class NotSupported(Exception):
    """The sandbox does not know what the real Odoo would answer, and says so."""


def line_amounts(line: Mapping[str, Any], taxes: Sequence[Mapping[str, Any]]) -> Amounts:
    """Return a line's amounts with *taxes*, which are all in the price or all on top."""
    if any(tax["amount_type"] != "percent" for tax in taxes):
        raise NotSupported("a tax that is no percentage")
    if len({tax["price_include"] for tax in taxes}) > 1:
        raise NotSupported("a tax in the price beside one on top")
    price = line["product_uom_qty"] * line["price_unit"] * (1 - line["discount"] / 100)
    inside = sum(tax["amount"] for tax in taxes if tax["price_include"])
    net = price / (1 + inside / 100)
    tax = round(sum(round(net * one["amount"] / 100, 2) for one in taxes), 2)
    subtotal = round(price, 2) - (tax if inside else 0)
    return {
        "price_subtotal": round(subtotal, 2),
        "price_tax": tax,
        "price_total": round(subtotal + tax, 2),
    }


def order_amounts(lines: Sequence[Amounts]) -> Amounts:
    """Return an order's amounts from those of its lines."""
    return {name: round(sum(line[part] for line in lines), 2) for name, part in _OF_LINES.items()}
