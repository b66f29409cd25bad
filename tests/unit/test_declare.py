"""What hooks.py may declare, and what the errors say to write instead."""

import math
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from odoorway import Call, Empty, Event, Forward, Gateway, Update, Upsert, find
from odoorway.commands import KeyOfNobody, external_id, meant
from odoorway.diagnose.catalog import CATALOG
from odoorway.dispatch.crossing import pack, unpack
from odoorway.errors import DeclarationError, HandlerError
from odoorway.gateway import Source
from odoorway.sources import shopify
from odoorway.transform.run import Commands

SKU = find("product.product", default_code="A")
INSIDE: dict[str, Any] = {"c_id.d": 1}
HOLDS_ITSELF: list[object] = []
HOLDS_ITSELF.append(HOLDS_ITSELF)


class Money(BaseModel):
    amount: Decimal


class BadRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def call(method: str = "x", **given: Any) -> Call:
    return Call("sale.order", method, find("sale.order", id=1), **{"unless": {"a": [1]}, **given})


def values(**given: object) -> Upsert:
    return Upsert("a.b", ("k", 1), given)


class Nothing(Enum):
    THERE = None


def shop(gateway: Gateway) -> Source:
    return gateway.source("shop", shopify.source(secret="s"))


def test_one_topic_may_take_several_routes() -> None:
    """Each matching handler is a route, in the order of declaration; patterns match too."""
    gateway = Gateway()
    source = shop(gateway)
    source.on("orders/create", name="one")(lambda_order)
    source.on("orders/*", name="two")(lambda_order)
    source.on("orders/paid", name="three")(lambda_order)
    assert [r.name for r in gateway.routes_for("shop", "orders/create")] == ["one", "two"]


def lambda_order(order: dict[str, object]) -> Upsert:
    return Upsert("sale.order", ("order", 1))


def test_two_routes_of_one_name_are_refused() -> None:
    """The message says how to name the second."""
    gateway = Gateway()
    source = shop(gateway)
    source.on("a")(lambda_order)
    with pytest.raises(DeclarationError, match=r"two routes are named 'lambda_order'.*name="):
        source.on("b")(lambda_order)


def test_an_unannotated_payload_is_refused() -> None:
    """The message shows an annotation."""

    def handler(order):
        return order

    with pytest.raises(DeclarationError, match=r"annotate the payload.*shopify\.Order"):
        shop(Gateway()).on("a")(handler)


def test_a_second_parameter_must_be_the_event() -> None:
    """Anything else could not be given."""

    def wrong(order: dict[str, object], more: str) -> None: ...

    def right(order: dict[str, object], event: Event) -> None: ...

    source = shop(Gateway())
    with pytest.raises(DeclarationError, match="event: Event"):
        source.on("a")(wrong)
    assert source.on("a")(right) is right


def test_an_async_handler_is_refused() -> None:
    """A handler calls nothing, so it has nothing to wait for."""

    async def handler(order: dict[str, object]) -> None: ...

    with pytest.raises(DeclarationError, match="not async def"):
        shop(Gateway()).on("a")(handler)


def test_an_unknown_source_is_refused() -> None:
    """The message names those that exist."""
    gateway = Gateway()
    shop(gateway)
    with pytest.raises(DeclarationError, match=r"unknown source 'shopp'; declared are: shop"):
        gateway.on("shopp", "a")


@pytest.mark.parametrize("name", ["Shop", "my_shop", "", "é", "a/b"])
def test_a_source_name_must_fit_url_and_external_id(name: str) -> None:
    """An underscore would make external IDs ambiguous."""
    with pytest.raises(DeclarationError, match="lower-case letters"):
        Gateway().source(name, shopify.source(secret="s"))


