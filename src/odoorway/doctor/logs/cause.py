"""Which diagnosis an incident has, where the log alone tells it."""

from odoorway.doctor.logs import kinds, recognising
from odoorway.doctor.logs.kinds import RecordRole, role
from odoorway.doctor.logs.parse import LogRecord
from odoorway.doctor.logs.routes import is_webhook
from odoorway.doctor.logs.tie import Incident

_SAID = (  # the logger, what its record says, and the diagnosis; the recogniser knows the others
    ("odoo.http", "called ignoring args", "odoo.arguments-ignored"),
    ("odoo.http", "Session expired", "odoo.login-required"),
    ("odoo.http", "Access Denied", "odoo.login-failed"),
    ("odoo.addons.base.models.res_users", "Login failed", "odoo.login-failed"),
    ("odoo.addons.rpc", "endpoints are deprecated", "odoo.rpc-deprecated"),
    ("odoo.", "Reloading the model registry", "odoo.registry-reloaded"),
)
_LOOKED_AT = 400  # characters of a text in which those are looked for


def primary(incident: Incident) -> LogRecord | None:
    """Return the record that says most about why: a failure's last word before what led to it."""
    records = incident.records
    for wanted in (_is_death, _is_reason, kinds.is_retry, _has_traceback, _is_error):
        found = [record for record in records if wanted(record)]
        if found:
            return found[-1]
    return records[-1] if records else None


def conflict(incident: Incident, main: LogRecord | None) -> str | None:
    """Return what became of a conflict between two transactions; None where there was none."""
    if main is None or not (kinds.is_retry(main) or kinds.is_conflict(main)):
        return None
    tries = [record for record in incident.records if kinds.is_retry(record)]
    if any("maximum number" in record.text for record in tries):
        locked = any("LOCK_NOT_AVAILABLE" in record.text[:99] for record in tries)
        return "odoo.lock-timeout" if locked else "odoo.conflict-exhausted"
    if tries:
        return "odoo.conflict-retried"
    return "odoo.conflict-swallowed" if incident.access else "odoo.conflict"


def code(incident: Incident, main: LogRecord | None) -> str | None:
    """Return the code of the incident's diagnosis; None where the log does not tell."""
    return (
        _no_connection(incident)
        or (main and _said(main))
        or _hidden(incident, main)
        or recognising.code_of(incident, main)
    )


def _said(record: LogRecord) -> str | None:
    text = record.text[:_LOOKED_AT]
    known = (c for logger, said, c in _SAID if record.logger.startswith(logger) and said in text)
    return next(known, None) if not record.traceback else None


def _no_connection(incident: Incident) -> str | None:
    """Tell a PostgreSQL that is down from a database that was not selected, or is unknown."""
    failed = any("Connection to the database failed" in r.text[:99] for r in incident.records)
    if failed and not any("does not exist" in r.text[-_LOOKED_AT:] for r in incident.records):
        return "odoo.database-lost"
    access = incident.access
    unknown = access is not None and access.status == 404 and access.db == "?"  # noqa: PLR2004
    return "odoo.database-not-selected" if unknown else None


def _hidden(incident: Incident, main: LogRecord | None) -> str | None:
    """Tell a query that failed in a webhook that answered 200: its controller caught the error.

    RPC, too, answers 200, and logs no more than the query.
    """
    access = incident.access
    if main is None or access is None or not access.fine or main.logger != "odoo.sql_db":
        return None
    own = kinds.is_rpc(access) or not is_webhook(f"{access.method} {access.path}")
    return "odoo.error-in-success" if main.text.startswith("bad query") and not own else None


def _is_death(record: LogRecord) -> bool:
    return role(record) in {RecordRole.DEATH, RecordRole.DUMP}


def _is_reason(record: LogRecord) -> bool:
    return role(record) in {RecordRole.LAST, RecordRole.AFTER}


def _has_traceback(record: LogRecord) -> bool:
    return record.traceback


def _is_error(record: LogRecord) -> bool:
    return record.level in {"ERROR", "CRITICAL"}
