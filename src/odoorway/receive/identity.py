"""What event is this? Its id, topic, ordering key and version, read where the source says. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
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
    kind, _, name = place.partition(":")
    if kind == "header":
        wanted = name.lower()
        return next((value for key, value in headers if key == wanted), None) or None
    for step in name.split("."):
        parsed = parsed.get(step) if isinstance(parsed, dict) else None
    if isinstance(parsed, bool) or not isinstance(parsed, str | int):
        return None
    return str(parsed)[:512] or None


def _first(places: Sequence[str], headers: Headers, parsed: Any) -> str | None:
    found = (locate(place, headers, parsed) for place in places)
    return next((value for value in found if value), None)


def _ordering(template: str | None, topic: str, headers: Headers, parsed: Any) -> str | None:
    """Fill the template; None when a part of it is missing."""
    if template is None:
        return None
    values = {
        place: topic.partition("/")[0] if place == "topic:head" else locate(place, headers, parsed)
        for place in _PLACE.findall(template)
    }
    if not all(values.values()):
        return None
    return _PLACE.sub(lambda match: values[match[1]] or "", template)
