"""`check` runs each handler on samples that lack something, and says what comes of it."""

import json

from odoorway import Gateway, Skip, Upsert, find
from odoorway.cli.checking_absent import lacking, variations
from odoorway.cli.trying import example_event
from odoorway.gateway import Gateway as Declared
from odoorway.sources import hmac

BODY = {"id": 1, "customer": {"email": "a@x", "name": "Ada"}, "lines": [{"sku": "A", "qty": 1}]}


def order(body: dict) -> Upsert:
    if body.get("id") is None:
        raise Skip("no id")
    customer = Upsert("res.partner", ("customer", body["customer"]["email"]), {})
    lines = [
        Upsert("sale.order.line", ("line", number), {
            "product_id": find("product.product", default_code=line.get("sku")),
            "product_uom_qty": line.get("qty"),
        })
        for number, line in enumerate(body.get("lines") or [], 1)
    ]  # fmt: skip
    return Upsert(
        "sale.order", ("order", body["id"]), {"partner_id": customer, "order_line": lines}
    )


def declared() -> Declared:
    gateway = Gateway()
    gateway.source("shop", hmac.source(secret="s", header="X")).on("t")(order)
    return gateway


def test_each_field_is_null_once_and_missing_once() -> None:
    """Also those inside others; of a list the first element's."""
    found = [(where, how) for where, how, _ in variations(json.dumps(BODY).encode())]
    places = ["id", "customer", "customer.email", "customer.name", "lines", "lines[0].sku",
              "lines[0].qty"]  # fmt: skip
    assert found == [(place, how) for place in places for how in ("null", "missing")]
    assert list(variations(b"no json")) == []


def test_what_is_lacking_and_what_comes_of_it_is_said() -> None:
    """An exception, a key of nobody, a lookup of nothing; what is skipped or written is well."""
    event = example_event("shop", "t", json.dumps(BODY).encode())
    well, trouble = lacking(declared().routes["order"], event)
    told = dict(one.split(": ", 1) for one in trouble)
    assert set(told) == {
        "customer null", "customer missing", "customer.email null", "customer.email missing",
        "lines[0].sku null", "lines[0].sku missing",
    }  # fmt: skip
    assert "TypeError" in told["customer null"]
    assert "KeyError" in told["customer missing"]
    assert (
        "a dead letter: product.product is looked up by default_code" in told["lines[0].sku null"]
    )
    assert well == 14 - len(trouble)
