"""What each answer of Odoo, or the lack of one, means for a delivery. Pure.

The texts are Odoo 19's own in English, which is the language of a gateway's user unless
somebody changed it; an error that no text tells apart is still judged by its status and class.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from odoorway.deliver.port import Verdict
from odoorway.deliver.retry_after import seconds
from odoorway.diagnose.catalog import diagnosis
from odoorway.model.delivery import Outcome
from odoorway.outside import Unreadable, read_json

_MAX_DETAIL = 2_000
_BUSY = (429, 502, 503, 504)
# How `load` of Odoo 14 meets a column that is no field; later versions have words for it.
_UNKNOWN_COLUMN = re.compile(r"in load\s+if isinstance\(model_fields\[")
_NO_SUCH_DATABASE = re.compile(r'database ".*" does not exist')
# JSON-RPC has no status; JSON-2 answers these exceptions with one that says more than 500.
_RPC_STATUS = {"odoo.exceptions.UserError": 422, "odoo.exceptions.ValidationError": 422}
_NO_DATABASE = b"No database is selected"


class Failure(StrEnum):
    """How a call ended without an answer."""

    UNREACHABLE = "unreachable"  # refused, reset before anything was sent, no such host, no TLS
    TIMEOUT = "timeout"
    EMPTY = "empty"  # the connection ended before the answer was whole
    DENIED = "denied"  # the login was refused, so nothing was called
    NO_LOGIN = "no-login"  # this Odoo needs one, and none is set
    TOO_LARGE = "too-large"  # the answer is over the client's limit


_FAILURES = {
    Failure.UNREACHABLE: ("odoo.unreachable", True),
    Failure.TIMEOUT: ("odoo.timeout", True),
    Failure.EMPTY: ("odoo.empty-answer", True),
    Failure.DENIED: ("odoo.bad-key", True),
    Failure.NO_LOGIN: ("odoo.login-needed", True),
    Failure.TOO_LARGE: ("odoo.unexpected-answer", False),
}

# First match wins. What quotes the payload's own values comes first: no value can then
# pretend to be a conflict, which would be tried again.
_BY_TEXT = tuple(
    (re.compile(pattern, re.DOTALL), code)
    for pattern, code in (
        (r"^No matching record found for", "odoo.no-match"),
        (r"^Unknown database identifier", "odoo.no-match"),
        (r"does not exist or has been deleted", "odoo.no-match"),
        (r"' does not seem to be an? ", "odoo.invalid-value"),
        (r"^Unknown value '.*' for boolean", "odoo.invalid-value"),
        (r"^Value '.*' not found in selection", "odoo.invalid-value"),
        (r"^Invalid (external ID|database id)", "odoo.invalid-value"),
        (r"Wrong value for \S+: ", "odoo.invalid-value"),
        (r"out of range|^invalid input syntax|does not match format", "odoo.invalid-value"),
        (r"^Invalid (operator|leaf) ", "odoo.invalid-value"),
        (r"Missing required value|^missing a required argument", "odoo.missing-required"),
        (r"Another model is using the record you are trying", "odoo.wrong-reference"),
        (r"Invalid (field|property) ", "odoo.unknown-field"),
        (r"^[Tt]he (model|method) '.*' does not exist", "odoo.unknown-model"),
        (r"^type object '[\w.]+' has no attribute", "odoo.unknown-model"),
        (r"^Object [\w.]+ doesn't exist", "odoo.unknown-model"),
        (r"not allowed to (access|create|modify|delete|read|write)", "odoo.access-denied"),
        (r"^Access to unauthorized or invalid companies", "odoo.access-denied"),
        (r"doesn't have '\w+' access to|^You do not have enough rights", "odoo.access-denied"),
        (r"could not serialize access|deadlock detected|could not obtain lock", "odoo.conflict"),
        (r"must be unique|already (assigned|exists|used)|duplicate key", "odoo.not-unique"),
        (r"can ?not have two ", "odoo.not-unique"),
        (r"^Unknown (error during import|database error)", "odoo.server-error"),
    )
)
_BY_CLASS = {
    "odoo.exceptions.AccessError": "odoo.access-denied",
    "odoo.exceptions.AccessDenied": "odoo.access-denied",
    "odoo.exceptions.LockError": "odoo.conflict",
    "odoo.exceptions.MissingError": "odoo.no-match",
    "psycopg2.errors.SerializationFailure": "odoo.conflict",
    "psycopg2.errors.DeadlockDetected": "odoo.conflict",
    "psycopg2.errors.LockNotAvailable": "odoo.conflict",
    "psycopg2.errors.QueryCanceled": "odoo.timeout",
    "werkzeug.exceptions.NotFound": "odoo.unknown-model",
}
_BY_STATUS = {
    403: "odoo.access-denied",
    409: "odoo.conflict",
    422: "odoo.validation",
    500: "odoo.server-error",
}
# PostgreSQL went away under Odoo: nobody's delivery is at fault.
_DATABASE_LOST = ("psycopg2.OperationalError", "psycopg2.InterfaceError", "psycopg2.pool.PoolError")


def judge_answer(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Verdict:
    """Return what an HTTP answer of the JSON-2 API means; delivered when it is a result.

    *headers* are found whatever their case if the mapping does so; *now* is Unix seconds, for a
    ``Retry-After`` that is a date.
    """
    if status in _BUSY:
        return _blame(
            "odoo.unavailable", f"HTTP {status}", seconds(headers.get("Retry-After", ""), now)
        )
    known, answer = _parsed(body)
    if 200 <= status < 300:  # noqa: PLR2004 - the HTTP class of success
        return Verdict(outcome=Outcome.DELIVERED) if known else _no_result(status, body)
    if status == 401:  # noqa: PLR2004
        return _blame("odoo.bad-key", _text(status, answer, body))
    if isinstance(answer, dict) and "name" in answer:
        name, text = answer.get("name"), str(answer.get("message", "")).strip()
        return _judge_error(status, answer, f"HTTP {status} {name}: {text}")
    return _judge_foreign(status, body)


def judge_rpc(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Verdict:
    """Return what an answer to JSON-RPC means, whose errors come inside HTTP 200.

    What never reached Odoo's RPC is judged as any other answer.
    """
    verdict = judge_answer(status, headers, body, now=now)
    if verdict.outcome is not Outcome.DELIVERED:
        return verdict
    _, envelope = _parsed(body)
    if not isinstance(envelope, dict) or not ("result" in envelope or "error" in envelope):
        return _blame("odoo.not-odoo", _text(status, None, body))
    error = envelope.get("error")
    return verdict if error is None else _judge_fault(error)


def _judge_fault(error: Any) -> Verdict:
    """Judge the error of a JSON-RPC answer; its ``data`` has the form of a JSON-2 error."""
    data = error.get("data") if isinstance(error, dict) else None
    if not isinstance(data, dict):
        return _verdict("odoo.unexpected-answer", str(error))
    name, text = str(data.get("name")), str(data.get("message", "")).strip()
    if name == "odoo.exceptions.AccessDenied":
        return _blame("odoo.bad-key", f"{name}: {text}")
    if name == "psycopg2.OperationalError" and _NO_SUCH_DATABASE.search(text):
        return _blame("odoo.database-not-selected", f"{name}: {text}")
    if name == "builtins.KeyError" and _UNKNOWN_COLUMN.search(str(data.get("debug"))):
        return _verdict("odoo.unknown-field", f"no field {text!r}")
    return _judge_error(_RPC_STATUS.get(name, 500), data, f"{name}: {text}")


def judge_failure(kind: Failure, detail: str = "") -> Verdict:
    """Return what it means that there was no answer."""
    code, blame = _FAILURES[kind]
    return Verdict(outcome=Outcome.RETRY, code=code, detail=detail, blame_destination=blame)


def judge_load_message(message: Mapping[str, Any]) -> Verdict:
    """Return what an error message of `load`, which comes with HTTP 200, means for its record."""
    text = str(message.get("message", "")).strip()
    field = message.get("field")
    shown = f"{field}: {text}" if field else text
    return _verdict(_by_text(text) or "odoo.validation", shown)


def _judge_error(status: int, error: Mapping[str, Any], shown: str) -> Verdict:
    """Judge an error that Odoo reports in its own form."""
    name, text = str(error.get("name")), str(error.get("message", "")).strip()
    if name in _DATABASE_LOST:
        return _blame("odoo.unavailable", shown)
    code = _BY_CLASS.get(name) or _by_text(text) or _BY_STATUS.get(status)
    return _verdict(code or "odoo.unexpected-answer", shown)


def _judge_foreign(status: int, body: bytes) -> Verdict:
    """Judge an error page: Odoo's outermost layer, a proxy's, or another server's."""
    shown = _text(status, None, body)
    if status == 404 and _NO_DATABASE in body:  # noqa: PLR2004
        return _blame("odoo.database-not-selected", shown)
    if status >= 500:  # noqa: PLR2004 - the HTTP class of server errors
        return _blame("odoo.unavailable", shown)
    if status == 413:  # noqa: PLR2004 - a proxy's limit: a smaller call may pass
        return _verdict("odoo.unexpected-answer", shown)
    return _blame("odoo.not-odoo", shown)


