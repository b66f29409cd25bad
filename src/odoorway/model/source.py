"""What a source is: how its requests are verified and where their identity stands. Pure data."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

TOPIC_HEAD: Final = "topic:head"  # in an ordering key: the topic up to its last / or .


class Encoding(StrEnum):
    """How the signature is written in its header."""

    HEX = "hex"
    BASE64 = "base64"


class KeyFormat(StrEnum):
    """How the secret's text becomes the HMAC key."""

    UTF8 = "utf8"  # the text's own bytes
    WHSEC = "whsec"  # base64, after an optional ``whsec_``
    HEX = "hex"


class HeaderFormat(StrEnum):
    """How the signature header is laid out."""

    PLAIN = "plain"  # the signature, after an optional prefix
    PAIRS = "pairs"  # t=1,v1=abc,v1=def
    LIST = "list"  # v1,abc v1,def


@dataclass(frozen=True, slots=True, kw_only=True)
class Hmac:
    """A declarative HMAC scheme.

    ``signed`` is what is signed, a template of ``{body}``, ``{timestamp}`` and
    ``{header:Name}``. ``timestamp`` is a location, ``header:Name`` or, for PAIRS,
    ``pair:t``; a request older or newer than ``tolerance`` seconds is refused.
    """

    header: str
    algorithm: str = "sha256"
    encoding: Encoding = Encoding.HEX
    format: HeaderFormat = HeaderFormat.PLAIN
    prefix: str = ""
    tag: str = "v1"  # which pairs or list entries count
    signed: str = "{body}"
    timestamp: str | None = None
    tolerance: float = 300.0
    key: KeyFormat = KeyFormat.UTF8


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Where a request says what it is.

    A location is ``header:Name`` or ``json:path.to.0.value``; a sequence of them is tried in
    order. ``ordering_key`` is a template over locations that begins with the kind of thing:
    ``order/{json:id}``, or ``{topic:head}/{json:id}`` where the topic says it.
    """

    event_id: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    ordering_key: str | None = None
    version: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDefinition:
    """One platform's way to send, and the secrets of one account there.

    A secret is a literal or ``env:NAME``; any of several verifies, so that one can be rotated.
    """

    platform: str
    secrets: tuple[str, ...] = field(repr=False)
    hmac: Hmac
    identity: Identity
    samples: tuple[str, ...] = ()  # names of the recorded requests that ``check`` runs
