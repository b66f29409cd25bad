"""Which diagnosis an incident has, where the log alone tells it."""

from collections.abc import Callable

from odoorway.doctor.logs import kinds
from odoorway.doctor.logs.kinds import Role, role
from odoorway.doctor.logs.parse import Record
from odoorway.doctor.logs.tie import Incident

FromTraceback = Callable[[str], str | None]  # a record's text → a code of the catalogue
_SERVER = "odoo.service.server"
_SAID = (  # the logger, what its record says, and the diagnosis
    (_SERVER, "timeout after", "odoo.worker-time-limit"),
    (_SERVER, "CPU time limit", "odoo.worker-cpu-limit"),
    (_SERVER, "virtual real time limit", "odoo.server-time-limit"),
    (_SERVER, "memory limit", "odoo.worker-memory-limit"),
    ("odoo.http", "No CSRF validation token", "odoo.csrf"),
    ("odoo.http", "CSRF validation failed", "odoo.csrf"),
    ("odoo.http", "retrying with a read/write cursor", "odoo.read-only-retried"),
    ("odoo.http", "called ignoring args", "odoo.arguments-ignored"),
    ("odoo.addons.rpc", "endpoints are deprecated", "odoo.rpc-deprecated"),
    ("odoo.", "Reloading the model registry", "odoo.registry-reloaded"),
    ("", "The Connection Pool Is Full", "odoo.pool-full"),
)
_LOOKED_AT = 4000  # characters of a text in which those are looked for


def primary(incident: Incident) -> Record | None:
    """Return the record that says most about why: a failure's last word before what led to it."""
    records = incident.records
    for wanted in (_is_death, _is_reason, kinds.is_retry, _has_traceback, _is_error):
        found = [record for record in records if wanted(record)]
        if found:
            return found[-1]
    return records[-1] if records else None


def code(incident: Incident, from_traceback: FromTraceback) -> str | None:
    """Return the code of the incident's diagnosis; None where the log does not tell."""
    main = primary(incident)
    if main is None:
        return _of_request_alone(incident)
    if kinds.is_retry(main) or kinds.is_conflict(main):
        return _conflict(incident)
    said = [_said(record) for record in (main, *incident.records)]
    return next(filter(None, said), None) or from_traceback(main.text)


def _said(record: Record) -> str | None:
    ends = record.text[:_LOOKED_AT], record.text[-_LOOKED_AT:]
    for logger, said, name in _SAID:
        if record.logger.startswith(logger) and any(said in end for end in ends):
            return name
    return None


def _conflict(incident: Incident) -> str:
    """Tell what became of a conflict between two transactions."""
    tries = [record for record in incident.records if kinds.is_retry(record)]
    if any("maximum number" in record.text for record in tries):
        return "odoo.conflict-exhausted"
    if tries:
        return "odoo.conflict-retried"
    return "odoo.conflict-swallowed" if incident.access else "odoo.conflict"


def _of_request_alone(incident: Incident) -> str | None:
    access = incident.access
    no_database = access and access.status == 404 and access.db == "?"  # noqa: PLR2004
    return "odoo.database-not-selected" if no_database else None


def _is_death(record: Record) -> bool:
    return role(record) in {Role.DEATH, Role.DUMP}


def _is_reason(record: Record) -> bool:
    return role(record) in {Role.LAST, Role.AFTER}


def _has_traceback(record: Record) -> bool:
    return record.traceback


def _is_error(record: Record) -> bool:
    return record.level in {"ERROR", "CRITICAL"}
