"""Sign a request as the platform would: for ``send``, ``demo``, tests and benchmarks. Pure."""

import base64
import hmac
import re
from collections.abc import Mapping

from odoorway.model.source import Encoding, HeaderFormat, Hmac, KeyFormat, SourceDefinition

_FIELD = re.compile(rb"\{(body|timestamp|header:[^}]+)\}")


def sign(  # noqa: PLR0913 - each is one fact about the request
    definition: SourceDefinition,
    secret: str,
    body: bytes,
    *,
    topic: str,
    event_id: str,
    now: float,
) -> dict[str, str]:
    """Return the headers of a genuine request with that *body*.

    Topic and event id are given as headers where the platform has headers for them; elsewhere
    they stand in the body already.
    """
    headers = {"content-type": "application/json"}
    headers |= _placed(definition.identity.topic, topic)
    headers |= _placed(definition.identity.event_id, event_id)
    scheme, timestamp = definition.hmac, str(int(now))
    if scheme.timestamp and scheme.timestamp.startswith("header:"):
        headers[scheme.timestamp.removeprefix("header:")] = timestamp
    message = _message(scheme, headers, timestamp, body)
    digest = hmac.digest(_key(secret, scheme.key), message, scheme.algorithm)
    hexed = scheme.encoding is Encoding.HEX
    text = digest.hex() if hexed else base64.b64encode(digest).decode()
    headers[scheme.header] = _laid_out(scheme, text, timestamp)
    return headers


def _placed(places: tuple[str, ...], value: str) -> dict[str, str]:
    names = [p.removeprefix("header:") for p in places if p.startswith("header:")]
    return {names[0]: value} if names else {}


def _key(secret: str, form: KeyFormat) -> bytes:
    match form:
        case KeyFormat.UTF8:
            return secret.encode()
        case KeyFormat.WHSEC:
            return base64.b64decode(secret.removeprefix("whsec_"))
        case KeyFormat.HEX:
            return bytes.fromhex(secret)


def _message(scheme: Hmac, headers: Mapping[str, str], timestamp: str, body: bytes) -> bytes:
    lower = {name.lower(): value for name, value in headers.items()}

    def fill(match: re.Match[bytes]) -> bytes:
        name = match[1].decode()
        if name == "body":
            return body
        return (timestamp if name == "timestamp" else lower[name[7:].lower()]).encode()

    return _FIELD.sub(fill, scheme.signed.encode())


def _laid_out(scheme: Hmac, signature: str, timestamp: str) -> str:
    match scheme.format:
        case HeaderFormat.PLAIN:
            return scheme.prefix + signature
        case HeaderFormat.PAIRS:
            return f"t={timestamp},{scheme.tag}={signature}"
        case HeaderFormat.LIST:
            return f"{scheme.tag},{signature}"
