"""A console over a real journal, for the tests."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from journals import temporary
from odoorway import Gateway, Skip, Upsert
from odoorway.clock import SystemClock
from odoorway.console.app import build_app
from odoorway.console.auth import Sessions, hashed, hashed_token
from odoorway.console.desk import Desk
from odoorway.console.latency import Latency
from odoorway.console.metrics import Metrics
from odoorway.dispatch.handlers import HandlersHere
from odoorway.journal.accounts import Accounts, Person, Role
from odoorway.journal.accounts_sqlite import SqliteAccounts
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Outcome, Planned, Settlement
from odoorway.model.event import Event, Rejection
from odoorway.settings import Network
from odoorway.sources import shopify

HOSTILE = "<script>alert(1)</script>"
PASSWORD = "correct horse"


def gateway_of() -> Gateway:
    gateway = Gateway()
    shop = gateway.source("shop", shopify.source(secret="s"))

    @shop.on("orders/create", "odd/*")
    def order(body: dict) -> Upsert:
        if "id" not in body:
            raise Skip("no id")
        return Upsert("sale.order", ("order", body["id"]), {"note": body.get("note", "")})

    return gateway


@dataclass
class Bench:
    """The application, and who calls it."""

    login: bool = False
    masked: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset({"console"})
    proxy: tuple[str, Network] | None = None
    journal: SqliteJournal = field(default_factory=temporary)
    woken: int = 0

    def __post_init__(self) -> None:
        clock = SystemClock()
        self.accounts: Accounts = SqliteAccounts(self.journal)
        gateway = gateway_of()
        self.desk = Desk(
            gateway=gateway, handlers=HandlersHere(gateway.routes), journal=self.journal,
            accounts=self.accounts, clock=clock,
            latency=Latency(self.journal, clock), pace=lambda: {"odoo": (400, 2)}, wake=self._wake, receiver="http://127.0.0.1:1",
            odoo_urls={"odoo": "https://odoo.example.com"}, test=lambda *_: {},
            login=self.login, hosts=frozenset() if self.login else self.hosts,
            proxy=self.proxy, masked=self.masked,
        )  # fmt: skip
        self.app = build_app(self.desk, Metrics(self.desk))

    def sessions(self) -> Sessions:
        """Return those of the application."""
        sessions: Sessions = self.app.state.sessions
        return sessions

    def _wake(self) -> None:
        self.woken += 1

    def client(self, **more: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 5))
        return httpx.AsyncClient(transport=transport, base_url="http://console", **more)

    async def people(self) -> None:
        """Add one of each role, and a token of each."""
        for role in Role:
            await self.accounts.put(Person(role.value, role, hashed(PASSWORD)))
            token = Person(f"{role}-token", role, hashed_token(f"t-{role}"), None, is_token=True)
            await self.accounts.put(token)

    async def history(self) -> None:
        """One delivered, one dead, one waiting event and a rejection, all hostile."""
        outcomes = (Outcome.DELIVERED, Outcome.DEAD, None)
        for number, outcome in enumerate(outcomes, 1):
            await self.journal.append(event(number), [PLAN])
            if outcome:
                await self._settle(outcome)
        await self.journal.reject(
            Rejection(
                id="rej_1", source=HOSTILE, at=5.0, status=401, code="signature.mismatch",
                detail=HOSTILE, headers=(("x-a", HOSTILE),), body=HOSTILE.encode(),
            )
        )  # fmt: skip

    async def _settle(self, outcome: Outcome) -> None:
        leased = await self.journal.lease("odoo", "me", limit=9, now=1000.0, until=2000.0)
        dead = outcome is Outcome.DEAD
        records = () if dead else (("sale.order", "__odoorway__.shop_order_1", 7),)
        for one in leased:
            done = Settlement(
                delivery=one.delivery.id, outcome=outcome, at=1001.0, seconds=0.5,
                code="odoo.no-match" if dead else None, detail=HOSTILE if dead else "",
                records=records,
            )  # fmt: skip
            await self.journal.settle("me", [done])


PLAN = Planned(route="order", destination="odoo")


def event(number: int, topic: str = "orders/create") -> Event:
    body = b'{"id": %d, "email": "ada@example.com", "note": "%b"}' % (number, HOSTILE.encode())
    return Event(
        id=f"evt_{number:028}", source="shop", topic=topic, idempotency_key=str(number),
        ordering_key=f"order/{number}{HOSTILE}", version=None, received_at=float(number),
        headers=(("x-hostile", HOSTILE), ("x-secret", "•••")), body=body, body_hash=str(number),
    )  # fmt: skip
