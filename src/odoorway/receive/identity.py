"""What event is this? Its id, topic, ordering key and version, read where the source says. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

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
    in_body, declared = _read_identity(identity)
    document, unreadable = _document(body, packed) if in_body or packed else (None, None)
    body_hash = hashlib.sha256(body).hexdigest()
    topic = _first(identity.topic, headers, document) or ""
    event_id = _someone(_first(identity.event_id, headers, document))
    key = _named(event_id) if event_id else UNNAMED + _digest(topic, body_hash)
    ordering_key = _ordering(identity.ordering_key, topic, headers, document)
    version = _first(identity.version, headers, document)
    found = (topic, event_id, ordering_key, version)
    lacks = [one for one in declared if not found[one.position]]
    flaws = (unreadable,) if unreadable else tuple(_flaw(one, document) for one in lacks)
    return Identified(topic, key, ordering_key or key, version, body_hash, flaws)


def possible_flaws(identity: Identity) -> Sequence[str]:
    """Return the diagnoses that events of such a source may have."""
    in_body, declared = _read_identity(identity)
    return (*(one.code for one in declared), PACKED, *([NOT_JSON] if in_body else []))


class _Declared(NamedTuple):
    """A part of an identity that a source says the places of."""

    position: int  # among topic, event id, ordering key, version
    code: str  # the diagnosis of an event that lacks it
    name: str
    places: Sequence[str]


@lru_cache(maxsize=256)
def _read_identity(identity: Identity) -> tuple[bool, Sequence[_Declared]]:
    """Return whether a part of it stands in the body, and the parts that are declared."""
    parts = (
        _Declared(0, NO_TOPIC, "topic", identity.topic),
        _Declared(1, "event.no-id", "event id", identity.event_id),
        _Declared(2, "event.no-ordering-key", "ordering key", (identity.ordering_key or "",)),
        _Declared(3, "event.no-version", "version", identity.version),
    )
    declared = tuple(one for one in parts if any(one.places))
    return any("json:" in place for one in declared for place in one.places), declared


def _document(body: bytes, packed: str) -> tuple[Document | None, Flaw | None]:
    """Return the parsed body, or why there is none."""
    if packed:
        return None, Flaw(PACKED, packed)
    try:
        return Document(body), None
    except Unreadable as error:
        return None, Flaw(NOT_JSON, str(error)[:200])


def _flaw(lacked: _Declared, document: Document | None) -> Flaw:
    places = " or ".join(lacked.places)
    where = f"in this body: it is {document.shape}" if document else "in this request"
    return Flaw(lacked.code, f"the {lacked.name}'s place {places} names nothing {where}")


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
