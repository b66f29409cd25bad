"""Goes through the sequence, and stops where the next request could tell nothing more."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from odoorway.diagnose.catalog import diagnosis
from odoorway.doctor.probe.judge import Level, ProbeFinding, judge, seen, takes_post
from odoorway.doctor.probe.request import Ask, Purpose, Target, sequence
from odoorway.doctor.probe.wire import Exchange, Wire

_MOST_REDIRECTS = 5


@dataclass(slots=True)
class Report:
    """What was asked and what was found, what to fix first first."""

    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[ProbeFinding] = field(default_factory=list)
    version: str = ""

    @property
    def failed(self) -> bool:
        """Whether anything has to be fixed."""
        return any(one.level is not Level.NOTE for one in self.findings)


class Probe:
    """One probe of one URL."""

    def __init__(
        self, target: Target, *, limit: float, anywhere: bool, tell: Callable[[Exchange], None]
    ) -> None:
        """Follow redirects to other hosts only with *anywhere*; *tell* of each exchange."""
        self._target, self._anywhere, self._tell = target, anywhere, tell
        self._wire = Wire(limit)
        self._report = Report()

    async def run(self) -> Report:
        """Ask, until the cause is found or everything was asked."""
        try:
            await self._ask_all()
        finally:
            await self._wire.close()
        return self._report

    async def _ask_all(self) -> None:
        asks = list(sequence(self._target))
        if await self._found(await self._connect(asks[0])):
            return
        route = await self._route(asks[1])
        stopped = await self._found(route)
        if not stopped and takes_post(route):
            for ask in asks[2:]:
                if ask.purpose in {Purpose.SEND, Purpose.EMPTY}:
                    moved = replace(ask, url=route.ask.url)
                    stopped = await self._found(await self._send(moved)) or stopped
        there = Target(url=route.ask.url).origin
        await self._version(
            [
                replace(ask, url=ask.url.replace(self._target.origin, there, 1))
                for ask in asks
                if ask.purpose is Purpose.VERSION
            ]
        )
        if self._target.key and (self._report.version or not stopped):
            await self._key()

    async def _connect(self, ask: Ask) -> Exchange:
        return self._noted(await self._wire.connect(ask))

    async def _send(self, ask: Ask) -> Exchange:
        return self._noted(await self._wire.send(ask))

    def _noted(self, exchange: Exchange) -> Exchange:
        self._report.exchanges.append(exchange)
        self._tell(exchange)
        return exchange

    async def _found(self, exchange: Exchange) -> bool:
        found = judge(exchange)
        self._report.findings += found
        return any(one.level is not Level.NOTE for one in found)

    async def _route(self, ask: Ask) -> Exchange:
        """Ask for the route, and again where a redirect on the same host leads."""
        exchange = await self._send(ask)
        for _ in range(_MOST_REDIRECTS):
            to = exchange.location
            if not to or "/web/login" in to or "/web/database" in to:
                return exchange
            if not self._anywhere and urlsplit(to).hostname != urlsplit(ask.url).hostname:
                return exchange
            self._report.findings.append(
                ProbeFinding(Level.ERROR, diagnosis("odoo.redirected"), seen(exchange))
            )
            exchange = await self._send(replace(ask, url=to))
        return exchange

    async def _version(self, asks: list[Ask]) -> None:
        """Find out whether it is Odoo at all; what else is wrong matters less where it is not."""
        for ask in asks:
            exchange = await self._send(ask)
            self._report.version = _version(exchange)
            if self._report.version:
                return
        known = [one for one in self._report.findings if one.level is Level.ERROR]
        by_proxy = any(one.diagnosis.code.startswith(("proxy.", "network.")) for one in known)
        if not by_proxy and not self._looks_like_odoo():
            found = ProbeFinding(
                Level.ERROR, diagnosis("probe.not-odoo"), seen(self._report.exchanges[-1])
            )
            self._report.findings.insert(0, found)

    def _looks_like_odoo(self) -> bool:
        marks = ("odoo", "werkzeug", "No database is selected")
        return any(
            mark in f"{one.evidence.headers} {one.evidence.body}".lower()
            or mark in one.evidence.body
            for one in self._report.exchanges
            for mark in marks
        )

    async def _key(self) -> None:
        ask = _rpc_call(self._target, Purpose.KEY, "res.users", "context_get", {})
        if await self._found(await self._send(ask)):
            return
        for model in self._target.models:
            for operation in ("create", "write"):
                body = {"operation": operation}
                ask = _rpc_call(self._target, Purpose.RIGHTS, model, "has_access", body)
                exchange = await self._send(ask)
                if not await self._found(exchange) and exchange.evidence.json is False:
                    text = f"the key's user may not {operation} {model}"
                    found = ProbeFinding(Level.ERROR, diagnosis("odoo.access-denied"), text)
                    self._report.findings.append(found)


def _rpc_call(
    target: Target, purpose: Purpose, model: str, method: str, body: dict[str, str]
) -> Ask:
    headers = {
        "authorization": f"bearer {target.key}",
        "content-type": "application/json",
        **({"x-odoo-database": target.database} if target.database else {}),
    }
    url = f"{target.origin}/json/2/{model}/{method}"
    return Ask(purpose, "POST", url, headers, json.dumps(body).encode())


def _version(exchange: Exchange) -> str:
    answer = exchange.evidence.json
    told = answer.get("result", answer) if isinstance(answer, dict) else {}
    version = told.get("version") or told.get("server_version") if isinstance(told, dict) else ""
    return str(version or "")
