"""What is known of one failure, and how a pasted text becomes it. Pure.

Everything here may come from a stranger: texts are cut, and no expression backtracks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from odoorway.outside import Unreadable, read_json

_MOST = 200_000  # characters that are looked at
_STATUS_LINE = re.compile(r"\s*HTTP/\d(?:\.\d)? (\d{3})\b")
_REQUEST_LINE = re.compile(
    r"\s*(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (\S+)(?: HTTP/[\d.]+)?\s*$"
)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}:")
_LOG_LINE = re.compile(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ \S+ [\w.-]+:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A request, its answer and what the server logged, as far as each is known."""

    method: str = ""
    path: str = ""
    request_headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    request_body: str = ""
    status: int = 0  # 0: there was no answer, or it is not known
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: str = ""
    log: str = ""
    answered: bool = True  # False: it is known that no answer came

    @property
    def json(self) -> Any:
        """The answer's body as JSON, or None."""
        return parsed(self.body)

    @property
    def sent(self) -> Any:
        """The request's body as JSON, or None."""
        return parsed(self.request_body)


def parsed(text: str) -> Any:
    """Return *text* as JSON, or None when it is none."""
    try:
        return read_json(text)
    except Unreadable:
        return None


def read_request(text: str) -> tuple[str, str, dict[str, str], str]:
    """Return method, path, headers and body of a request's text."""
    head, body = _split(text)
    first, _, rest = head.partition("\n")
    found = _REQUEST_LINE.match(first[:2000])
    method, path = (found[1], found[2]) if found else ("", "")
    return method, path, _headers(rest), body


def read_answer(text: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of an answer's text; the last, if some came before it."""
    head, body = _split(text)
    while _STATUS_LINE.match(body) and head.split(" ")[1:2] == ["100"]:
        head, body = _split(body)
    found = _STATUS_LINE.match(head)
    if not found:
        return 0, {}, text
    return int(found[1]), _headers(head.partition("\n")[2]), body


def read(text: str) -> Evidence:
    """Return the evidence in what somebody pasted.

    It may be a status, an HTTP answer with or without its head, the error of an RPC call, a
    traceback, lines of Odoo's log, or a request and its answer one after the other.
    """
    text = text[:_MOST].replace("\r\n", "\n").lstrip("\ufeff")
    bare = re.fullmatch(r"\s*(?:HTTP\s*)?(\d{3})(?: [A-Za-z ]{1,40})?\s*", text)
    if bare:
        return Evidence(status=int(bare[1]))
    if _REQUEST_LINE.match(text.partition("\n")[0][:2000]):
        return _request_first(text)
    if _STATUS_LINE.match(text):
        body_end = _LOG_LINE.search(text)
        cut = body_end.start() if body_end else len(text)
        status, headers, body = read_answer(text[:cut])
        return Evidence(status=status, headers=headers, body=body, log=text[cut:])
    if _LOG_LINE.search(text) or "Traceback (most recent call last):" in text:
        return Evidence(log=text) if parsed(text) is None else Evidence(body=text)
    return Evidence(body=text)


def _request_first(text: str) -> Evidence:
    answer = re.search(r"(?m)^HTTP/\d(?:\.\d)? \d{3}", text)
    at = answer.start() if answer else len(text)
    method, path, request_headers, request_body = read_request(text[:at])
    rest = read(text[at:]) if answer else Evidence()
    return Evidence(
        method=method,
        path=path,
        request_headers=request_headers,
        request_body=request_body.rstrip("\n"),
        status=rest.status,
        headers=rest.headers,
        body=rest.body,
        log=rest.log,
    )


def _split(text: str) -> tuple[str, str]:
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    return head, body


def _headers(text: str) -> dict[str, str]:
    lines = [line for line in text.split("\n")[:200] if _HEADER.match(line)]
    return {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
