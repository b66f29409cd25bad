"""Which commands of a list are carried out together."""

import pytest

from odoorway import Call, Empty, Forward, Update, Upsert, find
from odoorway.commands import Command
from odoorway.transform.rounds import ready, rounds


def partner(number: int, **values: object) -> Upsert:
    return Upsert("res.partner", ("customer", number), values)


def lead(number: int, **values: object) -> Upsert:
    return Upsert("crm.lead", ("lead", number), values)


def confirm(on: Upsert) -> Call:
    return Call("sale.order", "action_confirm", on, unless={"state": ["sale"]})


def order(number: int, **values: object) -> Upsert:
    return Upsert("sale.order", ("order", number), values)


ADA = find("res.partner", email="a@x")
CASES: list[tuple[str, list[Command], list[int]]] = [
    ("records alone", [partner(1), lead(1), partner(2)], [3]),
    ("the value looked for", [partner(1, email="a@x"), lead(1, partner_id=ADA)], [1, 1]),
    ("another value", [partner(1, email="b@x"), lead(1, partner_id=ADA)], [2]),
    ("no value told", [partner(1, name="A"), lead(1, partner_id=ADA)], [2]),
    ("a value nobody knows yet", [partner(1, email=ADA), lead(1, partner_id=ADA)], [2]),
    ("another family", [order(1, email="a@x"), lead(1, partner_id=ADA)], [2]),
    ("one of two values differs",
     [partner(1, email="a@x", ref="r"), lead(1, p=find("res.partner", email="a@x", ref="s"))], [2]),
    ("a number as text", [partner(1, ref=5), lead(1, p=find("res.partner", ref="5"))], [1, 1]),
    ("nested, in lines", [order(1, line=[partner(1, email="a@x")]), lead(1, p=[ADA])], [1, 1]),
    ("as a match",
     [partner(1, ref="r"), Upsert("res.partner", ("k", 1), {}, match={"ref": "r"})], [1, 1]),
    ("of its family",
     [Upsert("product.template", ("p", 1), {"ref": "r"}),
      lead(1, p=find("product.product", ref="r"))],
     [1, 1]),
    ("a fallback", [partner(1, email="a@x"),
                    lead(1, p=find("res.partner", ref="r", missing=ADA))], [1, 1]),
    ("a step is last", [order(1), confirm(order(1)), Forward("/x")], [3]),
    ("a record behind a step", [confirm(order(1)), lead(1)], [1, 1]),
    ("a lookup behind a step",
     [confirm(order(1)), Update("crm.lead", find("crm.lead", x=1), {"p": ADA})], [1, 1]),
    ("an update looks when its turn comes",
     [partner(1, email="a@x"), confirm(order(1)), Update("res.partner", ADA, {"x": 1})], [3]),
    ("two calls on one record", [confirm(order(1)), confirm(order(1))], [2]),
    ("on another state of it", [confirm(order(1)), confirm(order(1, a=1))], [1, 1]),
    ("empty", [partner(1, ref=None), lead(1, p=find("res.partner", ref=Empty))], [2]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("commands", "sizes"), [one[1:] for one in CASES], ids=[c[0] for c in CASES]
)
def test_a_command_waits_for_what_it_could_see(commands: list[Command], sizes: list[int]) -> None:
    """And for nothing else; all are carried out, in order."""
    found = [list(one) for one, _ in rounds(commands)]
    assert [len(one) for one in found] == sizes
    assert [command for one in found for command in one] == commands


def test_what_matched_nothing_is_looked_for_again() -> None:
    """When an earlier command may have made it; what matched, or is absent, is not."""
    absent = find("res.partner", email=None)
    commands = [partner(1, name="A"), lead(1, a=absent), lead(2, partner_id=ADA), lead(3)]
    assert ready(commands, lambda _: False) == 2
    assert ready(commands, lambda _: True) == 4
    assert ready(commands[1:], lambda _: False) == 3
    assert ready([partner(1, email="b@x"), lead(2, partner_id=ADA)], lambda _: False) == 2