def _no_result(status: int, body: bytes) -> Verdict:
    if not body.strip():
        return _blame("odoo.empty-answer", f"HTTP {status} with an empty body")
    return _blame("odoo.not-odoo", _text(status, None, body))


def _by_text(text: str) -> str | None:
    return next((code for pattern, code in _BY_TEXT if pattern.search(text)), None)


def _verdict(code: str, detail: str) -> Verdict:
    """Return the verdict of one delivery: what a machine cannot mend is a dead letter."""
    outcome = Outcome.RETRY if diagnosis(code).transient else Outcome.DEAD
    return Verdict(outcome=outcome, code=code, detail=detail[:_MAX_DETAIL])


def _blame(code: str, detail: str, retry_after: float | None = None) -> Verdict:
    """Return the verdict of every delivery: the destination has to be mended first."""
    return Verdict(
        outcome=Outcome.RETRY,
        code=code,
        detail=detail[:_MAX_DETAIL],
        retry_after=retry_after,
        blame_destination=True,
    )


def _parsed(body: bytes) -> tuple[bool, Any]:
    try:
        return True, read_json(body)
    except Unreadable:
        return False, None


def _text(status: int, answer: Any, body: bytes) -> str:
    if isinstance(answer, dict) and "message" in answer:
        return f"HTTP {status}: {answer['message']}"
    words = re.sub(r"<[^>]*>|\s+", " ", body[:4_000].decode(errors="replace"))
    return f"HTTP {status}: {' '.join(words.split())[:300]}"
