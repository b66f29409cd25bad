"""The exception behind a failure: from an error's body, an XML-RPC fault, or a log. Pure."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from odoorway.diagnose.evidence import Evidence, parsed

_LAST_LINE = re.compile(
    r"(?m)^((?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Failure|Denied|Expired|Violation"
    r"|Canceled|Column|Table|Function|Overflow|OutOfRange|Representation|NotFound|BadRequest"
    r"|Forbidden|Detected|NotAvailable|Timeout|TooLarge|Unauthorized|Entity|Interrupt"
    r"|InFailedSqlTransaction))(?:: ?(.*)| - - -)?$"
)
_HANDLED = re.compile(r"\s{1,4}(?:During handling of the|The) above exception")
_FAULT_CODE = re.compile(r"<name>faultCode</name>\s*<value><(?:int|string)>([^<]{1,80})<")
_FAULT_TEXT = re.compile(r"<name>faultString</name>\s*<value><string>([^<]*)<")
_JSON_NAME = re.compile(r'"name": ?"([\w.]{1,200})"')
_JSON_MESSAGE = re.compile(r'"message": ?"((?:[^"\\]|\\.){0,2000})"')
_RECORD = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:)")
# Odoo logs a traceback for each, and goes on: a file missing from a copied filestore, a key that is
# no key of a cache.
_HARMLESS = re.compile(
    r"\.ir_attachment: _read_file reading|"
    r" odoo\.tools\.cache: cache lookup error on"
)
_WARNED = re.compile(r"(?m)^\d{4}-[\d:, -]+ \d+ WARNING \S+ odoo\.http: (.*)")


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception: its class, its message, and the text around it."""

    name: str  # as qualified as it is told, like odoo.exceptions.UserError
    message: str
    trace: str = ""

    @property
    def short(self) -> str:
        """The class without its module."""
        return self.name.rpartition(".")[2]


def faults(evidence: Evidence) -> Iterator[Fault]:
    """Yield what exceptions are told, the surest first."""
    yield from _of_json(evidence.json)
    if evidence.json is None:
        yield from _of_cut_json(evidence.body)
    yield from _of_xml(evidence.body)
    yield from _of_text(evidence.body if "Traceback (most recent" in evidence.body else "")
    yield from _of_text(evidence.log)
    for warned in _WARNED.finditer(evidence.log):
        yield Fault("", warned[1].strip(), evidence.log)


def _of_json(body: Any) -> Iterator[Fault]:
    """Read JSON-2's error, or the ``data`` of a JSON-RPC one."""
    error = body.get("error", body) if isinstance(body, dict) else None
    data = error.get("data", error) if isinstance(error, dict) else None
    if isinstance(data, dict) and isinstance(data.get("name"), str) and "message" in data:
        trace = data.get("debug")
        message = data["message"]
        yield Fault(data["name"], str(message).strip(), trace if isinstance(trace, str) else "")


def _of_cut_json(body: str) -> Iterator[Fault]:
    """Read an error's JSON of which only the beginning was kept."""
    name = _JSON_NAME.search(body)
    message = _JSON_MESSAGE.search(body, name.end() if name else 0)
    if name and message:
        text = parsed(f'"{message[1]}"')
        yield Fault(name[1], str(text or message[1]), body)


def _of_xml(body: str) -> Iterator[Fault]:
    code, text = _FAULT_CODE.search(body), _FAULT_TEXT.search(body)
    if not code or not text:
        return
    told = html.unescape(text[1]).strip()
    name = {
        "2": "odoo.exceptions.UserError",
        "3": "odoo.exceptions.AccessDenied",
        "4": "odoo.exceptions.AccessError",
    }
    if code[1] in name:
        yield Fault(name[code[1]], told, told)
    else:
        yield from _of_text(told)
        yield Fault("", told, told)


def _of_text(text: str) -> Iterator[Fault]:
    """Read the last lines of tracebacks, the last one first: it is what the request ended with."""
    text = "".join(one for one in _RECORD.split(text) if not _HARMLESS.search(one[:300]))
    for one in reversed(list(_LAST_LINE.finditer(text))):
        if _HANDLED.match(text, one.end()):
            continue  # another was raised while this one was handled
        rest = text[one.end() : one.end() + 2000].split("\n20", maxsplit=1)[0]
        message = f"{one[2] or ''}{rest}".strip().removesuffix("- - -").strip()
        yield Fault(one[1], message, text[: one.end()])


def inner_text(body: str) -> str | None:
    """Return the text of an error that a controller gave with its answer."""
    answer = parsed(body)
    for one in (answer, answer.get("result") if isinstance(answer, dict) else None):
        if isinstance(one, dict) and isinstance(one.get("error"), str):
            return str(one["error"])
    return None