def test_no_definition_and_no_topic_are_refused() -> None:
    """Both messages show what to write."""
    with pytest.raises(DeclarationError, match=r"shopify\.source"):
        Gateway().source("shop", "shopify")  # type: ignore[arg-type]  # the fault under test
    with pytest.raises(DeclarationError, match="needs the topics"):
        shop(Gateway()).on()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Upsert("Sale Order", ("order", 1)), "model is 'Sale Order'"),
        (lambda: Upsert("sale.order", "order"), r"write \(kind, id\)"),  # type: ignore[arg-type]  # the fault under test
        (lambda: Upsert("sale.order", ("my_order", 1)), "kind is 'my_order'"),
        (lambda: Upsert("sale.order", ("order", None)), "id is None"),  # type: ignore[arg-type]  # the fault under test
        (lambda: Upsert("sale.order", ("order", ""), {}), "id is ''"),
        (lambda: Upsert("sale.order", ("order", 1), [1]), "give a dict"),  # type: ignore[arg-type]  # the fault under test
        (lambda: find("product.product"), "at least one field"),
        (lambda: find("product.product", missing="ignore", name="x"), "missing= is 'ignore'"),  # type: ignore[arg-type]  # the fault under test
        (lambda: Update("a.b", find("c.d", x=1), {}), r"give find\('a.b'"),
        (lambda: Call("sale.order", "action_confirm", find("sale.order", id=1)), "unless="),
        (lambda: Call("sale.order", "x", 5, unless={"state": ["sale"]}), "on= is 5"),  # type: ignore[arg-type]  # the fault under test
        (lambda: call("action confirm"), "method is 'action confirm'"),
        (lambda: call("_compute"), "public method's name"),
        (lambda: call(unless={"state": "sale"}), "give a list of values"),
        (lambda: call(unless=find("a.b", x=1, missing="retry")), "when it matches nothing"),
        (lambda: call(unless={}), r"or unless=find\(...\)"),
        (lambda: find("a.b", x=1, missing=SKU), r"missing= is Find.*find\('a.b'"),
        (lambda: call(args={"x": [object()]}), r"Call's args\['x'\]\[0\] is object"),
        (lambda: find("a.b", x=find("c.d", y=1)), "find's x is a Find"),
        (lambda: find("a.b", x=Upsert("c.d", ("k", 1))), "find's x is a Upsert"),
        (lambda: find("a.b", x=["y"]), r"find's x is list \['y'\]"),
        (lambda: find("a.b", **INSIDE), r"look there by domain=\[\('c_id.d'"),
        (lambda: find("a.b", domain=[("x", "=", SKU)]), r"domain\[0\]\[2\] is a Find"),
        (lambda: values(x={1, 2}), r"values\['x'\] is set"),
        (lambda: values(x=call), r"values\['x'\] is function"),
        (lambda: values(x=Forward("/x")), r"values\['x'\] is Forward"),
        (lambda: values(x={"y": [SKU]}), r"values\['x'\]\['y'\]\[0\] is a Find inside"),
        (lambda: values(x=[SKU, "y"]), r"values\['x'\]\[1\] is str 'y' among records"),
        (lambda: Upsert("a.b", ("k", 1), {1: 2}), "name a field int 1"),  # type: ignore[dict-item]  # the fault under test
        (lambda: values(x=HOLDS_ITSELF), "holds itself"),
        (lambda: Forward("/x", {"a": [1, object()]}), r"body\['a'\]\[1\] is object"),
        (lambda: Forward("/x", {"a": math.nan}), r"body\['a'\] is float nan"),
        (lambda: Forward("/x", ["\ud800"]), r"body\[0\] is str"),
        (lambda: Forward("/x", HOLDS_ITSELF), "holds itself"),
        (lambda: Forward("/x", {"a": BadRepr()}), r"body\['a'\] is a BadRepr"),
        (lambda: values(x=BadRepr()), r"values\['x'\] is a BadRepr"),
        (lambda: call(context={"lang": object()}), r"Call's context\['lang'\] is object"),
        (lambda: Upsert("a.b", ("k", 1), adopt="all"), "adopt= is 'all'"),  # type: ignore[arg-type]  # the fault under test
    ],
)
def test_a_malformed_command_says_what_to_write(make: object, says: str) -> None:
    """At the handler's first run, with the form that works."""
    assert callable(make)
    with pytest.raises(HandlerError, match=says):
        make()


