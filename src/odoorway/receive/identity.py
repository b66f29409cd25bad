"""What event is this? Its id, topic, ordering key and version, read where the source says. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from odoorway.model.event import UNNAMED, Headers
from odoorway.model.source import TOPIC_HEAD, Identity
from odoorway.receive.document import Document

_PLACE = re.compile(r"\{([^}]+)\}")
_HEAD = re.compile(r"(.*)[/.]")
_MOST: Final = 512  # characters of a value; of a longer one the rest is its hash
_BEGINNING: Final = 400  # characters of such a one that stay to be read
# What programs write for an id that is not there.
_NOBODY: Final = frozenset({"", "0", "-1", "null", "none", "undefined", "nan"})
_LONGEST_NOBODY: Final = 16  # characters, with blanks around


@dataclass(frozen=True, slots=True)
class Identified:
    """What makes an event the same event, and what it is about."""

    topic: str
    idempotency_key: str
    ordering_key: str
    version: str | None
    body_hash: str  # SHA-256, hex


def identify(
    identity: Identity, headers: Headers, body: bytes, document: Document | None
) -> Identified:
    """Return the identity of a verified request.

    The idempotency key is the platform's event id, else a hash of topic and body. Without an
    ordering key of its own an event shares it with nothing.
    """
    body_hash = hashlib.sha256(body).hexdigest()
    topic = _first(identity.topic, headers, document) or ""
    event_id = _someone(_first(identity.event_id, headers, document))
    key = _named(event_id) if event_id else UNNAMED + _digest(topic, body_hash)
    return Identified(
        topic=topic,
        idempotency_key=key,
        ordering_key=_ordering(identity.ordering_key, topic, headers, document) or key,
        version=_first(identity.version, headers, document),
        body_hash=body_hash,
    )


def needs_json(identity: Identity) -> bool:
    """Whether a part of the identity stands in the body."""
    places = (*identity.topic, *identity.event_id, *identity.version, identity.ordering_key or "")
    return any("json:" in place for place in places)


def locate(place: str, headers: Headers, document: Document | None) -> str | None:
    """Return the text at ``header:Name`` or ``json:path.to.0.it``; None when there is none.

    Two values that differ stay different, however long they are.
    """
    name, steps = _read(place)
    if name:
        found = next((value for key, value in headers if key == name), None)
    else:
        found = document.text(steps) if document else None
    return bounded(found) if found else None


def bounded(text: str) -> str:
    """Return *text*, or its beginning and its hash where it is long."""
    if len(text) <= _MOST:
        return text
    return f"{text[:_BEGINNING]}…{_digest(text)}"


@lru_cache(maxsize=1024)
def head(topic: str) -> str:
    """Return what a topic is about: ``orders`` of ``orders/create``, ``a.b`` of ``a.b.paid``."""
    found = _HEAD.match(topic)
    return found[1] if found and found[1] else topic


def _named(event_id: str) -> str:
    """Return the key of an event that the platform named; it never looks like a hash of ours."""
    return f"id:{event_id}" if event_id.startswith(UNNAMED) else event_id


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=1024)
def _read(place: str) -> tuple[str, tuple[str, ...]]:
    """Return the header's name, or else the steps into the body."""
    kind, _, name = place.partition(":")
    return (name.lower(), ()) if kind == "header" else ("", tuple(name.split(".")))


@lru_cache(maxsize=1024)
def _split(template: str) -> tuple[str, ...]:
    """Return literal, place, literal, place, ..., literal."""
    return tuple(_PLACE.split(template))


def _first(places: Sequence[str], headers: Headers, document: Document | None) -> str | None:
    for place in places:
        if found := locate(place, headers, document):
            return found
    return None


def _someone(found: str | None) -> str | None:
    """Return *found* unless it stands for nobody: one id for all who have none is no id."""
    if found and len(found) <= _LONGEST_NOBODY and found.strip().lower() in _NOBODY:
        return None
    return found


def _ordering(
    template: str | None, topic: str, headers: Headers, document: Document | None
) -> str | None:
    """Fill the template; None when a part of it is missing."""
    if template is None:
        return None
    parts = list(_split(template))
    for turn in range(1, len(parts), 2):
        place = parts[turn]
        about = head(topic) if place == TOPIC_HEAD else locate(place, headers, document)
        found = _someone(about)
        if not found:
            return None
        parts[turn] = found
    return "".join(parts)
