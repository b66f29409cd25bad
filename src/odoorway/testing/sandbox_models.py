"""The sandbox's models: the fields of Odoo 19's that webhooks write, as a table."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as ``fields_get`` tells it."""

    type: str
    string: str
    required: bool = False
    readonly: bool = False
    relation: str | None = None
    inverse: str | None = None  # of a one2many
    selection: tuple[tuple[str, str], ...] = ()
    currency_field: str | None = None  # of an amount
    digits: tuple[int, int] | None = None
    default: Any = False


def _char(string: str, **more: Any) -> Field:
    return Field("char", string, **more)


def _float(string: str, **more: Any) -> Field:
    return Field("float", string, default=more.pop("default", 0.0), **more)


def _amount(string: str) -> Field:
    """Return an amount that Odoo computes, in the currency of its record."""
    return Field("monetary", string, readonly=True, currency_field="currency_id", default=0.0)


def _one(relation: str, string: str, **more: Any) -> Field:
    return Field("many2one", string, relation=relation, **more)


_STATES = (
    ("draft", "Quotation"),
    ("sent", "Quotation Sent"),
    ("sale", "Sales Order"),
    ("cancel", "Cancelled"),
)
_TAX_KINDS = (
    ("group", "Group of Taxes"),
    ("fixed", "Fixed"),
    ("percent", "Percentage"),
    ("division", "Percentage Tax Included"),
)
_TAX_USES = (("sale", "Sales"), ("purchase", "Purchases"), ("none", "None"))
_INCLUDED = (("tax_included", "Tax Included"), ("tax_excluded", "Tax Excluded"))
_ADDRESS_TYPES = (
    ("contact", "Contact"),
    ("invoice", "Invoice"),
    ("delivery", "Delivery"),
    ("other", "Other"),
)

MODELS: dict[str, dict[str, Field]] = {
    "res.partner": {
        "name": _char("Name"),
        "email": _char("Email"),
        "phone": _char("Phone"),
        "ref": _char("Reference"),
        "street": _char("Street"),
        "zip": _char("Zip"),
        "city": _char("City"),
        "is_company": Field("boolean", "Is a Company"),
        "type": Field("selection", "Address Type", selection=_ADDRESS_TYPES, default="contact"),
        "country_id": _one("res.country", "Country"),
        "parent_id": _one("res.partner", "Related Company"),
        "user_ids": Field("one2many", "Users", relation="res.users", inverse="partner_id"),
        "ref_company_ids": Field(
            "one2many",
            "Companies that refers to partner",
            relation="res.company",
            inverse="partner_id",
        ),
    },
    "res.users": {
        "name": _char("Name"),
        "login": _char("Login", required=True),
        "partner_id": _one("res.partner", "Related Partner", required=True),
        "share": Field("boolean", "Share User"),
        "active": Field("boolean", "Active", default=True),
    },
    "res.company": {
        "name": _char("Company Name", required=True),
        "partner_id": _one("res.partner", "Partner", required=True),
    },
    "res.country": {
        "name": _char("Country Name", required=True),
        "code": _char("Country Code", required=True),
    },
    "res.currency": {
        "name": _char("Currency", required=True),
        "rounding": _float("Rounding Factor", digits=(12, 6), default=0.01),
        "active": Field("boolean", "Active", default=True),
    },
    "product.pricelist": {
        "name": _char("Pricelist Name", required=True),
        "currency_id": _one("res.currency", "Currency", required=True),
    },
    "account.tax": {
        "name": _char("Tax Name", required=True),
        "amount": _float("Amount", required=True, digits=(16, 4)),
        "amount_type": Field(
            "selection", "Tax Computation", selection=_TAX_KINDS, required=True, default="percent"
        ),
        "type_tax_use": Field(
            "selection", "Tax Type", selection=_TAX_USES, required=True, default="sale"
        ),
        "price_include": Field("boolean", "Price Include", readonly=True),
        "price_include_override": Field("selection", "Included in Price", selection=_INCLUDED),
    },
    "product.product": {
        "name": _char("Name", required=True),
        "default_code": _char("Internal Reference"),
        "list_price": _float("Sales Price", default=1.0),
        "taxes_id": Field("many2many", "Sales Taxes", relation="account.tax"),
    },
    "crm.tag": {"name": _char("Tag Name", required=True)},
    "crm.lead": {
        "name": _char("Opportunity", required=True),
        "partner_id": _one("res.partner", "Customer"),
        "email_from": _char("Email"),
        "expected_revenue": _float("Expected Revenue"),
        "tag_ids": Field("many2many", "Tags", relation="crm.tag"),
    },
    "sale.order": {
        "name": _char("Order Reference"),
        "partner_id": _one("res.partner", "Customer", required=True),
        "client_order_ref": _char("Customer Reference"),
        "date_order": Field("datetime", "Order Date"),
        "note": Field("html", "Terms and conditions"),
        "state": Field("selection", "Status", selection=_STATES, readonly=True, default="draft"),
        "order_line": Field(
            "one2many", "Order Lines", relation="sale.order.line", inverse="order_id"
        ),
        "pricelist_id": _one("product.pricelist", "Pricelist"),
        "currency_id": _one("res.currency", "Currency", readonly=True),
        "amount_untaxed": _amount("Untaxed Amount"),
        "amount_tax": _amount("Taxes"),
        "amount_total": _amount("Total"),
    },
    "sale.order.line": {
        "order_id": _one("sale.order", "Order Reference", required=True),
        "product_id": _one("product.product", "Product"),
        "name": Field("text", "Description"),
        "product_uom_qty": _float("Quantity", required=True, digits=(16, 2), default=1.0),
        "price_unit": _float("Unit Price", required=True),
        "discount": _float("Discount (%)", digits=(16, 2)),
        "tax_ids": Field("many2many", "Taxes", relation="account.tax"),
        "currency_id": _one("res.currency", "Currency", readonly=True),
        "price_subtotal": _amount("Subtotal"),
        "price_tax": _float("Total Tax", readonly=True),
        "price_total": _amount("Total"),
    },
}
