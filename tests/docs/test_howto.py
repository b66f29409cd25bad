"""The how-to pages tell the truth: their code runs, their commands exist."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from odoorway.cli.common import load_gateway
from odoorway.cli.trying import example_event
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.port import Job
from odoorway.model.delivery import Outcome
from odoorway.testing import SandboxOdoo
from odoorway.transform.run import Commands, transform

from .test_readme import ROOT, resolve

PAGES = sorted((ROOT / "docs/how-to").glob("*.md")) + sorted((ROOT / "docs/tutorial").glob("*.md"))
PAYLOADS = {
    "lead/created": {"id": 1, "title": "L", "who": {"id": 2, "name": "Ada"}, "tags": ["a", "b"]},
    "customer/updated": {"id": 2, "name": "Ada", "email": "ada@example.com"},
    "checkout/completed": {
        "id": 6,
        "customer_id": 0,
        "billing": {"name": "Ada", "email": "ada@example.com"},
    },
    "sample/requested": {
        "id": 8,
        "number": "#8",
        "email": "ada@example.com",
        "sku": "S-1",
        "title": "Sample",
    },
    "line/added": {"id": 7, "order": "#1", "sku": "SKU-1", "ean": "4006381333931"},
    "order/invoice": {"id": 3, "number": "#1"},
    "quote/changed": {"id": 9, "title": "Q", "total": 70},
    "refund/created": {"order": "#1", "reason": "r", "total": "1.00", "currency": "USD"},
    "order/placed": {
        "id": 11,
        "email": "ada@example.com",
        "currency": "USD",
        "total": "64.00",
        "taxes_included": True,
        "lines": [
            {
                "id": 12,
                "sku": "SKU-1",
                "quantity": 3,
                "price": 20,
                "discount": 6,
                "taxes": [{"percent": 15}],
            },
        ],
        "shipping": {"price": 10, "taxes": [{"percent": 15}]},
    },
    "address/changed": {"vat": "BE0477472701", "street": "Quai 1"},
    "order/edited": {
        "id": 3,
        "email": "ada@example.com",
        "lines": [{"id": 4, "sku": "SKU-1", "quantity": 2}],
    },
    "parcel/delivered": {"tracking": "T1", "at": "today"},
    "order/paid": {"number": "#1"},
    "product/translated": {"id": 5, "name": "Produit"},
    "stock/changed": {"sku": "SKU-1"},
}
SANDBOXED = ["customer/updated", "lead/created", "order/edited", "quote/changed", "order/placed"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_shown_exists(page: Path) -> None:
    """Each `odoorway ...` line of a page names a command and options that there are."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    for line in "".join(blocks).splitlines():
        if line.startswith("$ odoorway"):
            resolve(shlex.split(line[2:], comments=True)[1:])


async def test_the_handlers_of_the_page_on_writing_write(tmp_path: Path) -> None:
    """Each handler shown returns commands for an example; the sandbox takes what it knows."""
    text = (ROOT / "docs/how-to/write-into-odoo.md").read_text()
    hooks = tmp_path / "hooks.py"
    hooks.write_text("\n\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)))
    gateway = load_gateway(hooks)
    asking = gateway.routes["ticket"].handler
    namespace = asking.__globals__
    namespace["test_ticket"]()
    jobs: dict[str, Job] = {}
    for topic, payload in PAYLOADS.items():
        event = example_event("shop", topic, json.dumps(payload).encode())
        for route in gateway.routes_for("shop", topic):
            made = transform(route, event)
            assert isinstance(made, Commands), made
            jobs.setdefault(topic, Job(len(jobs), "shop", made.commands, event.id))
    assert set(gateway.destinations) == {"odoo-fr", "erp"}
    async with SandboxOdoo() as sandbox:
        ada = sandbox.create("res.partner", {"name": "Ada", "email": "ada@example.com"})
        sandbox.create("product.product", {"name": "P", "default_code": "SKU-1"})
        sandbox.create("product.product", {"name": "Shipping", "default_code": "SHIPPING"})
        sandbox.create("product.pricelist", {"name": "USD", "currency_id": 1})
        included = {"amount": 15.0, "price_include_override": "tax_included"}
        sandbox.create("account.tax", {"name": "15 %", **included})
        destination = OdooDestination(Json2(sandbox.url, sandbox.database, sandbox.api_key))
        for topic in SANDBOXED:
            job = jobs[topic]
            kept = [_without_unknown(command) for command in job.commands]
            (verdict,) = await destination.deliver([Job(1, "shop", tuple(kept))])
            assert (verdict.outcome, verdict.breach) == (Outcome.DELIVERED, ""), verdict.detail
        await destination.close()
        assert [one["id"] for one in sandbox.records("res.partner")] == [ada]


def test_the_hooks_of_the_page_on_telling_events_apart_load(tmp_path: Path) -> None:
    """The source shown can be declared, and its handler takes what the page is about."""
    text = (ROOT / "docs/how-to/tell-events-apart.md").read_text()
    hooks = tmp_path / "hooks.py"
    hooks.write_text("\n\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)))
    gateway = load_gateway(hooks)
    payload = {"items": [{"sku": "SKU-1", "name": "Cup"}]}
    event = example_event("warehouse", "stock/changed", json.dumps(payload).encode())
    (route,) = gateway.routes_for("warehouse", "stock/changed")
    assert isinstance(transform(route, event), Commands)


def _without_unknown(command):
    """Leave out what the sandbox's small models do not have."""
    values = {k: v for k, v in command.values.items() if k != "description"}
    return replace(command, values=values)
