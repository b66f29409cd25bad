"""Odoo's log as records. Speed comes from never parsing a line that cannot matter.

One regular expression finds the first line of every record in a block of bytes and sorts it; only
what went wrong, and the requests around it, become objects.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

Pid = bytes
_KEPT = 8 << 10  # bytes of a record that are kept at each of its ends

# INFO is skipped, except what tells why a request failed.
_TELLING = (
    rb"odoo\.(?:"
    rb"http: (?:Session expired|Exception|<function|/)"
    rb"|service\.model: [A-Z_]+,"
    rb"|service\.server: Worker \(\d+\) [^\n]*limit"
    rb"|tools\.misc: \n# Thread"
    rb"|sql_db: Connection to the database failed"
    rb"|(?:modules\.)?registry: Reloading the model registry"
    rb"|addons\.base\.models\.(?:ir_(?:model|rule): Access Denied|res_users: Login failed)"
    rb")"
)
_FIRST_LINE = re.compile(
    rb"\n(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<pid>\d{1,10}) "
    rb"(?:INFO \S+ (?:"
    rb"werkzeug: [^\n]*\" (?:(?P<failed>[45H]|30[12378])|(?P<fine>[123]))"
    rb"|(?P<telling>" + _TELLING + rb"))"
    rb"|(?P<bad>WARNING|ERROR|CRITICAL) "
    rb"|(?P<other>[A-Z]+) )"
)
_RECORD = re.compile(
    r"\n(?P<time>\S+ \S+) (?P<pid>\d+) (?P<level>[A-Z]+) (?P<db>\S+) (?P<logger>[^\s:]+): ?"
    r"(?P<text>.*)",
    re.DOTALL,
)
_ACCESS = re.compile(
    rb"\n(?P<time>\S+ \S+) (?P<pid>\d+) INFO (?P<db>\S+) werkzeug: \S+ - - \[[^\]\n]*\] "
    rb'"(?P<method>[A-Z]+) (?P<path>[^\n]*) HTTP/[\d.]+" '
    rb"(?:(?P<status>\d{3})|HTTPStatus\.(?P<name>[A-Z_]+)) \S+"
    rb"(?: (?:\d+|-) (?P<sql>\d{1,9}(?:\.\d{1,9})?|-) (?P<rest>\d{1,9}(?:\.\d{1,9})?|-))?"
)
_COLOUR = re.compile(rb"\x1b\[[0-9;]{0,20}m")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record: what was logged, with its continuation lines (a traceback among them)."""

    time: str  # as written, such as 2026-11-23 22:32:33,837
    pid: Pid
    level: str
    db: str  # "?" before one is chosen
    logger: str
    text: str

    @property
    def at(self) -> float:
        """The time in seconds."""
        return seconds(self.time)

    @property
    def traceback(self) -> bool:
        """Whether it carries a traceback."""
        return "\nTraceback (most recent call last):" in self.text


@dataclass(frozen=True, slots=True)
class Access:
    """One request, as the server notes it at its end."""

    time: str
    pid: Pid
    db: str
    method: str
    path: str  # without its query string
    status: int
    took: float | None  # seconds; None where the server did not measure

    @property
    def at(self) -> float:
        """The time of the request's end, in seconds."""
        return seconds(self.time)

    @property
    def fine(self) -> bool:
        """Whether the status tells of no failure; a redirect turns a webhook away."""
        return self.status < 300 or self.status == HTTPStatus.NOT_MODIFIED  # noqa: PLR2004


class Scanner:
    """Turns blocks of whole lines into records, in their order.

    Requests that succeeded are left out, except those of a process in *waiting*, whose next request
    is needed to explain what was logged before it.
    """

    def __init__(self, waiting: Container[Pid]) -> None:
        self._waiting = waiting
        self._open = b""  # the last record: more of its lines may come
        self.first = ""  # the time of the first record
        self.last = ""  # the time of the last one
        self.requests = False  # whether there are access lines

    def feed(self, block: bytes) -> Iterator[LogRecord | Access]:
        """Yield what *block*, whole lines without the last line's end, completes."""
        if b"\x1b" in block:
            block = _COLOUR.sub(b"", block)
        data = b"%b\n%b" % (self._open, block)
        unfinished = first = None
        for first in _FIRST_LINE.finditer(data):
            if unfinished is not None:
                yield from _record(data[unfinished : first.start()])
                unfinished = None
            kind = first.lastgroup
            if kind == "failed" or (kind == "fine" and first["pid"] in self._waiting):
                yield from _access(data, first.start())
            elif kind in {"bad", "telling"}:
                unfinished = first.start()
        self._open = b"" if unfinished is None else _shortened(data[unfinished:])
        if first:
            self._note(data, first)

    def finish(self) -> Iterator[LogRecord | Access]:
        """Yield the last record: no more lines of it will come."""
        last, self._open = self._open, b""
        yield from _record(last)

    def _note(self, data: bytes, last: re.Match[bytes]) -> None:
        self.requests = self.requests or b" werkzeug: " in data
        self.last = _text(last["time"])
        first = None if self.first else _FIRST_LINE.search(data)
        self.first = _text(first["time"]) if first else self.first


def seconds(time: str) -> float:
    """Return the seconds of a time as Odoo writes it; 0 for one that no calendar has."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _shortened(text: bytes) -> bytes:
    return text if len(text) <= 2 * _KEPT else text[:_KEPT] + text[-_KEPT:]


def _record(text: bytes) -> Iterator[LogRecord]:
    found = _RECORD.match(_shortened(text).decode(errors="replace"))
    if found:
        time, pid, level, db, logger, message = found.groups()
        yield LogRecord(
            time, pid.encode(), level, db, logger, message.replace("\r\n", "\n").rstrip()
        )


def _access(data: bytes, start: int) -> Iterator[Access]:
    found = _ACCESS.match(data, start)
    if found is None:
        return
    path = found["path"].partition(b"?")[0].partition(b"#")[0]
    yield Access(
        time=found["time"].decode(),
        pid=found["pid"],
        db=_text(found["db"]),
        method=found["method"].decode(),
        path=_text(path[:500]),
        status=_status(found["status"], found["name"]),
        took=_took(found["sql"], found["rest"]),
    )


def _status(number: bytes | None, name: bytes | None) -> int:
    """Return the status; some Python versions print its name instead."""
    named = HTTPStatus.__members__.get(_text(name or b""))
    return int(number) if number else (named or 0)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _took(sql: bytes | None, rest: bytes | None) -> float | None:
    if sql is None or rest is None or b"-" in (sql, rest):
        return None
    return float(sql) + float(rest)
