"""A refused request: its status, its diagnosis, and the answer. Pure."""

import json

from odoorway.diagnose.catalog import diagnosis
from odoorway.errors import OdoorwayError

_STATUS = {
    "request.unknown-source": 404,
    "request.not-found": 404,
    "request.method-not-allowed": 405,
    "request.too-large": 413,
    "request.headers-too-large": 431,
    "request.unsupported-encoding": 415,
    "request.bad-encoding": 400,
    "request.bad-length": 400,
    "request.too-slow": 408,
    "signature.missing": 401,
    "signature.malformed": 401,
    "signature.mismatch": 401,
    "signature.expired": 401,
    "gateway.overloaded": 429,
    "gateway.journal-unavailable": 503,
    "gateway.stopping": 503,
    "gateway.internal-error": 500,
}
_RETRY_AFTER = {429: b"5", 503: b"30"}


class RequestRefused(OdoorwayError):
    """The request is refused with a diagnosis; ``detail`` is for the sender and holds no secret."""

    def __init__(self, code: str, detail: str = "", *, unread: bool = False) -> None:
        """Refuse with the diagnosis *code*; ``unread`` says that body bytes are still to come."""
        super().__init__(code)
        self.code, self.detail, self.unread = code, detail, unread

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS[self.code]


def problem(refused: RequestRefused) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and body of the answer, as RFC 9457 wants them."""
    about = diagnosis(refused.code)
    body = json.dumps(
        {
            "type": f"/diagnoses/{about.code}",
            "title": about.title,
            "status": refused.status,
            "detail": refused.detail or about.cause,
            "code": about.code,
        }
    ).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if refused.status in _RETRY_AFTER:
        headers.append((b"retry-after", _RETRY_AFTER[refused.status]))
    if refused.code == "request.method-not-allowed":
        headers.append((b"allow", b"POST"))
    if refused.unread or refused.code == "gateway.stopping":
        headers.append((b"connection", b"close"))
    return headers, body
