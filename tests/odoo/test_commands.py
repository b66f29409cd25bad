"""The commands that speak to Odoo, against a real Odoo 19 in a database of their own."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.test_cli import HOOKS, Shell
from odoorway.deliver.odoo.about import About, Asker
from odoorway.deliver.odoo.json2 import Json2
from odoorway.testing import ManualClock
from real_odoo import RealOdoo

LEAST = "the least groups that are enough: Sales / User: Own Documents Only, Role / User"
pytestmark = pytest.mark.odoo


@pytest.fixture(scope="module")
def odoo(real_odoo: RealOdoo) -> Iterator[RealOdoo]:
    """A fresh Odoo, as a newcomer has it."""
    with RealOdoo.start(f"odoorway_test_commands_{os.getpid()}") as own:
        yield own


def shell(folder: Path, odoo: RealOdoo, key: str) -> Shell:
    return Shell(
        folder,
        ODOORWAY_ODOO_URL=odoo.url,
        ODOORWAY_ODOO_DATABASE=odoo.database,
        ODOORWAY_ODOO_API_KEY=key,
    )


def test_check_is_fine_for_a_sales_user(odoo: RealOdoo, tmp_path: Path) -> None:
    """The example of the README needs no more than Odoo's smallest Sales group."""
    told = json.loads(shell(tmp_path, odoo, odoo.gateway_key).run("check", str(HOOKS), "--json"))
    assert {one["level"] for one in told} <= {"ok", "warn"}
    written = [one["what"] for one in told if "may be written" in one["what"]]
    assert {what.split()[0] for what in written} == {
        "res.partner", "sale.order", "sale.order.line",
    }  # fmt: skip


def test_check_names_a_field_that_this_odoo_lacks(odoo: RealOdoo, tmp_path: Path) -> None:
    """And the key that it refuses."""
    wrong = HOOKS.read_text().replace("client_order_ref", "client_order_reference")
    (tmp_path / "hooks.py").write_text(wrong)
    told = shell(tmp_path, odoo, odoo.gateway_key).run("check", "hooks.py", "--json", code=1)
    assert [f["code"] for f in json.loads(told) if f["level"] == "fail"] == ["odoo.unknown-field"]
    told = shell(tmp_path, odoo, "wrong").run("check", str(HOOKS), "--json", code=1)
    assert [f["code"] for f in json.loads(told) if f["level"] == "fail"] == ["odoo.bad-key"]


def test_check_names_what_odoo_would_refuse_and_where(odoo: RealOdoo, tmp_path: Path) -> None:
    """A wrong selection, a text that is no time, and a field that is only read."""
    wrong = HOOKS.read_text().replace(
        '"client_order_ref": order.name',
        '"client_order_ref": order.name, "state": "paid", "date_order": "x", "amount_total": 3',
    )
    (tmp_path / "hooks.py").write_text(wrong)
    told = shell(tmp_path, odoo, odoo.gateway_key).run("check", "hooks.py", "--json", code=1)
    found = [(f["level"], f["what"].split()[0], f["where"]) for f in json.loads(told) if f["where"]]
    place = f"hooks.py:{wrong[: wrong.index('@shop.on')].count(chr(10)) + 1}"
    assert found == [
        ("warn", "sale.order.amount_total", place),
        ("fail", "sale.order.date_order", place),
        ("fail", "sale.order.state", place),
    ]


def test_check_warns_of_an_administrator_and_names_the_groups(
    odoo: RealOdoo, tmp_path: Path
) -> None:
    """The smaller groups that would do."""
    told = json.loads(shell(tmp_path, odoo, odoo.admin_key).run("check", str(HOOKS), "--json"))
    warned = [f["what"] for f in told if f["level"] == "warn"]
    assert [text for text in warned if "belongs to an administrator" in text]
    (least,) = [f["what"] for f in told if f["what"].startswith("the least groups")]
    assert least == LEAST


def test_a_schema_is_pulled_once_and_checked_without_odoo(odoo: RealOdoo, tmp_path: Path) -> None:
    """CI needs no Odoo; what another version lacks is told beforehand."""
    (tmp_path / "hooks.py").write_text(HOOKS.read_text())
    said = shell(tmp_path, odoo, odoo.gateway_key).run("schema", "pull", "hooks.py")
    assert "odoo-schema-19.0.json" in said
    alone = Shell(tmp_path)
    told = json.loads(alone.run("check", "hooks.py", "--against", "19", "--json"))
    assert {one["level"] for one in told} <= {"ok", "warn"}
    kept = json.loads((tmp_path / "odoo-schema-19.0.json").read_text())
    del kept["models"]["sale.order"]["fields"]["client_order_ref"]
    kept["version"] = "20.0"
    (tmp_path / "odoo-schema-20.0.json").write_text(json.dumps(kept))
    both = ("check", "hooks.py", "--against", "19", "--and", "20", "--json")
    told = json.loads(alone.run(*both, code=1))
    failed = [(f["what"], f["code"]) for f in told if f["level"] == "fail"]
    assert failed == [
        ("Odoo 20.0: sale.order has no field 'client_order_ref'", "odoo.unknown-field")
    ]
    assert "schema pull" in alone.run("check", "hooks.py", "--against", "18", code=3)


def test_the_demo_says_beforehand_what_its_user_lacks(odoo: RealOdoo, tmp_path: Path) -> None:
    """A Sales user makes no products; nothing is sent, and one sentence says what to give it."""
    words = ["demo", "--odoo", odoo.url, "--database", odoo.database]
    told = " ".join(shell(tmp_path, odoo, odoo.gateway_key).run(*words, code=1).split())
    assert "may not create product.product" in told
    assert "Products / Create" in told
    assert odoo.json2("sale.order", "search_count", domain=[]) == 0


def test_the_demo_ends_in_success(odoo: RealOdoo, tmp_path: Path) -> None:
    """With a user who may, twice: the orders of two runs do not meet."""
    words = ["demo", "--odoo", odoo.url, "--database", odoo.database, "--json"]
    before = odoo.json2("sale.order", "search_count", domain=[])
    told = json.loads(shell(tmp_path, odoo, odoo.admin_key).run(*words))
    assert [w["became"] for w in told["webhooks"]] == [
        "delivered", "delivered", "duplicate", "delivered", "refused", "dead",
    ]  # fmt: skip
    assert [o["state"] for o in told["orders"]] == ["sale", "draft"]
    assert odoo.json2("sale.order", "search_count", domain=[]) == before + 2


async def test_what_odoo_tells_of_itself(odoo: RealOdoo) -> None:
    """Its version, the key's user, and when the key ends; a wrong key tells nothing."""
    clock = ManualClock(1_000.0)

    def asker(key: str) -> Asker:
        return Asker(lambda: Json2(odoo.url, odoo.database, key, timeout=30), clock)

    told = await asker(odoo.gateway_key).about()
    assert (told.version, told.user) == ("19.0", "gateway")
    assert (await asker("wrong").about()) == About()
