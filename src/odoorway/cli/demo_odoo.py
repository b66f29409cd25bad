"""What the demo asks Odoo itself: whether it may write there, and what arrived."""

from collections.abc import Collection
from typing import Any

from odoorway import wiring
from odoorway.clock import SystemClock
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused
from odoorway.diagnose.catalog import diagnosis
from odoorway.errors import DestinationError
from odoorway.settings import Settings

_GROUPS = {  # Odoo 19's; as its access rules name them
    "sale.order": "Sales / User: Own Documents Only",
    "product.product": "Products / Create",
}


async def refuse_unable(settings: Settings) -> None:
    """Find out before anything is sent whether the user may write what the demo writes.

    Raises:
        DestinationError: it may not, or Odoo cannot be asked; the message says what to do.
    """
    client = wiring.odoo_client(settings)
    try:
        odoo = Odoo(client, SystemClock())
        for model, group in _GROUPS.items():
            if not await odoo.ask(model, "has_access", operation="create"):
                raise DestinationError(
                    f"the key's user may not create {model}, which the demo does: give it the"
                    f" group {group!r} in Odoo, or use a key of a user who has it"
                )
    except Refused as refused:
        known = diagnosis(refused.verdict.code or "odoo.unexpected-answer")
        raise DestinationError(
            f"{known.title}: {refused.verdict.detail}\n{' '.join(known.fix)}"
        ) from None
    finally:
        await client.close()


async def orders(settings: Settings, references: Collection[str]) -> list[dict[str, Any]]:
    """Return the demo's orders as Odoo holds them."""
    client = wiring.odoo_client(settings)
    try:
        answer = await client.call(
            "sale.order",
            "search_read",
            domain=[["client_order_ref", "in", sorted(references)]],
            fields=["name", "client_order_ref", "partner_id", "order_line", "amount_untaxed",
                    "state"],
        )  # fmt: skip
        found: list[dict[str, Any]] = answer.returned()
        return sorted(found, key=lambda order: str(order["client_order_ref"]))
    finally:
        await client.close()
