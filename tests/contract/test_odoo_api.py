"""The same questions to the sandbox and to a real Odoo 19: both must give the same answer.

The expected answers were recorded from a real Odoo 19.0 and are asserted on both.
"""

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from odoorway.testing import SandboxOdoo

numbers = itertools.count(1)
ERROR_KEYS = {"name", "message"}


class Backend:
    """One Odoo to ask."""

    def __init__(self, url: str, database: str, key: str) -> None:
        self.url, self.database, self.key = url, database, key
        self.session = aiohttp.ClientSession()

    async def ask(
        self,
        model: str,
        method: str,
        *,
        key: str | None = "",
        database: str = "",
        raw: bytes | None = None,
        **body: Any,
    ) -> tuple[int, Any]:
        """Return status and body; of an error only its name and message."""
        headers = {"X-Odoo-Database": database or self.database, "Content-Type": "application/json"}
        if key is not None:
            headers["Authorization"] = f"bearer {key or self.key}"
        data = json.dumps(body).encode() if raw is None else raw
        url = f"{self.url}/json/2/{model}/{method}"
        async with self.session.post(url, data=data, headers=headers) as answer:
            text = await answer.text()
            if answer.content_type != "application/json":
                return answer.status, " ".join(text.split())
            told = json.loads(text)
        if answer.status >= 400:
            return answer.status, (told["name"], told["message"])
        return answer.status, told

    async def load(self, model: str, fields: list[str], *rows: list[str]) -> Any:
        context = {"tz": "UTC"}
        status, told = await self.ask(model, "load", fields=fields, data=rows, context=context)
        assert status == 200
        return told

    async def refused(self, model: str, fields: list[str], *rows: list[str]) -> list[Any]:
        """Return the errors of a load that wrote nothing: row, field, text."""
        told = await self.load(model, fields, *rows)
        assert told["ids"] is False
        assert told["nextrow"] == 0
        return [
            (m["rows"], m["record"], m["type"], m.get("field"), m["message"].partition("\n")[0])
            for m in told["messages"]
        ]

    async def read(self, model: str, number: int, *fields: str) -> Any:
        status, (row,) = await self.ask(model, "read", ids=[number], fields=list(fields))
        assert status == 200
        return tuple(row[name] for name in fields)


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.odoo)])
async def odoo(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """Each Odoo in turn; the real one as a user of the Sales group."""
    if request.param == "real":
        real = request.getfixturevalue("real_odoo")
        backend = Backend(real.url, real.database, real.gateway_key)
        yield backend
        await backend.session.close()
        return
    async with SandboxOdoo() as sandbox:
        for n in (1, 2):
            values = {"name": f"Product {n}", "default_code": f"SKU-{n}", "list_price": 10.0 * n}
            sandbox.create("product.product", values)
        backend = Backend(sandbox.url, sandbox.database, sandbox.api_key)
        yield backend
        await backend.session.close()
        assert not sandbox.unsupported


def xid(kind: str = "x") -> str:
    return f"__odoorway__.contract_{kind}_{next(numbers)}"


ROW_0 = {"from": 0, "to": 0}
ORDER = [
    "id",
    "partner_id/id",
    "client_order_ref",
    "order_line/id",
    "order_line/product_id/.id",
    "order_line/product_uom_qty",
    "order_line/price_unit",
]


async def product(odoo: Backend, sku: str = "SKU-1") -> str:
    _, (row,) = await odoo.ask(
        "product.product", "search_read", domain=[["default_code", "=", sku]], fields=["id"]
    )
    return str(row["id"])


async def partner(odoo: Backend) -> str:
    external = xid("customer")
    await odoo.load("res.partner", ["id", "name"], [external, "Ada"])
    return external


async def test_load_creates_once_and_updates_ever_after(odoo: Backend) -> None:
    """By external ID; the answer is the database id."""
    external = xid()
    first = await odoo.load("res.partner", ["id", "name", "email"], [external, "Ada", "a@x.com"])
    assert (first["messages"], first["nextrow"]) == ([], 0)
    again = await odoo.load("res.partner", ["id", "name"], [external, "Grace"])
    assert again["ids"] == first["ids"]
    found = await odoo.read("res.partner", first["ids"][0], "name", "email")
    assert found == ("Grace", "a@x.com")


async def test_load_twice_in_one_call_is_one_record(odoo: Backend) -> None:
    """The later row wins."""
    external = xid()
    told = await odoo.load("res.partner", ["id", "name"], [external, "one"], [external, "two"])
    assert told["ids"][0] == told["ids"][1]
    assert await odoo.read("res.partner", told["ids"][0], "name") == ("two",)


async def test_an_empty_cell_clears_and_a_missing_column_leaves(odoo: Backend) -> None:
    """So None clears a field, and a missing key does not."""
    external = xid()
    row = [external, "Ada", "a@x.com", "123"]
    told = await odoo.load("res.partner", ["id", "name", "email", "phone"], row)
    await odoo.load("res.partner", ["id", "email"], [external, ""])
    found = await odoo.read("res.partner", told["ids"][0], "name", "email", "phone")
    assert found == ("Ada", False, "123")


async def test_an_empty_cell_clears_a_many2many(odoo: Backend) -> None:
    """By any form of its column; a write takes the command that sets them all."""
    _, tag = await odoo.ask("crm.tag", "create", vals_list=[{"name": xid("tag")}])
    external = xid("lead")
    for column in ("tag_ids/.id", "tag_ids/id", "tag_ids"):
        fields = ["id", "name", "tag_ids/.id"]
        told = await odoo.load("crm.lead", fields, [external, "L", str(tag[0])])
        assert await odoo.read("crm.lead", told["ids"][0], "tag_ids") == (tag,)
        await odoo.load("crm.lead", ["id", column], [external, ""])
        assert await odoo.read("crm.lead", told["ids"][0], "tag_ids") == ([],)
    both: list[list[int]] = [tag, []]
    for members in both:
        vals = {"tag_ids": [[6, 0, members]]}
        await odoo.ask("crm.lead", "write", ids=told["ids"], vals=vals)
        assert await odoo.read("crm.lead", told["ids"][0], "tag_ids") == (members,)


async def test_an_order_with_its_lines_and_again(odoo: Backend) -> None:
    """Lines have external IDs too: a repeat adds none."""
    order, one, two, buyer = xid(), xid("line"), xid("line"), await partner(odoo)
    sku = await product(odoo)
    rows = [order, buyer, "#1", one, sku, "2", "9.95"], ["", "", "", two, sku, "1", "5"]
    told = await odoo.load("sale.order", ORDER, *rows)
    again = await odoo.load("sale.order", ORDER, *rows)
    assert again == told
    assert len(told["ids"]) == 1
    untaxed, state, lines = await odoo.read(
        "sale.order", told["ids"][0], "amount_untaxed", "state", "order_line"
    )
    assert (untaxed, state, len(lines)) == (24.9, "draft", 2)
    found = await odoo.read("sale.order.line", lines[0], "product_uom_qty", "price_unit")
    assert found == (2.0, 9.95)


async def test_lines_alone_are_added_to_their_order(odoo: Backend) -> None:
    """The order's own columns may be left out."""
    order, sku = xid(), await product(odoo)
    row = [order, await partner(odoo), "#1", xid("line"), sku, "1", "1"]
    told = await odoo.load("sale.order", ORDER, row)
    fields = ["id", "order_line/id", "order_line/product_id/.id"]
    again = await odoo.load("sale.order", fields, [order, xid("line"), sku])
    assert again["ids"] == told["ids"]
    (lines,) = await odoo.read("sale.order", told["ids"][0], "order_line")
    assert len(lines) == 2


async def test_confirming_twice_is_an_error(odoo: Backend) -> None:
    """Which is why a Call has a guard."""
    row = [xid(), await partner(odoo), "#1", xid("line"), await product(odoo), "1", "1"]
    told = await odoo.load("sale.order", ORDER, row)
    assert await odoo.ask("sale.order", "action_confirm", ids=told["ids"]) == (200, True)
    assert await odoo.read("sale.order", told["ids"][0], "state") == ("sale",)
    assert await odoo.ask("sale.order", "action_confirm", ids=told["ids"]) == (
        422,
        (
            "odoo.exceptions.UserError",
            "Some orders are not in a state requiring confirmation.",
        ),
    )


async def test_what_load_says_of_a_bad_value(odoo: Backend) -> None:
    """With HTTP 200, and nothing written."""
    buyer, sku = await partner(odoo), await product(odoo)
    assert await odoo.refused(
        "res.partner", ["id", "name", "is_company"], [xid(), "x", "maybe"]
    ) == [
        (ROW_0, 0, "error", "is_company", "Unknown value 'maybe' for boolean field 'Is a Company'")
    ]
    assert await odoo.refused("res.partner", ["id", "name", "type"], [xid(), "x", "bogus"]) == [
        (ROW_0, 0, "error", "type", "Value 'bogus' not found in selection field 'Address Type'")
    ]
    order = [xid(), buyer, "#1", xid("line"), sku, "abc", "1"]
    assert await odoo.refused("sale.order", ORDER, order) == [
        (
            ROW_0,
            0,
            "error",
            "order_line",
            "'abc' does not seem to be a number for field 'Order Lines/Quantity'",
        )
    ]
    dated = ["id", "partner_id/id", "date_order"]
    assert await odoo.refused("sale.order", dated, [xid(), buyer, "31/12/2025"]) == [
        (
            ROW_0,
            0,
            "error",
            "date_order",
            "'31/12/2025' does not seem to be a valid datetime for field 'Order Date'",
        )
    ]


async def test_what_load_says_of_a_missing_value(odoo: Backend) -> None:
    """A contact's name is a constraint of its own, an order's customer a required field."""
    assert await odoo.refused("res.partner", ["id", "name"], [xid(), ""]) == [
        (ROW_0, 0, "error", None, "Contacts require a name")
    ]
    missing = "Missing required value for the field 'Customer' (partner_id)."
    nothing = "No matching record found for external id '__odoorway__.no' in field 'Customer'"
    assert await odoo.refused(
        "sale.order", ["id", "partner_id/id"], [xid(), "__odoorway__.no"]
    ) == [
        (ROW_0, 0, "error", "partner_id", nothing),
        (ROW_0, 0, "error", "partner_id", missing),
    ]
    nothing = "No matching record found for database id '999999' in field 'Customer'"
    assert await odoo.refused("sale.order", ["id", "partner_id/.id"], [xid(), "999999"]) == [
        (ROW_0, 0, "error", "partner_id", nothing),
        (ROW_0, 0, "error", "partner_id", missing),
    ]


async def test_bad_rows_are_named_and_good_ones_not_written(odoo: Backend) -> None:
    """All or none in one call."""
    good = xid()
    rows = [[good, "good"], [xid(), ""], [xid(), "good"], [xid(), ""]]
    errors = await odoo.refused("res.partner", ["id", "name"], *rows)
    assert [row for row, *_ in errors] == [{"from": 1, "to": 1}, {"from": 3, "to": 3}]
    told = await odoo.load("res.partner", ["id", "name"], [good, "now"])
    assert told["ids"]


@pytest.mark.parametrize(
    ("model", "method", "body", "status", "name", "message"),
    [
        ("res.partner", "load", {"fields": ["id", "nope"], "data": [["a.b", "x"]]}, 500,
         "builtins.ValueError", "Invalid field name 'nope'"),
        ("no.such", "load", {"fields": [], "data": []}, 404,
         "werkzeug.exceptions.NotFound", "the model 'no.such' does not exist"),
        ("res.partner", "_write", {}, 403, "odoo.exceptions.AccessError",
         "Private methods (such as 'res.partner._write') cannot be called remotely."),
        ("res.partner", "load", {"fields": []}, 422,
         "werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'data'"),
        ("res.partner", "search_read", {"domain": [], "fields": ["nope"]}, 500,
         "builtins.ValueError", "Invalid field 'nope' on 'res.partner'"),
        ("res.partner", "search_read", {"domain": [["nope", "=", 1]], "fields": ["id"]}, 500,
         "builtins.ValueError", "Invalid field res.partner.nope in condition ('nope', '=', 1)"),
    ],
)  # fmt: skip
async def test_what_json2_says_of_a_wrong_call(
    odoo: Backend, model: str, method: str, body: Any, status: int, name: str, message: str
) -> None:
    """Status, exception and text."""
    assert await odoo.ask(model, method, **body) == (status, (name, message))


async def test_who_may_ask(odoo: Backend) -> None:
    """A key, for a database that is served, with JSON."""
    unauthorized = "werkzeug.exceptions.Unauthorized"
    assert await odoo.ask("res.partner", "search_count", key="bad", domain=[]) == (
        401,
        (unauthorized, "Invalid apikey"),
    )
    assert await odoo.ask("res.partner", "search_count", key=None, domain=[]) == (
        401,
        (
            unauthorized,
            "User not authenticated, use an API Key with a Bearer Authorization header.",
        ),
    )
    status, page = await odoo.ask("res.partner", "search_count", database="nodb", domain=[])
    assert status == 404
    assert "No database is selected" in page
    status, (name, message) = await odoo.ask("res.partner", "search_count", raw=b"{")
    assert (status, name) == (400, "werkzeug.exceptions.BadRequest")
    assert message.startswith("could not parse the body as json: ")


async def test_traps_that_look_like_success(odoo: Backend) -> None:
    """A write on nothing is true, and a read of nothing is empty."""
    assert await odoo.ask("res.partner", "write", vals={"name": "x"}) == (200, True)
    assert await odoo.ask("res.partner", "read", ids=[999999], fields=["name"]) == (200, [])
    status, (name, message) = await odoo.ask(
        "res.partner", "write", ids=[999999], vals={"name": "x"}
    )
    assert (status, name) == (404, "odoo.exceptions.MissingError")
    assert message.startswith("Record does not exist or has been deleted.")


async def test_searching(odoo: Backend) -> None:
    """The domains that lookups use."""
    await partner(odoo)

    async def found(*domain: Any) -> list[str]:
        status, rows = await odoo.ask(
            "product.product", "search_read", domain=list(domain), fields=["default_code"]
        )
        assert status == 200
        return sorted(row["default_code"] for row in rows)

    one, two = ["default_code", "=", "SKU-1"], ["default_code", "=", "SKU-2"]
    assert await found(["default_code", "in", ["SKU-1", "SKU-2", "NO"]]) == ["SKU-1", "SKU-2"]
    assert await found("|", one, two) == ["SKU-1", "SKU-2"]
    assert await found("&", one, ["name", "=", "Product 1"]) == ["SKU-1"]
    assert await found(one, two) == []


async def test_what_a_gateway_asks_about_a_model(odoo: Backend) -> None:
    """fields_get and has_access."""
    wanted = {
        "partner_id": {"type": "many2one", "required": True, "readonly": False},
        "state": {"type": "selection", "required": False, "readonly": True},
        "order_line": {"type": "one2many", "required": False, "readonly": False},
    }
    status, told = await odoo.ask(
        "sale.order", "fields_get", allfields=list(wanted), attributes=["type"]
    )
    assert status == 200
    assert {name: one["type"] for name, one in told.items()} == {
        name: one["type"] for name, one in wanted.items()
    }
    asked = ["product_uom_qty", "name"]
    answer = await odoo.ask("sale.order.line", "default_get", fields=asked)
    assert answer == (200, {"product_uom_qty": 1.0})
    assert await odoo.ask("sale.order", "has_access", operation="create") == (200, True)


async def test_whether_an_external_id_is_there(odoo: Backend) -> None:
    """A user of Sales may ask about each, and may read none."""
    name = f"contract_there_{next(numbers)}"
    told = await odoo.load("res.partner", ["id", "name"], [f"__odoorway__.{name}", "Ada"])
    (ident,) = told["ids"]

    async def there(xml_id: str) -> Any:
        return await odoo.ask(
            "ir.model.data", "check_object_reference", module="__odoorway__", xml_id=xml_id
        )

    assert await there(name) == (200, ["res.partner", ident])
    status, (kind, text) = await there(f"{name}_none")
    assert (status, kind) == (500, "builtins.ValueError")
    assert text == f"External ID not found in the system: __odoorway__.{name}_none"
    domain = [["module", "=", "__odoorway__"]]
    status, (kind, text) = await odoo.ask(
        "ir.model.data", "search_read", domain=domain, fields=["name"]
    )
    assert (status, kind) == (403, "odoo.exceptions.AccessError")
    assert text.startswith("You are not allowed to access 'Model Data' (ir.model.data) records.")
