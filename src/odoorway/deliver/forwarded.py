"""What an answer to a forwarded body means. Pure."""

import re

from odoorway.deliver.port import Verdict
from odoorway.diagnose.catalog import diagnosis
from odoorway.model.delivery import Outcome
from odoorway.outside import Unreadable, read_json

_BUSY = (408, 425, 429)
_SHOWN = 300  # characters of an answer


def judge_forward(status: int, body: bytes, retry_after: float | None = None) -> Verdict:
    """Return what the answer means: delivered only for a 2xx without an error inside.

    Odoo answers a failed call of a ``jsonrpc`` route, and many controllers answer any failure,
    with HTTP 200 and an ``error`` in the body.
    """
    shown = f"HTTP {status}: {_text(body)}"
    if 300 <= status < 400:  # noqa: PLR2004 - the HTTP class of redirects
        return _verdict("forward.redirected", shown)
    if status >= 500 or status in _BUSY:  # noqa: PLR2004 - the HTTP class of server errors
        return _verdict("forward.server-error", shown, retry_after)
    if status >= 400 or _holds_error(body):  # noqa: PLR2004
        return _verdict("forward.refused", shown)
    return Verdict(outcome=Outcome.DELIVERED)


def failed(code: str, detail: str) -> Verdict:
    """Return the verdict of a forward that got no answer, or was not sent."""
    return _verdict(code, detail)


def _verdict(code: str, detail: str, retry_after: float | None = None) -> Verdict:
    outcome = Outcome.RETRY if diagnosis(code).transient else Outcome.DEAD
    return Verdict(outcome=outcome, code=code, detail=detail, retry_after=retry_after)


def _holds_error(body: bytes) -> bool:
    try:
        answer = read_json(body)
    except Unreadable:
        return False
    inside = answer.get("result") if isinstance(answer, dict) else None
    return any(
        isinstance(one, dict) and (one.get("error") or one.get("status") == "error")
        for one in (answer, inside)
    )


def _text(body: bytes) -> str:
    words = re.sub(r"<[^>]*>|\s+", " ", body[:4_000].decode(errors="replace"))
    return " ".join(words.split())[:_SHOWN]
