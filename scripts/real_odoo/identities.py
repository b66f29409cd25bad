"""Runs inside `odoo shell`: the users, keys and products every cloned database begins with."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

DAYS = 89  # Odoo grants users who are not administrators at most three months
GATEWAY_GROUPS = ("sales_team.group_sale_salesman_all_leads", "base.group_partner_manager")


def main(env: Any, out: str) -> None:
    """Create what is missing, make new keys, commit, and write the keys to `out`."""
    _create_products(env)
    users = {"admin": env.ref("base.user_admin"), "gateway": _gateway(env)}
    keys = {name: _key(env, user) for name, user in users.items()}
    env.cr.commit()
    Path(out).write_text(json.dumps(keys))


def _gateway(env: Any) -> Any:
    found = env["res.users"].search([("login", "=", "gateway")])
    groups = [env.ref(name).id for name in GATEWAY_GROUPS]
    return found or env["res.users"].with_context(no_reset_password=True).create(
        {"name": "Odoorway gateway", "login": "gateway", "group_ids": [(6, 0, groups)]}
    )


def _key(env: Any, user: Any) -> str:
    env["res.users.apikeys"].sudo().search([("user_id", "=", user.id)]).unlink()
    expiry = datetime.now() + timedelta(days=DAYS)  # noqa: DTZ005 (Odoo's datetimes are naive)
    key: str = env["res.users.apikeys"].with_user(user)._generate("rpc", "odoorway", expiry)  # noqa: SLF001
    return key


def _create_products(env: Any) -> None:
    if env["product.product"].search_count([("default_code", "=", "SKU-1")]):
        return
    env["product.product"].create(
        [
            {
                "name": f"Product {number}",
                "default_code": f"SKU-{number}",
                "type": "consu",
                "list_price": 10.0 * number,
            }
            for number in range(1, 21)
        ]
    )
