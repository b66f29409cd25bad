"""One delivery whose values no Odoo can store, among good ones: it costs itself, and no other.

The values are what a handler computes from bytes it parses itself. They are refused when the
command is made, or by Odoo for that delivery; the nine others of the batch are written.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from odoorway.commands import Call, Command, Forward, Update, Upsert, find
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.port import Job
from odoorway.errors import HandlerError
from odoorway.model.delivery import Outcome
from real_odoo import RealOdoo

pytestmark = pytest.mark.odoo

GOOD = 9
LATE = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))
CUSTOMER = find("res.partner", name="x")


def partner(**values: Any) -> Upsert:
    return Upsert("res.partner", ("customer", "poison"), {"name": "Ada", **values})


def keyed(ident: Any) -> Upsert:
    return Upsert("res.partner", ("customer", ident), {"name": "Ada"})


def dotted(name: str, value: Any = "x") -> Upsert:
    return Upsert("res.partner", ("customer", "poison"), {"name": "Ada", name: value})


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


POISONS: dict[str, Callable[[], Command | list[Command]]] = {
    "NUL": lambda: partner(comment="a\0b"),
    "NUL in a selection": lambda: partner(type="\0"),
    "half a character": lambda: partner(name="\ud800"),
    "half a character in bytes": lambda: partner(image_1920=b"\xff\xfe"),
    "an endless name": lambda: partner(name=secrets.token_hex(1 << 19)),
    "an endless reference": lambda: partner(ref=secrets.token_hex(1 << 15)),
    "an endless email": lambda: partner(email=secrets.token_hex(1 << 15) + "@example.com"),
    "an endless language": lambda: partner(lang="x" * 100_000),
    "the year 10000 as text": lambda: partner(date_localization="10000-01-01"),
    "the year 10000 by its zone": lambda: partner(comment=LATE),
    "the year 0": lambda: partner(date_localization="0000-00-00"),
    "the year 1": lambda: partner(date_localization=date(1, 1, 1)),
    "an overlong id": lambda: keyed("x" * 100_000),
    "an overlong id of random text": lambda: keyed(secrets.token_hex(700)),
    "an overlong id of other letters": lambda: keyed("é" * 900),
    "NUL in an id": lambda: keyed("a\0b"),
    "half a character in an id": lambda: keyed("\ud800"),
    "an endless number as id": lambda: keyed(10**5000),
    "an unknown field": lambda: dotted("no_such_field"),
    "a dotted field": lambda: dotted("parent_id.name"),
    "a slashed field": lambda: dotted("parent_id/name"),
    "a field by database id": lambda: dotted("parent_id/.id", "1"),
    "the id": lambda: dotted("id", "base.main_partner"),
    "the database id": lambda: dotted(".id", "1"),
    "a field with NUL": lambda: dotted("na\0me"),
    "an endless field": lambda: dotted("x" * 100_000),
    "a field of half a character": lambda: dotted("\ud800"),
    "a reference to nothing": lambda: partner(parent_id=2**31 - 1),
    "a reference beyond 32 bits": lambda: partner(parent_id=2**40),
    "a reference beyond 64 bits": lambda: partner(parent_id=2**70),
    "a negative reference": lambda: partner(parent_id=-1),
    "an endless number": lambda: partner(color=10**5000),
    "a number beyond 32 bits": lambda: partner(color=2**40),
    "a number beyond 64 bits": lambda: partner(color=2**70),
    "an endless decimal": lambda: partner(partner_latitude=Decimal("1e999999999")),
    "a tiny decimal": lambda: partner(partner_latitude=Decimal("1e-999999999")),
    "no number": lambda: partner(partner_latitude=float("nan")),
    "a signalling no number": lambda: partner(partner_latitude=Decimal("sNaN")),
    "infinity": lambda: partner(partner_latitude=float("inf")),
    "a wrong selection": lambda: partner(type="no such type"),
    "a list where none is": lambda: partner(name=["a", {"b": "\0"}]),
    "a list too deep": lambda: partner(name=nested(900)),
    "members beyond 64 bits": lambda: partner(category_id=[2**70, CUSTOMER]),
    "a lookup of NUL": lambda: partner(parent_id=find("res.partner", name="\0")),
    "a lookup of half a character": lambda: partner(parent_id=find("res.partner", name="\ud800")),
    "a lookup of the year 10000": lambda: partner(
        parent_id=find("res.partner", create_date="10000-01-01", missing=None)
    ),
    "a lookup beyond 64 bits": lambda: partner(
        parent_id=find("res.partner", color=2**70, missing=None)
    ),
    "a lookup by no field": lambda: partner(parent_id=find("res.partner", no_such_field="x")),
    "a lookup by an endless value": lambda: partner(
        parent_id=find("res.partner", name="x" * 1_000_000, missing=None)
    ),
    "a lookup in a domain that is none": lambda: partner(
        parent_id=find("res.partner", domain=[("name", "no such operator", "x")])
    ),
    "a lookup in no model": lambda: partner(parent_id=find("no.such.model", name="x")),
    "a company that is none": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, company=2**31 - 1
    ),
    "a company beyond 64 bits": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, company=2**70
    ),
    "a language that is none": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, context={"lang": "\0"}
    ),
    "no such model": lambda: Upsert("no.such.model", ("customer", "poison"), {"name": "Ada"}),
    "a match of NUL": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, match={"email": "\0"}
    ),
    "an initial value of NUL": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, initial={"ref": "\0"}
    ),
    "an expectation of no field": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, expect={"no_such_field": 1}
    ),
    "an expectation without end": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, expect={"color": 10**5000}
    ),
    "an expectation of NUL": lambda: Upsert(
        "res.partner", ("customer", "poison"), {"name": "Ada"}, expect={"name": "\0"}
    ),
    "an update with NUL": lambda: Update("res.partner", find("res.partner", id=1), {"ref": "\0"}),
    "an update of an endless number": lambda: Update(
        "res.partner", find("res.partner", id=1), {"color": 2**900}
    ),
    "a call with half a character": lambda: [
        partner(),
        Call("res.partner", "write", partner(), {"vals": {"ref": "\ud800"}}, {"ref": ["x"]}),
    ],
    "a call of no method": lambda: [
        partner(),
        Call("res.partner", "no_such_method", partner(), unless={"ref": ["done"]}),
    ],
    "a forward to nowhere": lambda: Forward("http://[::1", {}),
    "a forward with a wrong header": lambda: Forward("/x", {}, {"X-Name": "a\r\nb"}),
}
# Nothing is wrong with these for Odoo, which keeps what it is given, or cuts it.
MAY_PASS = {
    "an expectation of NUL",
    "an endless name", "an endless reference", "an endless email", "NUL in an id", "the year 1",
    "half a character in an id", "a tiny decimal", "a lookup of the year 10000",
    "a lookup beyond 64 bits", "a lookup by an endless value", "an overlong id of other letters",
    "the year 10000 by its zone", "half a character in bytes", "a list where none is",
    "a company that is none", "a language that is none",
}  # fmt: skip


@dataclass
class Target:
    """One Odoo, with a source of this test's own."""

    client: Json2
    source: str = field(default_factory=lambda: "t" + secrets.token_hex(5))

    def job(self, number: int, *commands: Command) -> Job:
        return Job(number, self.source, commands, f"evt_{number}")

    def good(self, number: int) -> Job:
        values = {"name": f"Good {number} {self.source}", "comment": "é 😀"}
        return self.job(number, Upsert("res.partner", ("customer", f"good{number}"), values))


