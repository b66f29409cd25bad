"""Runs inside Odoo 14's shell: the gateway's user, its key, and products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GROUPS = ("sales_team.group_sale_salesman_all_leads", "base.group_partner_manager")


def main(env: Any, login: str, out: str) -> None:
    """Create the user *login* and twenty products, commit, and write the user's key to *out*."""
    groups = [env.ref(name).id for name in GROUPS]
    user = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create({"name": "Odoorway gateway", "login": login, "groups_id": [(6, 0, groups)]})
    )
    numbers = range(1, 21)
    env["product.product"].create(
        [{"name": f"Product {n}", "default_code": f"SKU-{n}", "type": "consu"} for n in numbers]
    )
    key = env["res.users.apikeys"].with_user(user)._generate("rpc", "odoorway")  # noqa: SLF001
    env.cr.commit()
    Path(out).write_text(key)
