"""What the gateway of a chaos run serves: two sources, an Odoo and a receiver."""

import os
from pathlib import Path
from typing import Any

from hostility import do
from odoorway import Event, Forward, Gateway, Skip, Upsert
from odoorway.model.source import SourceDefinition
from odoorway.sources import hmac

gateway = Gateway()


def definition(*version: str) -> SourceDefinition:
    return hmac.source(
        secret="env:CHAOS_SECRET",
        header="X-Signature",
        event_id="header:X-Event",
        topic="header:X-Topic",
        ordering_key="thing/{json:id}",
        version=version,
    )


shop = gateway.source("shop", definition("json:rev"))
plain = gateway.source("plain", definition())
receiver = gateway.http("receiver", url="env:CHAOS_RECEIVER")
TROUBLE = Path(os.environ["CHAOS_FOLDER"]) / "handlers-die"


@shop.on("*")
def order(payload: dict, event: Event) -> Any:
    """Write the order's newest content, or do what the topic says."""
    deed = event.topic.partition("/")[2]
    if deed == "skip":
        raise Skip("the test wants it so")
    if deed == "flaky" and TROUBLE.exists():
        os._exit(1)
    returned = do(deed)
    if returned is not None:
        return returned
    customer = Upsert("res.partner", ("customer", payload["id"][:2]), {"name": payload["id"][:2]})
    ref = f"{payload['id']}|{payload['rev']}|{payload['mark']}"
    return Upsert(
        "sale.order", ("order", payload["id"]), {"partner_id": customer, "client_order_ref": ref}
    )


@plain.on("*", destination=receiver)
def passed_on(payload: dict) -> Forward:
    """Send it on without its padding."""
    return Forward("/hook", {name: payload[name] for name in ("id", "rev", "mark")})
