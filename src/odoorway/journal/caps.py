"""What a journal cuts before it stores: long texts, never an event's body. Pure."""

from dataclasses import replace
from typing import Any

from odoorway.journal.port import Limits
from odoorway.model.delivery import Settlement
from odoorway.model.event import Event, Flaw, Headers, Rejection
from odoorway.outside import storable

MARK = "…[cut]"
_FLAW = 2_000  # characters
_TEXTS = ("source", "topic", "idempotency_key", "ordering_key", "version")


def cap_event(event: Event, limits: Limits) -> Event:
    """Return *event* with long header values cut, and all its texts storable."""
    headers = _cap_headers(event.headers, limits)
    unclean: dict[str, Any] = {
        name: storable(getattr(event, name))
        for name in _TEXTS
        if (text := getattr(event, name)) and storable(text) != text
    }
    if headers is event.headers and not unclean:
        return event
    return replace(event, headers=headers, **unclean)


def cap_flaw(flaw: Flaw | None) -> Flaw | None:
    """Return *flaw* with its detail cut."""
    return flaw and replace(flaw, detail=cap_text(flaw.detail, _FLAW))


def cap_rejection(rejection: Rejection, limits: Limits) -> Rejection:
    """Return *rejection* with its path, detail, headers and body cut."""
    return replace(
        rejection,
        source=cap_text(rejection.source, limits.header_value),
        detail=cap_text(rejection.detail, limits.text),
        headers=_cap_headers(rejection.headers, limits),
        body=_cap_bytes(rejection.body, limits.rejection_body),
    )


def cap_settlement(settlement: Settlement, limits: Limits) -> Settlement:
    """Return *settlement* with its detail cut."""
    detail = cap_text(settlement.detail, limits.text)
    commands = cap_text(settlement.commands, limits.text)
    if detail is settlement.detail and commands is settlement.commands:
        return settlement
    return replace(settlement, detail=detail, commands=commands)


def cap_text(text: str, limit: int) -> str:
    """Return *text*, storable, in at most *limit* characters, the mark included."""
    if len(text) > limit:
        text = text[: max(0, limit - len(MARK))] + MARK
    return storable(text)


def _cap_headers(headers: Headers, limits: Limits) -> Headers:
    cap = limits.header_value
    if all(len(value) <= cap for _, value in headers):
        return headers
    return tuple((name, cap_text(value, cap)) for name, value in headers)


def _cap_bytes(body: bytes, limit: int) -> bytes:
    mark = MARK.encode()
    return body if len(body) <= limit else body[: max(0, limit - len(mark))] + mark
