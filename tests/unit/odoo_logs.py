"""Recorded logs of real Odoo servers, and what the tests of `doctor logs` share."""

import re
from collections.abc import Iterable
from pathlib import Path

from odoorway.doctor.logs.reading import GroupedIncident, Reading

DATA = Path(__file__).parent / "data" / "odoo_logs"
RECORDED = {path.stem: path.read_bytes() for path in sorted(DATA.glob("*.log"))}
_RECORD = re.compile(rb"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ )", re.MULTILINE)
_PID = re.compile(rb"^\S{10} \S{12} (\d+) [A-Z]+ ", re.MULTILINE)


def read(*chunks: bytes | None) -> tuple[Reading, list[GroupedIncident]]:
    """Read a log that comes in those chunks to its end."""
    reading = Reading()
    found = [*reading.read(chunks), *reading.finish()]
    return reading, found


def records(log: bytes) -> list[bytes]:
    """Return the log's records, each with its continuation lines."""
    return [one for one in _RECORD.split(log) if one.strip()]


def as_other_processes(log: bytes, number: int) -> bytes:
    """Return the log with other process ids: those of one *number* are those of no other."""
    for pid in set(_PID.findall(log)):
        log = re.sub(rb"\b%b\b" % pid, b"%b%02d" % (pid, number), log)
    return log


def told(founds: Iterable[GroupedIncident]) -> list[tuple[str, str | None, str | None, int | None]]:
    """Return what matters of incidents, sorted: kind, code, request's path and status."""
    return sorted(
        (
            (
                one.group.kind,
                one.group.code,
                one.incident.access.path if one.incident.access else None,
                one.incident.access.status if one.incident.access else None,
            )
            for one in founds
        ),
        key=str,
    )
