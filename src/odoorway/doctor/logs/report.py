"""What a log told, as data for a program."""

from typing import Any

from odoorway.diagnose.catalog import CATALOG
from odoorway.doctor.logs.fingerprint import Frame
from odoorway.doctor.logs.groups import IncidentGroup, request_of, when
from odoorway.doctor.logs.reading import GroupedIncident, Reading


def as_json(reading: Reading, problems: list[str]) -> dict[str, Any]:
    """Return the whole report: its groups, worst first, each with its diagnosis and fix."""
    first, last = reading.span
    return {
        "first": first,
        "last": last,
        "incidents": reading.groups.incidents,
        "dropped": reading.groups.dropped,
        "problems": problems,
        "groups": [group_as_json(group) for group in reading.groups],
    }


def group_as_json(group: IncidentGroup) -> dict[str, Any]:
    """Return one group; times are as the log writes them, mostly UTC."""
    return {
        "fingerprint": group.fingerprint,
        "severity": group.severity.name.lower(),
        "kind": group.kind,
        "message": group.message,
        "line": _line(group.line),
        "count": group.count,
        "first": group.first,
        "last": group.last,
        "requests": dict(group.requests.most_common()),
        "statuses": {str(status): count for status, count in group.statuses.most_common()},
        "databases": sorted(group.databases),
        "webhook": group.webhook,
        "diagnosis": _diagnosis(group.code),
        "nearest": list(group.nearest),
        "sample": group.sample,
    }


def incident_as_json(found: GroupedIncident) -> dict[str, Any]:
    """Return one incident of a log that is followed; its group when it is the group's first."""
    access = found.incident.access
    told = {
        "time": when(found.incident),
        "request": request_of(found.incident),
        "status": access.status if access else None,
        "fingerprint": found.group.fingerprint,
        "count": found.group.count,
    }
    return told | ({"group": group_as_json(found.group)} if found.group.count == 1 else {})


def _line(line: Frame | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {"path": line.path, "line": line.line, "function": line.function, "code": line.code}


def _diagnosis(code: str | None) -> dict[str, Any] | None:
    known = CATALOG.get(code or "")
    if known is None:
        return None
    return {
        "code": known.code,
        "title": known.title,
        "cause": known.cause,
        "fix": list(known.fix),
        "versions": dict(known.versions),
        "transient": known.transient,
        "repeat_safe": known.repeat_safe,
        "fixer": str(known.fixer),
        "page": known.page,
    }
