"""The generic source: any platform that signs with an HMAC, described by data."""

import hashlib
import re
from collections.abc import Sequence
from typing import TypeVar

from odoorway.errors import DeclarationError
from odoorway.model.source import (
    TOPIC_HEAD,
    Encoding,
    HeaderFormat,
    Hmac,
    Identity,
    KeyFormat,
    SourceDefinition,
)

_SIGNED = re.compile(r"\{(body|timestamp|header:[A-Za-z0-9-]+)\}")
_PLACE = re.compile(r"header:[A-Za-z0-9_-]+|json:[^\s{}.]+(\.[^\s{}.]+)*")
_IN_TEXT = re.compile(r"\{([^{}]*)\}")
_ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
Places = str | Sequence[str]
_E = TypeVar("_E", Encoding, HeaderFormat, KeyFormat)


def source(  # noqa: PLR0913 - each is one fact about the platform
    *,
    secret: str | Sequence[str],
    header: str,
    algorithm: str = "sha256",
    encoding: str = "hex",
    prefix: str = "",
    signed: str = "{body}",
    timestamp: str | None = None,
    tolerance: float = 300.0,
    key: str = "utf8",
    format: str = "plain",  # noqa: A002 - the field's own word
    tag: str = "v1",
    event_id: Places = (),
    topic: Places = (),
    ordering_key: str | None = None,
    version: Places = (),
    platform: str = "hmac",
) -> SourceDefinition:
    """Describe a platform that signs with an HMAC.

    ``secret`` is the text, ``env:NAME``, or several of them while one is rotated. ``signed`` says
    what is signed: ``{body}``, ``{timestamp}`` and ``{header:Name}`` in any text. Places are
    ``header:Name`` or ``json:path.to.value``, with numbers for the elements of a list; several are
    tried in order. ``ordering_key`` is text with places in it that begins with the kind of thing,
    like ``order/{json:id}``, or ``{topic:head}/{json:id}`` where ``orders/paid`` or ``order.paid``
    is the topic: a source's contact 7 and its invoice 7 are two things. One that is an id alone
    gets ``{topic:head}/`` in front.

    Raises:
        DeclarationError: something of it cannot work; the message says what to write.
    """
    _check(algorithm, signed, timestamp, (*_all(event_id), *_all(topic), *_all(version)))
    about = _with_kind(ordering_key, _all(topic))
    return SourceDefinition(
        platform=platform,
        secrets=_secrets(secret),
        hmac=Hmac(
            header=header,
            algorithm=algorithm,
            encoding=_one_of(Encoding, encoding, "encoding"),
            format=_one_of(HeaderFormat, format, "format"),
            prefix=prefix,
            tag=tag,
            signed=signed,
            timestamp=timestamp,
            tolerance=tolerance,
            key=_one_of(KeyFormat, key, "key"),
        ),
        identity=Identity(
            event_id=_all(event_id),
            topic=_all(topic),
            ordering_key=about,
            version=_all(version),
        ),
    )


def _secrets(secret: str | Sequence[str]) -> tuple[str, ...]:
    found = _all(secret)
    if not found or not all(isinstance(one, str) and one not in ("", "env:") for one in found):
        raise DeclarationError(
            'a source needs a secret, like secret="env:SHOPIFY_SECRET"; an empty one would let'
            " everybody in"
        )
    return found


def _all(places: Places) -> tuple[str, ...]:
    return (places,) if isinstance(places, str) else tuple(places)


def _one_of(kind: type[_E], value: str, name: str) -> _E:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(repr(one.value) for one in kind)
        raise DeclarationError(f"{name}={value!r}: write one of {known}") from None


def _check(algorithm: str, signed: str, timestamp: str | None, places: Sequence[str]) -> None:
    if algorithm not in _ALGORITHMS or algorithm not in hashlib.algorithms_available:
        raise DeclarationError(f"algorithm={algorithm!r}: write one of {', '.join(_ALGORITHMS)}")
    if "{body}" not in signed or "{" in _SIGNED.sub("", signed):
        raise DeclarationError(
            f"signed={signed!r}: write what is signed with {{body}}, {{timestamp}} and"
            " {header:Name}; the body must be in it"
        )
    if ("{timestamp}" in signed) != (timestamp is not None):
        raise DeclarationError(
            "timestamp= and {timestamp} in signed= go together: a time that is not signed"
            " protects from nothing"
        )
    for place in places:
        if not _PLACE.fullmatch(place):
            raise DeclarationError(f"{place!r}: write header:Name or json:path.to.value")


def _with_kind(template: str | None, topic: tuple[str, ...]) -> str | None:
    """Return an ordering key that says of what kind its id is, where the topic tells.

    Raises:
        DeclarationError: it cannot be filled.
    """
    if template is None:
        return None
    literal, *rest = _IN_TEXT.split(template)
    places = rest[::2]
    wrong = [place for place in places if place != TOPIC_HEAD and not _PLACE.fullmatch(place)]
    if wrong or "{" in "".join([literal, *rest[1::2]]):
        raise DeclarationError(
            f"ordering_key={template!r}: write text with {{header:Name}}, {{json:path.to.value}} or"
            ' {topic:head} in it, like "order/{json:id}"'
        )
    bare = places and not literal and (len(places) == 1 or not rest[1])
    return f"{{{TOPIC_HEAD}}}/{template}" if bare and topic else template
