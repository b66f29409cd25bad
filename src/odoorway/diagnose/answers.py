"""Which diagnosis an answer has by its look: status, headers, page, what was asked. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from odoorway.diagnose.evidence import Evidence
from odoorway.diagnose.fault import inner_text

_NO_DATABASE = "No database is selected"
_PROXY = re.compile(r"nginx|haproxy|traefik|cloudflare|apache|varnish|caddy|envoy", re.IGNORECASE)
_HOST = re.compile(r"^https?://[^/]*")
_RESPONSE = re.compile(r"<_?Response \d")
_ENVELOPE = {"jsonrpc", "method", "params", "id"}
_WARNED = re.compile(r"(?m)^\d{4}-[\d:, -]{10,30} \d+ WARNING \S+ odoo\.http: ")
_REQUESTED = re.compile(r'werkzeug: .{0,200}"[A-Z]+ [^\n]{1,2000} HTTP/[\d.]+" \d')
Look = Callable[[Evidence], str | None]


def code_of(evidence: Evidence) -> str | None:
    """Return the diagnosis that the answer itself shows, or None."""
    if not evidence.status:
        return _no_answer(evidence)
    look = _LOOKS.get(evidence.status)
    if look is None and 300 <= evidence.status < 400:  # noqa: PLR2004
        look = _redirect
    return look(evidence) if look else None


def is_fine(evidence: Evidence) -> bool:
    """Tell whether the answer is a success and nothing about it is odd."""
    success = 200 <= evidence.status < 300  # noqa: PLR2004
    return success and not holds_error(evidence) and quiet_trouble(evidence) is None


def holds_error(evidence: Evidence) -> bool:
    """Tell whether the body is that of a failed call, whatever the status says."""
    answer = evidence.json
    return "<fault>" in evidence.body or (isinstance(answer, dict) and "error" in answer)


def quiet_trouble(evidence: Evidence) -> str | None:
    """Return what is wrong with a success: HTTP 200 while nothing, or not all, happened."""
    answer, sent = evidence.json, evidence.sent
    error = inner_text(evidence.body)
    if error is not None:
        serial = "could not serialize" in error or "deadlock detected" in error
        return "odoo.conflict-swallowed" if serial else "odoo.error-in-success"
    if "\ufffd" in evidence.body or "\\ufffd" in evidence.body:
        return "odoo.text-corrupted"
    if isinstance(answer, dict) and "jsonrpc" in answer:
        return _rpc(evidence, answer, sent)
    if _login_refused(evidence):
        return "odoo.login-failed"
    if answer is True and evidence.path.endswith("/write") and not _ids(sent):
        return "odoo.write-without-ids"
    return None


def _rpc(evidence: Evidence, answer: Mapping[str, Any], sent: Any) -> str | None:
    if "error" in answer:
        return None
    if "/jsonrpc" in evidence.path:
        return "odoo.login-failed" if answer.get("result") is False else None
    if _RESPONSE.match(str(answer.get("result", ""))):
        return "odoo.response-lost"
    return "odoo.envelope-missing" if _is_bare(sent) else None


def _is_bare(sent: Any) -> bool:
    """Tell whether what was sent has no JSON-RPC envelope, or more than one."""
    if not isinstance(sent, dict) or not sent:
        return False
    enveloped = "params" in sent or "jsonrpc" in sent
    return not enveloped or not sent.keys() <= _ENVELOPE


def _login_refused(evidence: Evidence) -> bool:
    login = re.search(r"<methodName>(?:login|authenticate)</methodName>", evidence.request_body)
    no = re.search(r"<value><(?:int|boolean)>0</", evidence.body)
    return bool("/xmlrpc" in evidence.path and login and no)


def _ids(sent: Any) -> bool:
    return isinstance(sent, dict) and bool(sent.get("ids"))


def _redirect(evidence: Evidence) -> str:
    target = _HOST.sub("", evidence.headers.get("location", ""))
    if target.startswith("/web/login") or "/web/login" in evidence.body:
        return "odoo.login-required"
    if target.startswith("/web/database"):
        return _no_database(evidence)
    return "odoo.redirected"


def _no_database(evidence: Evidence) -> str:
    """Tell a wrong name from a PostgreSQL that is down, which only the log does."""
    log = evidence.log
    down = "Connection to the database failed" in log and "does not exist" not in log
    return "odoo.database-lost" if down else "odoo.database-not-selected"


def _bad_request(evidence: Evidence) -> str | None:
    body, answer = evidence.body, evidence.json
    if "CSRF" in body:
        return "odoo.csrf"
    if "Invalid JSON-RPC data" in body:
        return "odoo.body-not-an-object"
    if "Invalid JSON data" in body or "could not parse the body as json" in body:
        return "odoo.body-not-json"
    if isinstance(answer, dict) and "result" in answer and "jsonrpc" in answer:
        return "odoo.status-poisoned"
    if "Request inferred type is compatible" in body:
        return "odoo.wrong-request-type"
    themed = "400 |" in body and _REQUESTED.search(evidence.log)
    return "odoo.refused-by-controller" if "Bad Request" in body or themed else None


def _unauthorized(evidence: Evidence) -> str | None:
    if "Invalid apikey" in evidence.body:
        return "odoo.bad-key"
    return "odoo.no-key" if "use an API Key" in evidence.body else None


def _forbidden(evidence: Evidence) -> str | None:
    if "session_id cookie and the x-odoo-database" in evidence.body:
        return "odoo.session-and-header"
    if "Uh-oh! Looks like" in evidence.body or "Due to security restrictions" in evidence.body:
        return "odoo.record-rule"
    if "You are not allowed to" in evidence.body or _WARNED.search(evidence.log):
        return "odoo.access-denied"
    return "odoo.refused-by-controller" if _REQUESTED.search(evidence.log) else None


def _not_found(evidence: Evidence) -> str | None:
    body, answer = evidence.body, evidence.json
    if _NO_DATABASE in body:
        return _no_database(evidence)
    if answer == {"status": "error"}:
        return "odoo.automation-unknown"
    if "Record does not exist or has been deleted" in body:
        return "odoo.no-match"
    if _is_plain_404(evidence) and "Odoo" not in body:
        return _plain_not_found(evidence)
    if _WARNED.search(evidence.log) and "odoo.http: 404" not in evidence.log:
        return "odoo.no-match"
    known = "The requested URL was not found on the server" in body or "Page Not Found" in body
    rendered = "404 Not Found" in body or "web.assets" in body or "csrf_token" in body
    return "odoo.route-not-found" if known or rendered else None


def _is_plain_404(evidence: Evidence) -> bool:
    return len(evidence.body) < 400 and evidence.body.count("<h1>Not Found</h1>") == 1  # noqa: PLR2004


def _plain_not_found(evidence: Evidence) -> str | None:
    """Judge Werkzeug's own page: 14's without a database, or a controller's NotFound on 19."""
    if _PROXY.search(evidence.headers.get("server", "")):
        return None
    standard = "The requested URL was not found on the server." in evidence.body
    if not standard and _WARNED.search(evidence.log):
        return "odoo.no-match"
    if not standard:
        return "odoo.refused-by-controller" if _REQUESTED.search(evidence.log) else None
    return "odoo.database-not-selected" if "HTML PUBLIC" in evidence.body else "odoo.no-match"


