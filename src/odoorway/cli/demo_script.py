"""What the demo sends, and what should become of it."""

import json
from dataclasses import dataclass, replace

from odoorway.outside import read_json


@dataclass(frozen=True, slots=True)
class Sending:
    """One webhook to send, and what should become of it."""

    what: str
    source: str
    topic: str
    event_id: str
    body: bytes
    wanted: str  # "delivered", "dead", or a status
    forged: bool = False
    while_down: bool = False


def script(run: str, *, outage: bool) -> list[Sending]:
    """Return what is sent; *run* keeps the orders of several runs on a real Odoo apart."""
    first, second, third = (_order(run, n, customer) for n, customer in ((1, 1), (2, 1), (3, 2)))
    paid = _payment(run, "1")
    found = [
        replace(first, what="an order"),
        replace(second, what="another of the same customer"),
        replace(first, what="the first once more"),
        Sending("its payment, by Stripe", *paid, "delivered"),
        replace(third, what="a forged order", event_id="f", wanted="401", forged=True),
        replace(
            third, what="an order without lines", event_id="i", body=b'{"id": 9}', wanted="dead"
        ),
    ]
    if outage:
        found.append(replace(third, what="an order while Odoo is down", while_down=True))
    return found


def references(sent: list[Sending]) -> set[str]:
    """Return the references of the orders that are sent."""
    names = (read_json(one.body).get("name") for one in sent if one.source == "demo-shop")
    return {name for name in names if name}


def _order(run: str, number: int, customer: int) -> Sending:
    names = {1: ("Ada", "Lovelace"), 2: ("Grace", "Hopper")}
    given, family = names[customer]
    body = {
        "id": int(f"{run or 1}{number}"),
        "name": f"#{run}{1000 + number}",
        "customer": {
            "id": int(f"{run or 1}{customer}"),
            "first_name": given,
            "last_name": family,
            "email": f"{given.lower()}@example.com",
        },
        "line_items": [
            {"id": int(f"{run or 1}{number}{n}"), "sku": f"DEMO-{n}", "title": title,
             "quantity": n, "price": price}
            for n, (title, price) in enumerate([("Tea pot", "24.50"), ("Cup", "6.25")], 1)
        ][: 1 + number % 2],
    }  # fmt: skip
    event = f"order-{run}{number}"
    return Sending("", "demo-shop", "orders/create", event, json.dumps(body).encode(), "delivered")


def _payment(run: str, number: str) -> tuple[str, str, str, bytes]:
    intent = {
        "id": f"pi_{run}{number}",
        "amount": 3700,
        "currency": "usd",
        "status": "succeeded",
        "metadata": {"order": f"#{run}{1000 + int(number)}"},
    }
    topic = "payment_intent.succeeded"
    event = {
        "id": f"evt_{run}{number}", "type": topic, "created": 1, "data": {"object": intent},
    }  # fmt: skip
    return "demo-stripe", topic, str(event["id"]), json.dumps(event).encode()
