"""What the catalogue's recogniser makes of an incident, which has a log and no answer's body."""

from collections.abc import Iterator

from odoorway.diagnose import exceptions
from odoorway.diagnose.evidence import Evidence
from odoorway.diagnose.fault import Fault
from odoorway.diagnose.recognise import Sure, Unsure, recognise
from odoorway.doctor.logs import fingerprint, kinds
from odoorway.doctor.logs.parse import Access, LogRecord
from odoorway.doctor.logs.tie import Incident

_ENDS = 4000  # characters of a record that are looked at, at each of its ends
_CLASSES = {  # of exceptions that are told by their words only
    "The requested URL was not found on the server": "NotFound",
    "null value in column": "NotNullViolation",
    "violates foreign key constraint": "ForeignKeyViolation",
    "violates unique constraint": "UniqueViolation",
    "violates check constraint": "CheckViolation",
}


def code_of(incident: Incident, main: LogRecord | None) -> str | None:
    """Return the code that the incident shows, *main* being the record that says most about it.

    None where the log alone does not tell: the recogniser is unsure, or would need the body.
    """
    access, log = incident.access, "\n".join(_lines(incident))
    if main is None:
        return _by_request(access, log) if access else None
    if main.traceback or not kinds.is_refusal(main):
        return _recognised(access, log) or _by_words(main, log)
    told = _by_words(main, log) or _recognised(access, log)
    return told or ("odoo.validation" if access and access.status == 422 else None)  # noqa: PLR2004


def nearest(access: Access) -> tuple[str, ...]:
    """Return the two codes that a request with such a status mostly has; unsure of both."""
    if access.fine:
        return ("odoo.validation", "odoo.access-denied")  # what a refusal inside a 200 is
    if access.status == 404:  # noqa: PLR2004
        return ("odoo.route-not-found", "odoo.no-match")  # of a database that is known
    found = recognise(Evidence(method=access.method, path=access.path, status=access.status))
    return tuple(one.code for one in found.nearest) if isinstance(found, Unsure) else ()


def _by_request(access: Access, log: str) -> str | None:
    if access.status < 400:  # noqa: PLR2004
        return None  # where a redirect leads to, the log does not say
    if access.status == 422 and access.path.startswith("/json/2/"):  # noqa: PLR2004
        return "odoo.json2-arguments"  # what the model itself refuses is logged
    return _recognised(access, log)


def _recognised(access: Access | None, log: str) -> str | None:
    if access is None:
        evidence = Evidence(log=log)
    else:  # a failure inside a success is known by the log only
        status = 0 if access.fine else access.status
        evidence = Evidence(method=access.method, path=access.path, status=status, log=log)
    found = recognise(evidence)
    return found.diagnosis.code if isinstance(found, Sure) else None


def _lines(incident: Incident) -> Iterator[str]:
    """Yield the log as Odoo wrote it."""
    for one in incident.records:
        text = one.text if len(one.text) <= 2 * _ENDS else one.text[:_ENDS] + one.text[-_ENDS:]
        yield f"{one.time} {one.pid.decode()} {one.level} {one.db} {one.logger}: {text}"
    if access := incident.access:
        request = f'"{access.method} {access.path} HTTP/1.1" {access.status} -'
        yield f"{access.time} {access.pid.decode()} INFO {access.db} werkzeug: - - - [] {request}"


def _by_words(main: LogRecord, log: str) -> str | None:
    told = fingerprint.read(main.text, "")
    name = told.kind or next((name for said, name in _CLASSES.items() if said in told.message), "")
    return exceptions.code_of(Fault(name, told.message, log))
