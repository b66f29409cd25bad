"""Is this request genuine? Pure, and never raises on anything a sender can write."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from odoorway.errors import SettingsError
from odoorway.model.event import Headers
from odoorway.model.source import Encoding, HeaderFormat, Hmac, KeyFormat, SourceDefinition

MISSING, MALFORMED = "signature.missing", "signature.malformed"
MISMATCH, EXPIRED = "signature.mismatch", "signature.expired"
_FIELD = re.compile(rb"\{(body|timestamp|header:[^}]+)\}")


def resolve_secrets(definition: SourceDefinition, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets' values, ``env:NAME`` looked up in *environ*.

    Raises:
        SettingsError: one is missing, empty or not of the platform's form.
    """
    found = tuple(_resolve(secret, environ) for secret in definition.secrets)
    for value in found:
        key_bytes(value, definition.hmac.key)
    return found


def _resolve(secret: str, environ: Mapping[str, str]) -> str:
    if not secret.startswith("env:"):
        return secret
    name = secret.removeprefix("env:")
    if not environ.get(name):
        raise SettingsError(
            f"the secret {name} is not set; put {name}=... in .env or the environment, with the"
            " signing secret that the platform shows"
        )
    return environ[name]


def key_bytes(secret: str, form: KeyFormat) -> bytes:
    """Return the HMAC key that a secret's text stands for.

    Raises:
        SettingsError: the text is not of that form; it is not shown.
    """
    try:
        match form:
            case KeyFormat.UTF8:
                return secret.encode()
            case KeyFormat.WHSEC:
                return _nonempty(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
            case KeyFormat.HEX:
                return _nonempty(bytes.fromhex(secret))
    except ValueError:
        raise SettingsError(
            f"a signing secret is not valid {form.value}; copy it anew from the platform"
        ) from None


def _nonempty(key: bytes) -> bytes:
    if not key:
        raise ValueError("empty key")
    return key


class Verifier:
    """A source's scheme with its secrets, ready for the receive path."""

    def __init__(self, definition: SourceDefinition, secrets: Sequence[str]) -> None:
        """Verify requests of *definition* with any of *secrets*.

        Raises:
            SettingsError: there is no secret, or one is empty or malformed.
        """
        if not secrets or not all(secrets):
            raise SettingsError("a source needs a signing secret; an empty one would let all in")
        self._scheme = definition.hmac
        self.secrets = tuple(secrets)
        self._keys = tuple(key_bytes(secret, self._scheme.key) for secret in secrets)

    def __call__(self, headers: Headers, body: bytes, now: float) -> str | None:
        """Return None when the request is genuine, else the code of what is wrong.

        Every candidate is compared in constant time. A signed timestamp counts only once the
        signature over it is genuine, so a forger learns nothing about the clock.
        """
        return verify(self._scheme, self._keys, headers, body, now)


def verify(
    scheme: Hmac, keys: Sequence[bytes], headers: Headers, body: bytes, now: float
) -> str | None:
    """Return None when *body* is signed with one of *keys* and is recent, else a code."""
    wanted = scheme.header.lower()
    given = [value for name, value in headers if name == wanted]
    if not given or not given[0].strip():
        return MISSING
    if len(given) > 1:
        return MALFORMED
    timestamp = _timestamp(scheme, given[0], headers)
    candidates = _candidates(scheme, given[0])
    message = _message(scheme, headers, timestamp, body)
    if not candidates or message is None:
        return MALFORMED
    if not _any_match(scheme.algorithm, keys, message, candidates):
        return MISMATCH
    return _age(scheme, timestamp, now)


def _any_match(
    algorithm: str, keys: Sequence[bytes], message: bytes, candidates: Sequence[bytes]
) -> bool:
    """Compare all with all, so that the time taken tells nothing."""
    found = False
    for key in keys:
        wanted = hmac.digest(key, message, algorithm)
        for candidate in candidates:
            found |= hmac.compare_digest(wanted, candidate)
    return found


def _age(scheme: Hmac, timestamp: str | None, now: float) -> str | None:
    if scheme.timestamp is None:
        return None
    if timestamp is None or not re.fullmatch(r"\d{1,15}", timestamp, re.ASCII):
        return MALFORMED
    return EXPIRED if abs(now - int(timestamp)) > scheme.tolerance else None


def _timestamp(scheme: Hmac, signature: str, headers: Headers) -> str | None:
    if scheme.timestamp is None:
        return None
    kind, _, name = scheme.timestamp.partition(":")
    if kind == "pair":
        return next((v for k, v in _pairs(signature) if k == name), None)
    return _header(headers, name)


def _header(headers: Headers, name: str) -> str | None:
    wanted = name.lower()
    found = [value for key, value in headers if key == wanted]
    return found[0] if len(found) == 1 else None


def _pairs(text: str) -> list[tuple[str, str]]:
    parts = (part.strip().partition("=") for part in text.split(","))
    return [(key, value) for key, found, value in parts if found]


def _candidates(scheme: Hmac, text: str) -> list[bytes]:
    """Return the signatures in the header, decoded; those that cannot be are left out."""
    match scheme.format:
        case HeaderFormat.PLAIN:
            stripped = text.strip()
            plain = stripped.removeprefix(scheme.prefix)
            values = [plain] if stripped.startswith(scheme.prefix) else []
        case HeaderFormat.PAIRS:
            values = [v for k, v in _pairs(text) if k == scheme.tag]
        case HeaderFormat.LIST:
            entries = (entry.partition(",") for entry in text.split(" "))
            values = [value for tag, _, value in entries if tag == scheme.tag]
    size = _digest_size(scheme.algorithm)
    decoded = (_decode(value, scheme.encoding) for value in values)
    return [one for one in decoded if one is not None and len(one) == size]


@lru_cache(maxsize=16)
def _digest_size(algorithm: str) -> int:
    return hashlib.new(algorithm).digest_size


def _decode(text: str, encoding: Encoding) -> bytes | None:
    try:
        if encoding is Encoding.HEX:
            return bytes.fromhex(text) if text.isalnum() else None
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _message(scheme: Hmac, headers: Headers, timestamp: str | None, body: bytes) -> bytes | None:
    """Return what must have been signed, or None when a part of it is missing."""
    if scheme.signed == "{body}":
        return body
    missing = False

    def fill(match: re.Match[bytes]) -> bytes:
        nonlocal missing
        name = match[1].decode()
        if name == "body":
            return body
        value = timestamp if name == "timestamp" else _header(headers, name.partition(":")[2])
        missing |= value is None
        return (value or "").encode("utf-8", "surrogateescape")

    message = _FIELD.sub(fill, scheme.signed.encode())
    return None if missing else message
