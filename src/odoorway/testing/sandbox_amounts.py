"""What an order of the sandbox costs, as Odoo 19 computes it: by line, rounded to the cent."""

from collections.abc import Mapping, Sequence
from typing import Any

Amounts = dict[str, float]


class NotSupported(Exception):
    """The sandbox does not know what the real Odoo would answer, and says so."""


def line_amounts(line: Mapping[str, Any], taxes: Sequence[Mapping[str, Any]]) -> Amounts:
    """Return a line's amounts with *taxes*, which are all in the price or all on top."""
    tax = round(sum(round(one, 2) for one in _taxes(line, taxes).values()), 2)
    inside = tax if _is_inside(taxes) else 0
    subtotal = round(_price(line) - inside, 2)
    return {
        "price_subtotal": subtotal,
        "price_tax": tax,
        "price_total": round(subtotal + tax, 2),
    }


def order_amounts(
    lines: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]],
) -> Amounts:
    """Return an order's amounts from its lines, each with its taxes.

    Each tax is rounded once, over all lines: a company's default, "Round per Tax".
    """
    by_tax: dict[tuple[int, bool], float] = {}
    for line, taxes in lines:
        for ident, tax in _taxes(line, taxes).items():
            place = ident, _is_inside(taxes)
            by_tax[place] = by_tax.get(place, 0) + tax
    rounded = {place: round(tax, 2) for place, tax in by_tax.items()}
    inside = sum(tax for (_, is_inside), tax in rounded.items() if is_inside)
    untaxed = round(sum(round(_price(line), 2) for line, _ in lines) - inside, 2)
    tax = round(sum(rounded.values()), 2)
    return {
        "amount_untaxed": untaxed,
        "amount_tax": tax,
        "amount_total": round(untaxed + tax, 2),
    }


def _price(line: Mapping[str, Any]) -> float:
    return float(line["product_uom_qty"] * line["price_unit"] * (1 - line["discount"] / 100))


def _is_inside(taxes: Sequence[Mapping[str, Any]]) -> bool:
    return any(tax["price_include"] for tax in taxes)


def _taxes(line: Mapping[str, Any], taxes: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """Return what each tax makes of a line, by its id, not rounded."""
    if any(tax["amount_type"] != "percent" for tax in taxes):
        raise NotSupported("a tax that is no percentage")
    if len({tax["price_include"] for tax in taxes}) > 1:
        raise NotSupported("a tax in the price beside one on top")
    inside = sum(tax["amount"] for tax in taxes if tax["price_include"])
    net = _price(line) / (1 + inside / 100)
    return {tax["id"]: net * tax["amount"] / 100 for tax in taxes}
