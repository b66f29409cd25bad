"""Fields that are nobody's business stand in no message either, wherever these come from."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
import structlog
from console_desk import PLAN, event
from pydantic import BaseModel, field_validator
from typer.testing import CliRunner

from odoorway import Forward, Gateway, Reject
from odoorway.cli.main import app
from odoorway.journal.port import Journal
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Delivery, Outcome, Settlement, State
from odoorway.model.mask import HIDDEN, Mask
from odoorway.settings import Settings
from odoorway.sources import hmac, sign
from odoorway.transform.validate import InvalidPayload, validate
from odoorway.wiring import running

BODY = {
    "id": 7, "note": "call me", "Email": "Ada@Example.com", "age": 36,
    "customer": {"first_name": "Ada", "phones": ["+49 170 1234567", 491701234567]},
    "street": '1 "High" St\u2028Flat é',
}  # fmt: skip
NAMES = ("email", "first_name", "Phones", "street")


def hidden(text: str, names: tuple[str, ...] = NAMES, body: object = BODY) -> str:
    return Mask.of(names, json.dumps(body).encode()).text(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Invalid email ada@example.com.", f"Invalid email {HIDDEN}."),
        ("Ada, call +49 170 1234567", f"{HIDDEN}, call {HIDDEN}"),
        ("Adabas and Nevada are not Ada", f"Adabas and Nevada are not {HIDDEN}"),
        ("phone=491701234567", f"phone={HIDDEN}"),
        (f"ValueError: {BODY['street']!r}", f"ValueError: '{HIDDEN}'"),
        (f"sent {json.dumps(BODY['street'])}", f'sent "{HIDDEN}"'),
        ("got 'Ada@Exampl…", f"got '{HIDDEN}…"),
        ("got 'Ada@Exampl", f"got '{HIDDEN}"),
        ("anna@example.com is another", "anna@example.com is another"),
        ("+49 170 1111111 is another", "+49 170 1111111 is another"),
        ("call me, I am 36", "call me, I am 36"),
    ],
)
def test_the_values_of_named_fields_are_hidden(text: str, told: str) -> None:
    """As Python, JSON or a person write them, whatever their case, and where they were cut."""
    assert hidden(text) == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("email: Input should be a valid integer (got 'a@b.c')",
         f"email: Input should be a valid integer (got {HIDDEN})"),
        ("customer.Phones[0]: Value error, 0170 is too short (got '0170')",
         f"customer.Phones[0]: {HIDDEN}"),
        ("customer.phones: Field required", f"customer.phones: Field required (got {HIDDEN})"),
        ("note: Input should be a valid integer (got 'hello')",
         "note: Input should be a valid integer (got 'hello')"),
    ],
)  # fmt: skip
def test_a_message_about_a_named_field_quotes_nothing(line: str, told: str) -> None:
    """By its path: what stands there may be too short, or of a type that is told otherwise."""
    assert hidden(f"first\n{line}", body={}) == f"first\n{told}"


def test_without_names_nothing_is_hidden() -> None:
    """Nor looked at."""
    assert hidden("Ada@Example.com", names=()) == "Ada@Example.com"


@pytest.mark.parametrize("body", [b"no json", b"[" * 100_000, b"[]", b"3"])
def test_no_payload_is_too_odd(body: bytes) -> None:
    """Lines about named fields are masked all the same."""
    assert Mask.of(NAMES, body).text("email: odd") == f"email: {HIDDEN}"


class Payload(BaseModel):
    email: int
    first_name: str

    @field_validator("first_name")
    @classmethod
    def refuse(cls, given: str) -> str:
        raise ValueError(f"nobody is called {given}")


def test_what_validation_says_of_a_named_field() -> None:
    """Its own lines, as they are today: the format of one is known to the other."""
    body = json.dumps({"email": "ada@example.com" * 9, "first_name": "Bo"}).encode()
    with pytest.raises(InvalidPayload) as told:
        validate(Payload, body)
    masked = Mask.of(NAMES, body).text(str(told.value))
    assert "ada@" not in masked
    assert "Bo" not in masked
    assert masked.startswith("email: Input should be a valid integer")


async def test_no_message_of_a_running_gateway_shows_them() -> None:
    """Neither its log nor its pages nor its API, whatever a handler or validation quotes."""
    gateway = Gateway()
    erp = gateway.http("erp", url="http://127.0.0.1:9")
    definition = hmac.source(secret="s", header="X-Sig", topic="header:X-Topic", event_id="json:id")
    shop = gateway.source("shop", definition)

    @shop.on("strict", destination=erp)
    def strict(_: Payload) -> Forward:
        return Forward("/")

    @shop.on("rejected", destination=erp)
    def rejected(order: dict) -> Forward:
        raise Reject(f"{order['email']} is unknown")

    settings = Settings(journal="memory", port=0, console_port=0, masked="email")
    body = json.dumps({"id": "1", "email": "ada@example.com", "first_name": "x"}).encode()
    pages = []
    with structlog.testing.capture_logs() as logged:
        async with running(gateway, settings, {}) as served, aiohttp.ClientSession() as session:
            for topic in ("strict", "rejected"):
                signed = sign(definition, "s", body, topic=topic, event_id="1", now=0)
                await session.post(f"{served.url}/in/shop", data=body, headers=signed)
            found = await dead(served.journal, 2)
            assert served.console
            for one in found:
                for path in (f"/events/{one.event_id}", f"/api/v1/events/{one.event_id}",
                             f"/events/{one.event_id}/dry-run"):  # fmt: skip
                    async with session.get(f"{served.console}{path}") as answer:
                        pages.append(await answer.text())
    assert {one.code for one in found} == {"payload.invalid", "handler.rejected"}
    assert all(HIDDEN in page and "ada@example.com" not in page for page in pages)
    told = [one for one in logged if one.get("detail")]
    assert len(told) == 2
    assert "ada@example.com" not in str(logged)


async def dead(journal: Journal, many: int) -> Sequence[Delivery]:
    """Wait for so many dead letters."""
    async with asyncio.timeout(20):
        while True:
            found = await journal.deliveries(state=State.DEAD)
            if len(found) == many:
                return found
            await asyncio.sleep(0.01)  # polls what runs beside; no decision rests on the time


async def _quoted(path: Path) -> None:
    """Store a dead letter whose detail quotes its payload."""
    journal = SqliteJournal.open(path)
    await journal.append(event(1), [PLAN])
    (one,) = await journal.lease("odoo", "me", limit=1, now=9e9, until=9e9 + 60)
    done = Settlement(
        delivery=one.delivery.id, outcome=Outcome.DEAD, at=1.0, seconds=0.1, code="odoo.validation",
        detail="no mail reaches ada@example.com", commands='[{"partner": "ada@example.com"}]',
    )  # fmt: skip
    await journal.settle("me", [done])
    await journal.close()


@pytest.mark.parametrize(
    "words",
    [
        "dead list", "dead list --json", "events list --json", f"events show evt_{1:028}",
        f"events show evt_{1:028} --json", "export",
    ],
)  # fmt: skip
def test_no_command_shows_them(words: str, tmp_path: Path) -> None:
    """Neither in details nor in commands that hold them under another name."""
    path = tmp_path / "journal.db"
    asyncio.run(_quoted(path))
    given = [*words.split(), "--journal", str(path)]
    open_, masked = (
        CliRunner().invoke(app, [*given, *more], env={"COLUMNS": "200"}).output
        for more in ([], ["--masked", "email"])
    )
    assert "ada@example.com" in open_
    assert "ada@example.com" not in masked
