"""The demo's gateway: Shopify orders and Stripe payments."""

from odoorway.commands import Call, Upsert, find
from odoorway.errors import Skip
from odoorway.gateway import Gateway
from odoorway.sources import shopify, stripe

SHOPIFY_SECRET = "demo-shopify-secret"  # noqa: S105 - it guards nothing
STRIPE_SECRET = "whsec_demo"  # noqa: S105


def sale_order(order: shopify.Order) -> Upsert:
    """Write the order, its customer and its lines; a product that is missing is made."""
    customer = Upsert(
        "res.partner",
        ("customer", order.customer.id),
        {"name": order.customer.full_name, "email": order.customer.email},
    )
    lines = [_line(line) for line in order.line_items]
    return Upsert(
        "sale.order",
        ("order", order.id),
        {"partner_id": customer, "client_order_ref": order.name, "order_line": lines},
    )


def _line(line: shopify.LineItem) -> Upsert:
    product = Upsert(
        "product.product", ("sku", line.sku or ""), {"name": line.title, "default_code": line.sku}
    )
    return Upsert(
        "sale.order.line",
        ("line", line.id),
        {
            "product_id": find("product.product", default_code=line.sku, missing=product),
            "product_uom_qty": line.quantity,
            "price_unit": line.price,
        },
    )


def confirm(event: stripe.Event[stripe.PaymentIntent]) -> Call:
    """Confirm the order that was paid; wait for it when the payment comes first."""
    reference = event.data.object.metadata.get("order")
    if not reference:
        raise Skip("a payment of no order")
    return Call(
        "sale.order",
        "action_confirm",
        on=find("sale.order", client_order_ref=reference, missing="retry"),
        unless={"state": ["sale"]},
    )


def gateway() -> Gateway:
    """Return the demo's gateway."""
    made = Gateway()
    shop = made.source("demo-shop", shopify.source(secret=SHOPIFY_SECRET))
    shop.on("orders/create")(sale_order)
    payments = made.source("demo-stripe", stripe.source(secret=STRIPE_SECRET))
    payments.on("payment_intent.succeeded")(confirm)
    return made