def test_what_pydantic_can_write_is_taken() -> None:
    """Forward and context have it as JSON at once; a method's numbers and times stay Odoo's."""
    when, amount = datetime(2025, 1, 2, 3, tzinfo=UTC), Decimal("9.90")
    body = {"a": amount, "b": [when, {1}], "c": Money(amount=amount)}
    ready = {"a": "9.90", "b": ["2025-01-02T03:00:00Z", [1]], "c": {"amount": "9.90"}}
    assert Forward("/x", body).body == ready
    assert call(context=body).context == ready
    assert call(args=body).args == {"a": amount, "b": [when, [1]], "c": {"amount": amount}}
    assert call(args={"x": [SKU, Money(amount=amount)]}).args["x"][0] == SKU
    assert Forward("/x", b"\xff").body == b"\xff"


def test_what_a_handler_made_crosses_unchanged() -> None:
    """Empty too, which is more than its name."""
    made = Commands((Update("p", find("p", ref=Empty), {"x": Empty}), Forward("/x", {"a": 1})))
    assert unpack(pack(made)) == made
    assert unpack(pack(made)).commands[0].on.where[0][1] is Empty  # type: ignore[union-attr]  # of an Update


NOBODY = [0, "0", "", " ", "None", "NULL", "null ", -1, "-1", "undefined", "NaN", None]


@pytest.mark.parametrize("ident", NOBODY)
def test_a_key_that_stands_for_nobody_is_refused(ident: object) -> None:
    """With what to write for a guest; a word of its own is a key like any other."""
    with pytest.raises(KeyOfNobody, match=r"stands for nobody.*order's id"):
        Upsert("res.partner", ("customer", ident), {"name": "Ben"})  # type: ignore[arg-type]  # the fault under test
    assert KeyOfNobody.code in CATALOG
    assert Upsert("res.partner", ("customer", f"guest-{ident}"), {}).key[1]


def test_what_is_absent_among_others_is_left_out() -> None:
    """It does not find the records that have none; and "!" does not make it find all others."""
    some = find("p", domain=[("ref", "in", ["a", None, "", False])])
    assert not some.absent
    assert list(meant(some.domain)) == [("ref", "in", ("a", False))]
    for term in [("ref", "=", None), ("ref", "=", ""), ("ref", "in", [None])]:
        assert find("p", domain=["!", term]).absent == ("ref",)
        assert find("p", domain=["|", "!", term, ("name", "=", "x")]).absent == ("ref",)


ABSENT = [None, "", False, "  ", Nothing.THERE]


def test_a_value_that_is_not_there_finds_nothing() -> None:
    """Alone, beside others or in a domain; what Odoo's notation says of an empty field stays."""
    for value in ABSENT:
        assert find("p", ref=value, name="x").absent == ("ref",)
    missing: list[tuple[str, str, object]] = [
        ("ref", "=", None),
        ("ref", "ilike", ""),
        ("ref", "in", [None, ""]),
    ]
    for term in missing:
        assert find("p", domain=[term, ("name", "=", "x")]).absent == ("ref",)
    there: list[tuple[str, str, object]] = [
        ("ref", "=", False),
        ("ref", "!=", None),
        ("ref", "in", [False, 1]),
        ("n", ">", 0),
    ]
    for term in there:
        assert find("p", domain=[term]).absent == ()
    either = find("p", domain=["|", ("ref", "=", None), ("name", "=", "x")])
    assert either.absent == ()
    assert list(meant(either.domain)) == ["|", (0, "=", 1), ("name", "=", "x")]
    assert pickle.loads(pickle.dumps(find("p", ref=Empty))) == find("p", ref=Empty)
    here: list[object] = [0, 0.0, "0", True, Empty, Decimal(0)]
    for given in here:
        assert find("p", ref=given).absent == ()


def test_different_keys_have_different_external_ids() -> None:
    """Ids may hold anything, dots and underscores among it."""
    keys: list[tuple[str, str | int]] = [
        ("order", "1.2"),
        ("order", "1~2e~2"),
        ("order", "1_2"),
        ("order", 12),
        ("o", "rder_1"),
    ]
    ids = {external_id("shop", key) for key in keys}
    assert len(ids) == len(keys)
    assert external_id("shop", ("order", 42)) == "__odoorway__.shop_order_42"
    assert all(one.count(".") == 1 for one in ids)
