"""Shopify: orders, customers and products of a shop.

Source: shopify.dev, "Verify webhook deliveries". The HMAC's key is the app's client secret or,
for webhooks made in the shop's admin, the secret shown there.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import Field

from odoorway.model.source import SourceDefinition
from odoorway.sources import hmac
from odoorway.sources.payload import Payload


def source(*, secret: str | Sequence[str]) -> SourceDefinition:
    """Describe a shop. ``X-Shopify-Webhook-Id`` stays the same when Shopify sends again."""
    return hmac.source(
        platform="shopify",
        secret=secret,
        header="X-Shopify-Hmac-Sha256",
        encoding="base64",
        event_id="header:X-Shopify-Webhook-Id",
        topic="header:X-Shopify-Topic",
        ordering_key="{topic:head}/{json:id}",
        version=("json:updated_at", "header:X-Shopify-Triggered-At"),
    )


class Customer(Payload):
    """Who bought."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None

    @property
    def full_name(self) -> str:
        """The name, never empty: else the mail address, else the id."""
        name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return name.strip() or self.email or f"Shopify customer {self.id}"


class LineItem(Payload):
    """One line of an order. ``price`` is for one piece."""

    id: int
    sku: str | None = None
    title: str = ""
    quantity: int
    price: Decimal


class Order(Payload):
    """``orders/*``. Times are aware; amounts are exact, in ``currency``.

    An order without a customer (point of sale) is invalid here; where a shop has them, annotate
    a subclass with ``customer: Customer | None``.
    """

    id: int
    name: str
    email: str | None = None
    currency: str = ""
    total_price: Decimal | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    financial_status: str | None = None
    customer: Customer
    line_items: list[LineItem]


class Variant(Payload):
    """One variant of a product."""

    id: int
    sku: str | None = None
    title: str = ""
    price: Decimal | None = None


class Product(Payload):
    """``products/*``."""

    id: int
    title: str
    status: str | None = None
    variants: list[Variant] = Field(default_factory=list)
    updated_at: datetime | None = None
