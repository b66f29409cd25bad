"""What an Odoo holds, read the same way from the sandbox and from a real one."""

from typing import Any

from odoorway.deliver.odoo.anyversion import AnyVersion


async def held(url: str, database: str, key: str, login: str = "") -> dict[str, Any]:
    """Return the orders by name: the customer's mail and the sorted lines.

    Fails when two orders have one name, or two customers one mail.
    """
    client = AnyVersion(url, database, login, key, timeout=60, max_connections=2)
    try:
        orders = await _rows(client, "sale.order", ["client_order_ref", "partner_id"])
        lines = await _rows(
            client,
            "sale.order.line",
            ["order_id", "product_id", "product_uom_qty", "price_unit"],
        )
        partners = await _rows(client, "res.partner", ["email"])
        products = await _rows(client, "product.product", ["default_code"])
    finally:
        await client.close()
    orders = [o for o in orders if str(o["client_order_ref"]).startswith("#")]
    names = [o["client_order_ref"] for o in orders]
    assert len(names) == len(set(names)), "an order is there twice"
    mails = [p["email"] for p in partners if str(p["email"]).startswith("customer")]
    assert len(mails) == len(set(mails)), "a customer is there twice"
    return _by_name(orders, lines, partners, products)


def _by_name(
    orders: list[Any], lines: list[Any], partners: list[Any], products: list[Any]
) -> dict[str, Any]:
    mail = {p["id"]: p["email"] for p in partners}
    sku = {p["id"]: p["default_code"] for p in products}
    found: dict[int, list[tuple[str, float, float]]] = {o["id"]: [] for o in orders}
    for line in lines:
        if line["order_id"][0] in found:
            found[line["order_id"][0]].append(
                (sku[line["product_id"][0]], line["product_uom_qty"], line["price_unit"])
            )
    return {
        o["client_order_ref"]: (mail[o["partner_id"][0]], sorted(found[o["id"]])) for o in orders
    }


async def _rows(client: AnyVersion, model: str, fields: list[str]) -> list[Any]:
    answer = await client.call(model, "search_read", domain=[], fields=fields)
    assert answer.status == 200, answer.body
    rows: list[Any] = answer.returned()
    return rows
