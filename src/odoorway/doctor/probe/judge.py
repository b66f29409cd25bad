"""What the answers to the probe mean, what to fix first first. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from odoorway.diagnose.catalog import diagnosis
from odoorway.diagnose.recognise import Fine, Sure, Unsure, recognise
from odoorway.doctor.probe.request import Purpose
from odoorway.doctor.probe.wire import Exchange
from odoorway.model.diagnosis import Diagnosis


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the webhook fails for it
    GUESS = "guess"  # it fails, and this is one of two likely causes
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """One thing that the probe found."""

    level: Level
    diagnosis: Diagnosis
    evidence: str


# What an empty, unsigned POST rightly gets: it says that there is somebody who checks.
_AS_IT_SHOULD = {
    "odoo.refused-by-controller", "odoo.body-not-json", "odoo.validation", "odoo.argument-missing",
}  # fmt: skip


def judge(exchange: Exchange) -> list[ProbeFinding]:
    """Return what one exchange shows; nothing when it is as it should be."""
    shown = seen(exchange)
    if exchange.failure:
        return [ProbeFinding(Level.ERROR, diagnosis(exchange.failure), shown)]
    match exchange.ask.purpose:
        case Purpose.CONNECT:
            return []
        case Purpose.ROUTE:
            return _route(exchange, shown)
    return _answer(exchange, shown)


def _answer(exchange: Exchange, shown: str) -> list[ProbeFinding]:
    result = recognise(exchange.evidence)
    match result:
        case Sure(known):
            return _sure(exchange, known, shown)
        case Unsure(nearest):
            refused = exchange.evidence.status < 500  # noqa: PLR2004 - the HTTP class of errors
            if exchange.ask.purpose is Purpose.EMPTY and refused:
                return []
            return [ProbeFinding(Level.GUESS, one, shown) for one in nearest]
        case Fine():
            return []


def seen(exchange: Exchange) -> str:
    """Return the exchange in a line."""
    asked = f"{exchange.ask.method} {exchange.ask.url}"
    if exchange.failure:
        return f"{asked}: {exchange.detail[:200]}"
    status = exchange.evidence.status
    to = f" → {exchange.location}" if exchange.location else ""
    return f"{asked}: HTTP {status}{to}" if status else f"{asked}: connected"


def takes_post(exchange: Exchange) -> bool:
    """Tell whether the answer to the question for the route lets a POST be worth a try."""
    return exchange.evidence.status != 405 or "POST" in _allowed(exchange)  # noqa: PLR2004


def _route(exchange: Exchange, shown: str) -> list[ProbeFinding]:
    """Judge the answer to a method that nobody uses: 405 is how a route says that it is there."""
    status = exchange.evidence.status
    if status == 405 and "POST" in _allowed(exchange):  # noqa: PLR2004
        return []
    if status == 415:  # noqa: PLR2004 - a jsonrpc route that restricts no methods
        return [_rpc(shown)]
    if 200 <= status < 300 or status in {400, 401, 403, 413, 422} or status >= 500:  # noqa: PLR2004
        return []  # the payload's own request tells more
    result = recognise(exchange.evidence)
    match result:
        case Sure(known):
            return [ProbeFinding(Level.ERROR, known, shown)]
        case Unsure((likelier, _)) if likelier.code == "odoo.route-not-found":
            return [
                ProbeFinding(Level.ERROR, likelier, shown)
            ]  # a controller never sees this method
        case _:
            return []


def _sure(exchange: Exchange, known: Diagnosis, shown: str) -> list[ProbeFinding]:
    empty = exchange.ask.purpose is Purpose.EMPTY
    if empty and known.code in _AS_IT_SHOULD:
        return []
    if empty and known.code == "odoo.wrong-request-type":
        return [_rpc(shown)]
    return [ProbeFinding(Level.ERROR, known, shown)]


def _rpc(shown: str) -> ProbeFinding:
    """Return the finding for a route that takes JSON-RPC: a platform's payload never arrives."""
    return ProbeFinding(
        Level.ERROR, diagnosis("odoo.envelope-missing"), f"{shown}, so it is type='json'"
    )


def _allowed(exchange: Exchange) -> list[str]:
    return [one.strip().upper() for one in exchange.evidence.headers.get("allow", "").split(",")]
