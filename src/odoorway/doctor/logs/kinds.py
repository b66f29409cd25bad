"""What a record is to the request that it came from, and whether it can have come from one."""

import re
from enum import Enum, auto

from odoorway.doctor.logs.parse import Access, LogRecord, Pid

SLACK = 0.05  # seconds between a record's time and the request's measured bounds
_RPC = ("/xmlrpc", "/jsonrpc")
_PATH = re.compile(
    r"(?:for path '|on path '|^<[^\n>]{0,300}>, )(/[^'\s,:]{0,500})|^(/[^\s:]{0,500}): "
    r"|\(url:\w{1,9}://[^/\s]{1,300}(/[^\s?)]{0,500})"
)
_VICTIM = re.compile(r"\((\d{1,10})\)")
_WAIT = re.compile(r"(?:again|\d) in (\d{1,4}\.?\d{0,6}) sec")
_SAID = 500  # characters at a traceback's end that hold what the database said
_CONFLICT = re.compile(r"could not serialize|deadlock detected|could not obtain lock")
_NOTHING_LOGGED = {404, 405}  # of a path or method that no route has
_SAYS_MISSING = re.compile(r"does not exist|been deleted|^40[45] |\nTraceback ")
_APART = (
    "odoo.modules",
    "odoo.registry",
    "odoo.schema",
    "odoo.service.server",
    "odoo.addons.base.models.ir_cron",
    "py.warnings",
)
_NOTES = re.compile(
    r"called ignoring args|retrying with a read/write cursor|endpoints are deprecated"
)


class RecordRole(Enum):
    """What a record is to its request."""

    ASIDE = auto()  # says more about a request
    LAST = auto()  # the one reason a request failed, logged just before its access line
    AFTER = auto()  # the same, logged just after it: Odoo 14, type http
    NOTE = auto()  # worth knowing about a request, whether it failed or not
    DEATH = auto()  # a worker ended, and its request with it: no access line comes
    DUMP = auto()  # what a thread was doing when a limit ended the server
    APART = auto()  # of no request


_ROLES = (
    ("odoo.tools.misc", RecordRole.DUMP),
    ("werkzeug", RecordRole.AFTER),
    ("odoo.http", RecordRole.LAST),
    ("odoo.addons.base_automation", RecordRole.LAST),
)


def role(record: LogRecord) -> RecordRole:
    """Return what *record* is to its request."""
    text, logger = record.text, record.logger
    if logger == "odoo.service.server":
        return _server(text)
    if _NOTES.search(text, 0, 600):
        return RecordRole.NOTE
    if logger.startswith(_APART):
        return RecordRole.APART
    if logger == "odoo.http" and " called with a request of type " in text[:600]:
        return RecordRole.ASIDE
    return next((of for prefix, of in _ROLES if logger.startswith(prefix)), RecordRole.ASIDE)


def _server(text: str) -> RecordRole:
    if text.startswith("Worker") and ("timeout after" in text[:99] or "exiting" in text[:99]):
        return RecordRole.DEATH
    return (
        RecordRole.ASIDE if "limit" in text[:300] and "reached" in text[:300] else RecordRole.APART
    )


def victim(record: LogRecord) -> Pid:
    """Return the process whose end *record* tells: the master writes of its workers."""
    found = _VICTIM.search(record.text)
    return found[1].encode() if found else record.pid


def is_retry(record: LogRecord) -> bool:
    """Whether Odoo ran, or gave up to run, the request again after a conflict."""
    return record.logger == "odoo.service.model"


def is_refusal(record: LogRecord) -> bool:
    """Whether it is the message that Odoo answers with, which type jsonrpc sends with a 200."""
    about_code = record.text.startswith(("<function", "The endpoint"))
    return role(record) is RecordRole.LAST and not about_code


def is_conflict(record: LogRecord) -> bool:
    """Whether another transaction was in the way; a traceback says it in its last line."""
    said = record.text[-_SAID:] if record.traceback else record.text
    return bool(_CONFLICT.search(said))


def named_path(record: LogRecord) -> str | None:
    """Return the path that the record itself names, where it names one."""
    found = _PATH.search(record.text, 0, 1000)
    return found[found.lastindex or 0].partition("?")[0] if found else None


def can_be_of(record: LogRecord, access: Access) -> bool:
    """Whether *record* can have come from that request, whose access line follows it.

    Only facts decide: when the request ran, the path that the record names, the database, the
    status that such a failure has, and the wait that Odoo announced before the next try.
    """
    if access.took is not None and record.at < access.at - access.took - SLACK:
        return False
    path = named_path(record)
    if path is not None:
        return path == access.path
    return (
        _same_database(record, access)
        and _status_fits(record, access)
        and record.at + _announced_wait(record) <= access.at + SLACK
    )


def is_rpc(access: Access) -> bool:
    """Whether it is a call of XML-RPC or JSON-RPC, which opens the database that it names."""
    return access.path.startswith(_RPC)


def _same_database(record: LogRecord, access: Access) -> bool:
    """Tell whether the databases agree; one may be unknown, and RPC opens another."""
    return record.db == access.db or bool({record.db, access.db} & {"?", "None"}) or is_rpc(access)


def _status_fits(record: LogRecord, access: Access) -> bool:
    if "CSRF" in record.text[:60]:
        return access.status == 400  # noqa: PLR2004
    if access.status in _NOTHING_LOGGED and is_refusal(record):
        return bool(_SAYS_MISSING.search(record.text, 0, 600))
    if record.level != "ERROR" or is_rpc(access) or access.status >= 400:  # noqa: PLR2004
        return True
    # What the dispatcher of type http calls; that of JSON-RPC keeps the result and answers 200.
    return "return self.request.registry['ir.http']._dispatch(" not in record.text


def _announced_wait(record: LogRecord) -> float:
    found = _WAIT.search(record.text, 0, 300) if is_retry(record) else None
    return float(found[1]) if found else 0.0
