"""What event is this? Its id, topic, ordering key and version, read where the source says. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from odoorway.model.event import Headers
from odoorway.model.source import Identity

_PLACE = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Identified:
    """What makes an event the same event, and what it is about."""

    topic: str
    idempotency_key: str
    ordering_key: str
    version: str | None
    body_hash: str  # SHA-256, hex


def identify(identity: Identity, headers: Headers, body: bytes, parsed: Any) -> Identified:
    """Return the identity of a verified request.

    The idempotency key is the platform's event id, else a hash of topic and body. Without an
    ordering key of its own an event shares it with nothing.
    """
    body_hash = hashlib.sha256(body).hexdigest()
    topic = _first(identity.topic, headers, parsed) or ""
    event_id = _first(identity.event_id, headers, parsed)
    key = event_id or "sha256:" + hashlib.sha256(topic.encode() + b"\n" + body).hexdigest()
    return Identified(
        topic=topic,
        idempotency_key=key,
        ordering_key=_ordering(identity.ordering_key, topic, headers, parsed) or key,
        version=_first(identity.version, headers, parsed),
        body_hash=body_hash,
    )


def needs_json(identity: Identity) -> bool:
    """Whether a part of the identity stands in the body."""
    places = (*identity.topic, *identity.event_id, *identity.version, identity.ordering_key or "")
    return any("json:" in place for place in places)


def locate(place: str, headers: Headers, parsed: Any) -> str | None:
    """Return the text at ``header:Name`` or ``json:path.to.it``; None when there is none."""
    name, steps = _read(place)
    if name:
        return next((value for key, value in headers if key == name), None) or None
    for step in steps:
        parsed = parsed.get(step) if isinstance(parsed, dict) else None
    if isinstance(parsed, bool) or not isinstance(parsed, str | int):
        return None
    return str(parsed)[:512] or None


@lru_cache(maxsize=1024)
def _read(place: str) -> tuple[str, tuple[str, ...]]:
    """Return the header's name, or else the steps into the body."""
    kind, _, name = place.partition(":")
    return (name.lower(), ()) if kind == "header" else ("", tuple(name.split(".")))


@lru_cache(maxsize=1024)
def _split(template: str) -> tuple[str, ...]:
    """Return literal, place, literal, place, ..., literal."""
    return tuple(_PLACE.split(template))


def _first(places: Sequence[str], headers: Headers, parsed: Any) -> str | None:
    for place in places:
        if found := locate(place, headers, parsed):
            return found
    return None


def _ordering(template: str | None, topic: str, headers: Headers, parsed: Any) -> str | None:
    """Fill the template; None when a part of it is missing."""
    if template is None:
        return None
    parts = list(_split(template))
    for turn in range(1, len(parts), 2):
        place = parts[turn]
        head = place == "topic:head"
        found = topic.partition("/")[0] if head else locate(place, headers, parsed)
        if not found:
            return None
        parts[turn] = found
    return "".join(parts)
