"""Shopify orders become Odoo sales orders."""

from odoorway import Gateway, Upsert, find
from odoorway.sources import shopify

gateway = Gateway()
shop = gateway.source("shop", shopify.source(secret="env:SHOPIFY_SECRET"))


@shop.on("orders/create", "orders/updated")
def sale_order(order: shopify.Order) -> Upsert:
    """Write the order, its customer and its lines; a person is told if it costs something else.

    Discounts, shipping, taxes and other currencies are not written yet: see "The shop's total".
    """
    customer = Upsert("res.partner", ("customer", order.customer.id), {
        "name": order.customer.full_name,
        "email": order.customer.email,
    })
    return Upsert("sale.order", ("order", order.id), {
        "partner_id": customer,
        "client_order_ref": order.name,
        "order_line": [
            Upsert("sale.order.line", ("line", line.id), {
                "product_id": find("product.product", default_code=line.sku),
                "product_uom_qty": line.quantity,
                "price_unit": line.price,
            })
            for line in order.line_items
        ],
    }, expect={"amount_total": order.total_price, "currency_id.name": order.currency})
