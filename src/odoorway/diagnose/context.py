"""What the request and the traceback's frames tell beyond the exception itself. Pure."""

import re

from odoorway.diagnose.evidence import Evidence
from odoorway.diagnose.fault import Fault

_NO_DATABASE = re.compile(r"(?m)^\d{4}-[\d:, -]{10,30} \d+ INFO \? werkzeug: ")
_FRAME = re.compile(r'(?m)^ *File "([^"\n]{1,300})", line \d+, in ')
_OF_ODOO = re.compile(
    r"^/var/lib/odoo$|^<|^&lt;|/(?:dist|site)-packages/(?!odoo/addons/(?!base/))"
    r"|/odoo/(?:service|tools|orm)/|/odoo/(?:api|models|fields|http)\.py$|/odoo/addons/base/"
    r"|/lib/python3[\d.]*/(?!dist-packages|site-packages)"
)
_RECEIVED = re.compile(r"in (?:_xmlrpc|dispatch_rpc)\n")
_MISTAKES = {"odoo.argument-missing", "odoo.addon-error", "odoo.payload-key-missing"}
_LAST_FRAME = 400  # characters in which the last frame stands


def precisely(code: str, fault: Fault, evidence: Evidence) -> str:
    """Return *code*, or the one that it is when the request and the frames are looked at."""
    sent = evidence.sent if isinstance(evidence.sent, dict) else {}
    enveloped = "params" in sent
    no_object = enveloped and not isinstance(sent["params"], dict)
    bad_context = not isinstance(sent.get("context", {}), dict)
    unlinking = evidence.path.startswith("/json/2/") and evidence.path.endswith("/unlink")
    instead = (
        ("odoo.bad-rpc-call", code in _MISTAKES and _is_callers_mistake(fault, evidence)),
        ("odoo.body-not-an-object", _reads_params(fault) and "attribute 'get'" in fault.message),
        ("odoo.bad-envelope", no_object or _reads_params(fault)),
        ("odoo.envelope-missing", sent and not enveloped and _lacks_argument(code, evidence)),
        ("odoo.json2-arguments", evidence.path.startswith("/json/2/") and bad_context),
        ("odoo.json2-arguments", _reads_context(fault)),
        ("odoo.delete-restricted", unlinking and code == "odoo.wrong-reference"),
        ("odoo.database-not-selected", _is_nowhere(code, fault, evidence)),
    )
    return next((other for other, fits in instead if fits), code)


def _is_callers_mistake(fault: Fault, evidence: Evidence) -> bool:
    """Tell whether an RPC call failed before it reached the code of an addon."""
    rpc = "/jsonrpc" in evidence.path or "/xmlrpc" in evidence.path
    received = [one.end() for one in _RECEIVED.finditer(fault.trace)]
    if not (rpc or received):
        return False
    frames = _FRAME.findall(fault.trace, received[-1] if received else 0)
    return all(_OF_ODOO.search(path) for path in frames)


def _reads_params(fault: Fault) -> bool:
    return "jsonrequest.get(" in fault.trace[-_LAST_FRAME:]


def _reads_context(fault: Fault) -> bool:
    """Tell whether JSON-2 failed at the request's own ``context``, which is no object."""
    return "in web_json_2" in fault.trace and "with_context(context)" in fault.trace[-_LAST_FRAME:]


def _lacks_argument(code: str, evidence: Evidence) -> bool:
    return code == "odoo.argument-missing" and "jsonrpc" in evidence.body


def _is_nowhere(code: str, fault: Fault, evidence: Evidence) -> bool:
    """Tell a path that no database was asked for from one that the database does not have."""
    nowhere = _NO_DATABASE.search(evidence.log) or "_nodb" in fault.trace
    return code == "odoo.route-not-found" and bool(nowhere)