@pytest.fixture
async def odoo(real_odoo: RealOdoo) -> AsyncIterator[Target]:
    """A real Odoo as a user of the Sales group: what it stores, only it knows."""
    client = Json2(real_odoo.url, real_odoo.database, real_odoo.gateway_key, timeout=60)
    yield Target(client)
    await client.close()


def _made(poison: str) -> Command | list[Command] | HandlerError:
    try:
        return POISONS[poison]()
    except HandlerError as error:
        return error


@pytest.mark.parametrize("poison", POISONS)
async def test_a_poison_costs_only_its_own_delivery(odoo: Target, poison: str) -> None:
    """Whoever finds it: the command, what writes it as text, or Odoo."""
    made = _made(poison)
    if isinstance(made, HandlerError):
        assert len(str(made)) < 1_000
        assert str(made).isprintable()
        return
    destination = OdooDestination(odoo.client)
    commands = made if isinstance(made, list) else [made]
    jobs = [odoo.good(number) for number in range(GOOD)]
    jobs.insert(GOOD // 2, odoo.job(99, *commands))
    verdicts = list(await destination.deliver(jobs))
    told = verdicts.pop(GOOD // 2)
    assert [one.outcome for one in verdicts] == [Outcome.DELIVERED] * GOOD, [
        (one.code, one.detail[:200]) for one in verdicts
    ]
    assert not told.blame_destination, (told.code, told.detail[:300])
    if poison not in MAY_PASS:
        assert told.outcome is Outcome.DEAD, (told.code, told.detail[:300])
