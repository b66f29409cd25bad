"""Which diagnosis the server's log tells, apart from exceptions. Pure."""

import re

from odoorway.diagnose.evidence import Evidence

_LINE = r"(?m)^\d{4}-\d\d-\d\d [\d:,]{12} \d{1,10} [A-Z]+ \S+ "
_SAID = tuple(
    (re.compile(_LINE + pattern), code)
    for pattern, code in (
        (r"odoo\.service\.server: Worker\w* \(\d+\) timeout after", "odoo.worker-time-limit"),
        (r"odoo\.service\.server: Worker \(\d+\) CPU time limit", "odoo.worker-cpu-limit"),
        (r"odoo\.service\.server: (?:Worker \(\d+\) virtual memory|.{0,80} memory limit)",
         "odoo.worker-memory-limit"),
        (r"odoo\.service\.server: Thread .{0,200} virtual real time limit",
         "odoo.server-time-limit"),
        (r"odoo\.http: No CSRF validation token|odoo\.http: CSRF validation failed", "odoo.csrf"),
        (r"werkzeug: .{0,120}code 414", "odoo.header-too-long"),
        (r"odoo\.addons\.base\.models\.ir_actions: Webhook call timed out",
         "odoo.outgoing-timeout"),
        (r"odoo\.addons\.base\.models\.ir_actions: Webhook call failed", "odoo.outgoing-failed"),
        (r"\S{1,80}: .{0,300}retrying with a read/write cursor", "odoo.read-only-retried"),
    )
)  # fmt: skip
_NO_CONNECTION = re.compile(_LINE + r"odoo\.sql_db: Connection to the database failed")
_ACL_NOBODY = re.compile(r"Access Denied by ACLs for operation: \w+, uid: None")
_RETRIED = re.compile(_LINE + r"odoo\.(?:service\.model|http): [A-Z_]{1,60}, ")
_EXHAUSTED = re.compile(r"maximum number of tries reached")
_CONFLICT = re.compile(r"could not serialize access|deadlock detected")
_GETTER = re.compile(
    r"base_automation: Webhook #\d+ could not be triggered because the record_getter"
)
_NO_RECORD = re.compile(r"base_automation: Webhook #\d+ could not be triggered because no record")
_ACTION = re.compile(r"base_automation: Webhook #\d+ failed with error")
_IGNORED = re.compile(r"called ignoring args|<function .{0,200}> called with ignored")
_NO_PAYLOAD = re.compile(
    r"KeyError\(None\)|NameError\(\"name 'payload' is not defined\"\)"
    r"|AttributeError\(\"'(?:list|int|str|float|NoneType)' object has no attribute 'get'\"\)"
)


def code_of(evidence: Evidence) -> str | None:
    """Return what the log says by itself, or None."""
    log = evidence.log
    if _ACL_NOBODY.search(log):
        return "odoo.no-user"
    said = _automation(log) or next((code for line, code in _SAID if line.search(log)), None)
    return said or _conflict(evidence)


def last_resort(evidence: Evidence) -> str | None:
    """Return what the log says when nothing else told anything."""
    return "odoo.database-lost" if _NO_CONNECTION.search(evidence.log) else None


def aside(evidence: Evidence) -> str | None:
    """Return what the log says of a request that went well otherwise."""
    return "odoo.arguments-ignored" if _IGNORED.search(evidence.log) else None


def _automation(log: str) -> str | None:
    if _NO_RECORD.search(log):
        return "odoo.automation-no-record"
    if _GETTER.search(log):
        no_payload = _NO_PAYLOAD.search(log)
        return "odoo.automation-no-payload" if no_payload else "odoo.automation-getter-failed"
    return "odoo.automation-failed" if _ACTION.search(log) else None


def _conflict(evidence: Evidence) -> str | None:
    """Tell what became of a conflict: Odoo logs each try, also of requests that succeeded."""
    log = evidence.log
    if not _CONFLICT.search(log):
        return None
    if _EXHAUSTED.search(log):
        return "odoo.conflict-exhausted"
    if _RETRIED.search(log):
        failed = evidence.status >= 500 or re.search(r'HTTP/[\d.]+" 500 ', log)  # noqa: PLR2004
        return "odoo.conflict-exhausted" if failed else "odoo.conflict-retried"
    return "odoo.conflict"