def _not_allowed(evidence: Evidence) -> str:
    allowed = [one.strip() for one in evidence.headers.get("allow", "").split(",")]
    letters = [one for one in allowed if len(one) == 1]
    return "odoo.methods-is-text" if len(letters) > 1 else "odoo.method-not-allowed"


def _too_large(evidence: Evidence) -> str:
    return "proxy.too-large" if _by_proxy(evidence) else "odoo.body-too-large"


def _unprocessable(evidence: Evidence) -> str | None:
    answer = evidence.json
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        text = answer["error"]
        return "odoo.not-unique" if "duplicate key" in text else "odoo.refused-by-controller"
    body = evidence.body
    if "Another model is using the record" in body:
        deleting = "update or delete on table" in evidence.log
        return "odoo.delete-restricted" if deleting else "odoo.wrong-reference"
    for pattern, code in _IN_422:
        if re.search(pattern, body):
            return code
    return "odoo.validation" if "422" in body or "Unprocessable" in body else None


_IN_422 = (
    (r"must be unique|duplicate key", "odoo.not-unique"),
    (r"Missing required value", "odoo.missing-required"),
    (r"requires the record being deleted", "odoo.delete-restricted"),
)


def _failed(evidence: Evidence) -> str | None:
    if evidence.path.startswith("/web/hook/") and evidence.json == {"status": "error"}:
        return "odoo.automation-failed"
    return None


def _no_answer(evidence: Evidence) -> str | None:
    """Read what a client said when it got no answer."""
    return next((code for words, code in _CLIENTS if words.search(evidence.body)), None)


_CLIENTS = tuple(
    (re.compile(words, re.IGNORECASE), code)
    for words, code in (
        (r"certificate has expired", "tls.expired"),
        (r"hostname mismatch|doesn't match|no alternative certificate subject", "tls.wrong-name"),
        (r"self.signed|unable to get local issuer|certificate.verify.failed", "tls.untrusted"),
        (r"wrong version number|ssl.?v3|tlsv1|handshake failure", "tls.failed"),
        (r"name or service not known|getaddrinfo|could not resolve host|nxdomain", "network.dns"),
        (r"connection ?refused", "network.refused"),
        (r"timed out|timeout", "network.timeout"),
        (r"empty reply|reset by peer|remotedisconnected|server disconnected|connection ?reset",
         "odoo.empty-answer"),
    )
)  # fmt: skip


def _by_proxy(evidence: Evidence) -> bool:
    server = evidence.headers.get("server", "")
    return bool(_PROXY.search(server) or _PROXY.search(evidence.body[-400:]))


_LOOKS: dict[int, Look] = {
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    405: _not_allowed,
    409: lambda _: "odoo.refused-by-controller",
    413: _too_large,
    415: lambda _: "odoo.wrong-request-type",
    422: _unprocessable,
    429: lambda _: "proxy.unavailable",
    500: _failed,
    502: lambda _: "proxy.bad-gateway",
    503: lambda _: "proxy.unavailable",
    504: lambda _: "proxy.timeout",
}
