"""Shopify orders as the platform would send them, and what Odoo must hold of them."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Order:
    """One order: everything a test needs to send it and to recognise it in Odoo."""

    number: int
    customer: int
    lines: tuple[tuple[str, int, Decimal], ...]  # (sku, quantity, price)
    revision: int = 0  # how often the shop has changed it

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def email(self) -> str:
        return f"customer{self.customer}@example.com"

    @property
    def total(self) -> Decimal:
        return sum((q * p for _, q, p in self.lines), Decimal())

    def body(self) -> bytes:
        first = {
            "id": 7000 + self.customer,
            "first_name": "Ada",
            "last_name": f"No {self.customer}",
        }
        return json.dumps(
            {
                "id": 100_000 + self.number,
                "name": self.name,
                "email": self.email,
                "currency": "USD",
                "total_price": str(self.total),
                "created_at": "2026-11-24T10:00:00+01:00",
                "updated_at": f"2026-11-24T10:00:{self.revision:02}+01:00",
                "customer": {**first, "email": self.email},
                "line_items": [
                    {
                        "id": self.number * 100 + index,
                        "sku": sku,
                        "title": sku,
                        "quantity": quantity,
                        "price": str(price),
                    }
                    for index, (sku, quantity, price) in enumerate(self.lines)
                ],
            }
        ).encode()


def make(count: int, *, first: int = 1, shared_by: int = 3) -> list[Order]:
    """Return *count* orders; every *shared_by* of them have one customer."""
    return [
        Order(
            number=n,
            customer=n // shared_by,
            lines=tuple(
                (f"SKU-{(n + k) % 20 + 1}", 1 + (n + k) % 4, Decimal(n % 90 + k) + Decimal("9.95"))
                for k in range(1 + n % 3)
            ),
        )
        for n in range(first, first + count)
    ]


def expected(orders: list[Order]) -> dict[str, Any]:
    """Return what Odoo must hold: by order name, its customer and its lines."""
    return {
        o.name: (o.email, sorted((sku, float(q), float(p)) for sku, q, p in o.lines))
        for o in orders
    }
