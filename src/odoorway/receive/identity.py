"""What event is this? Its id, topic, ordering key and version, read where the source says. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from odoorway.model.event import UNNAMED, Flaw, Headers
from odoorway.model.nobody import is_nobody
from odoorway.model.source import TOPIC_HEAD, Identity
from odoorway.outside import Unreadable
from odoorway.receive.document import Document

_PLACE = re.compile(r"\{([^}]+)\}")
_HEAD = re.compile(r"(.*)[/.]")
_MOST: Final = 512  # characters of a value; of a longer one the rest is its hash
_BEGINNING: Final = 400  # characters of such a one that stay to be read
NOT_JSON: Final = "payload.not-json"
PACKED: Final = "payload.packed"
NO_TOPIC: Final = "event.no-topic"


@dataclass(frozen=True, slots=True)
class Identified:
    """What makes an event the same event, and what it is about."""

    topic: str
    idempotency_key: str
    ordering_key: str
    version: str | None
    body_hash: str  # SHA-256, hex
    flaws: tuple[Flaw, ...] = ()  # what the source declares and this request does not have

    @property
    def unrouted(self) -> Flaw | None:
        """Why nobody can tell which routes it takes, where its topic should say so."""
        codes = {NOT_JSON, PACKED, NO_TOPIC}
        return None if self.topic else next((f for f in self.flaws if f.code in codes), None)


def identify(identity: Identity, headers: Headers, body: bytes, packed: str = "") -> Identified:
    """Return the identity of a verified request; *packed* says why its body cannot be unpacked.

    The idempotency key is the platform's event id, else a hash of topic and body. Without an
    ordering key of its own an event shares it with nothing. What cannot be found is a flaw,
    never an error: a verified request is an event, whatever is in it.
    """
    document, unreadable = _document(identity, body, packed)
    body_hash = hashlib.sha256(body).hexdigest()
    topic = _first(identity.topic, headers, document) or ""
    event_id = _someone(_first(identity.event_id, headers, document))
    key = _named(event_id) if event_id else UNNAMED + _digest(topic, body_hash)
    ordering_key = _ordering(identity.ordering_key, topic, headers, document)
    version = _first(identity.version, headers, document)
    absent = [
        one
        for one, declared, found in (
            (_Sought.TOPIC, identity.topic, topic),
            (_Sought.ID, identity.event_id, event_id),
            (_Sought.ORDERING_KEY, identity.ordering_key, ordering_key),
            (_Sought.VERSION, identity.version, version),
        )
        if declared and not found
    ]
    flaws = (unreadable,) if unreadable else tuple(_flaw(one, identity, document) for one in absent)
    return Identified(topic, key, ordering_key or key, version, body_hash, flaws)


class _Sought(Enum):
    """What a source may say the place of: its diagnosis and its name."""

    TOPIC = NO_TOPIC, "topic"
    ID = "event.no-id", "event id"
    ORDERING_KEY = "event.no-ordering-key", "ordering key"
    VERSION = "event.no-version", "version"


def _document(identity: Identity, body: bytes, packed: str) -> tuple[Document | None, Flaw | None]:
    """Return the parsed body where a part of the identity stands in it, or why there is none."""
    if packed:
        return None, Flaw(PACKED, packed)
    if not needs_json(identity):
        return None, None
    try:
        return Document(body), None
    except Unreadable as error:
        return None, Flaw(NOT_JSON, str(error)[:200])


def _flaw(sought: _Sought, identity: Identity, document: Document | None) -> Flaw:
    code, what = sought.value
    places = {
        _Sought.TOPIC: identity.topic,
        _Sought.ID: identity.event_id,
        _Sought.ORDERING_KEY: (identity.ordering_key or "",),
        _Sought.VERSION: identity.version,
    }[sought]
    where = f"in this body: it is {document.shape}" if document else "in this request"
    return Flaw(code, f"the {what}'s place {' or '.join(places)} names nothing {where}")


@lru_cache(maxsize=256)
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
    return found if found and not is_nobody(found) else None


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
