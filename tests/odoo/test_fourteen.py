"""The main job, and the commands that ask Odoo, on a real Odoo 14."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.gateway_process import GatewayProcess, eventually, send
from acceptance.orders import expected, make
from acceptance.records import held
from acceptance.test_cli import HOOKS, Shell
from real_odoo.fourteen import Odoo14, serving

pytestmark = pytest.mark.odoo14


@pytest.fixture(scope="module")
def odoo(real_odoo_14: Odoo14) -> Iterator[Odoo14]:
    """A fresh Odoo 14 that no other test has written to."""
    with serving(f"odoorway_test_main_14_{os.getpid()}") as own:
        yield own


async def test_orders_arrive_once(odoo: Odoo14, tmp_path: Path) -> None:
    """Sent twice and concurrently; nothing but the login is set for the older version."""
    orders = make(60)
    process = GatewayProcess(
        tmp_path, odoo.url, odoo.database, odoo.gateway_key, odoo_login=odoo.login, batch=20
    )
    process.start()
    try:
        await process.ready()
        assert await send(process.url, orders + orders[::3]) == {o.number for o in orders}

        async def there() -> bool:
            return len(await records(odoo)) >= len(orders)

        await eventually(there)
    finally:
        assert await asyncio.to_thread(process.stop) == 0
    assert await records(odoo) == expected(orders)


async def records(odoo: Odoo14) -> dict[str, object]:
    return await held(odoo.url, odoo.database, odoo.gateway_key, odoo.login)


def test_check_tells_what_this_odoo_needs(odoo: Odoo14, tmp_path: Path) -> None:
    """A login; with one, the example's handlers are fine for a user of Sales."""
    shell = Shell(
        tmp_path,
        ODOORWAY_ODOO_URL=odoo.url,
        ODOORWAY_ODOO_DATABASE=odoo.database,
        ODOORWAY_ODOO_API_KEY=odoo.gateway_key,
    )
    told = json.loads(shell.run("check", str(HOOKS), "--json", code=1))
    assert [f["code"] for f in told if f["level"] == "fail"] == ["odoo.login-needed"]
    shell.env["ODOORWAY_ODOO_LOGIN"] = odoo.login
    told = json.loads(shell.run("check", str(HOOKS), "--json"))
    assert "sale.order may be written" in " ".join(f["what"] for f in told)
