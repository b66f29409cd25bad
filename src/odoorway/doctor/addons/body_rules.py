"""Rules about what stands in the function of a route."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from odoorway.doctor.addons.catalog import RULES
from odoorway.doctor.addons.routes import AddonRoute, calls, dotted, names, reads_attribute
from odoorway.doctor.addons.rule import Finding

_SECRET = re.compile(r"signature|hmac|digest|secret|token|api_?key|webhook_?key", re.IGNORECASE)
_CHECKS = re.compile(
    r"signature|hmac|digest|verify|verif|validate_|authenticate|secret|token|consteq|api_?key"
    r"|compare_digest|check_access|allowed_ip|whitelist|_auth|fingerprint",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(r"^(?:requests|httpx|urllib\.request)\.|^urlopen$")
_PAYLOAD = re.compile(r"^(?:kw|kwargs|post|data|payload|body|values|params|json_data|jsonrequest)$")
_WRITES = {"create", "write", "unlink"}
_BECOMES_SOMEBODY = {"sudo", "with_user", "update_env", "authenticate", "SUPERUSER_ID"}
Check = Callable[[AddonRoute], Iterator[Finding]]
T = TypeVar("T", bound=ast.AST)


def _found(code: str, route: AddonRoute, node: ast.AST, message: str) -> Finding:
    line = getattr(node, "lineno", route.line)
    return Finding(RULES[code], route.source.path, line, message, route.shown)


def returns(route: AddonRoute) -> Iterator[Finding]:
    """Look at what is returned."""
    for node in _own(route.function, ast.Return):
        value = node.value
        if route.type == "http" and isinstance(value, ast.Dict | ast.Tuple):
            yield _found("return-dict", route, node, "type='http' cannot return this: 500")
        makes = isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2]
        if route.is_rpc and makes in {"Response", "make_json_response", "make_response"}:
            yield _found("return-response", route, node, "its body and status are lost")


def errors(route: AddonRoute) -> Iterator[Finding]:
    """Look at what is answered when something went wrong."""
    if not (route.is_webhook or route.is_hookish):
        return
    for handler in _own(route.function, ast.ExceptHandler):
        for node in _own(handler, ast.Return):
            if route.type == "http" and _tells_error(node.value) and not _has_status(node.value):
                yield _found("return-error", route, node, "an error, answered with HTTP 200")
            if handler.name and _sends_text(node, handler.name):
                text = f"str({handler.name}) tells a stranger about the inside"
                yield _found("return-exception-text", route, node, text)


def response_class(route: AddonRoute) -> Iterator[Finding]:
    """Look for the status of a class."""
    for node in _own(route.function, ast.Assign):
        for target in node.targets:
            if dotted(target) in {"Response.status", "http.Response.status"}:
                yield _found("response-class", route, node, "this changes every later answer")


def signature(route: AddonRoute) -> Iterator[Finding]:
    """Look for a webhook that anybody may post to, and for a comparison that leaks."""
    for node in _own(route.function, ast.Compare):
        sides = [node.left, *node.comparators]
        equal = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        secret = [one for one in sides if _SECRET.search(_last_name(one))]
        plain = any(isinstance(one, ast.Constant) or _is_length(one) for one in sides)
        if route.is_public and equal and secret and not plain:
            yield _found("signature-compare", route, node, "use hmac.compare_digest")
    open_to_all = route.is_hookish and route.is_public and not _guarded(route)
    unprotected = route.flag("csrf") is False or route.is_rpc
    if open_to_all and unprotected and any(True for _ in _own(route.function, ast.Call)):
        yield _found("signature-missing", route, route.decorator, "nothing checks who sends")


def swallowed(route: AddonRoute) -> Iterator[Finding]:
    """Look for exceptions that are caught around writes."""
    for node in _own(route.function, ast.Try):
        writes = any(any(_orm(call) for call in calls(one, *_WRITES)) for one in node.body)
        if not writes or "savepoint" in {n for one in node.body for n in names(one)}:
            continue
        for handler in node.handlers:
            broad = handler.type is None or dotted(handler.type) in {"Exception", "BaseException"}
            kept = names(handler) & {"rollback", "savepoint"}
            if broad and not kept and not any(True for _ in _own(handler, ast.Raise)):
                yield _found("except-swallows", route, handler, "what was written before is kept")


def transactions(route: AddonRoute) -> Iterator[Finding]:
    """Look for commits and calls to other servers."""
    for call in _own(route.function, ast.Call):
        name = dotted(call.func)
        if name.endswith("cr.commit"):
            yield _found("cr-commit", route, call, "what fails afterwards leaves half a change")
        if _OUTSIDE.search(name) and "." in name:
            if route.is_webhook:
                yield _found("outside-call", route, call, f"{name} is repeated with the request")
            timed = any(one.arg in {"timeout", None} for one in call.keywords)
            if name.startswith("requests.") and _is_verb(name) and not timed:
                yield _found("outside-timeout", route, call, f"{name} waits for ever")


def json_bodies(route: AddonRoute) -> Iterator[Finding]:
    """Look for bodies that are read without care."""
    if "jsonrequest" in names(route.function) and reads_attribute_of_request(route):
        yield _found("jsonrequest", route, route.function, "gone since 16: get_json_data()")
    if not (route.is_webhook and route.type == "http"):
        return
    caught = {id(one) for tried in _own(route.function, ast.Try) for one in ast.walk(tried)}
    for call in calls(route.function, "get_json_data", "loads"):
        raw = dotted(call.func).endswith("get_json_data") or dotted(call.func) == "json.loads"
        if raw and id(call) not in caught:
            yield _found("json-unguarded", route, call, "broken JSON becomes a 500")


def records(route: AddonRoute) -> Iterator[Finding]:
    """Look at what is written from what a stranger sent."""
    if not (route.is_public and route.takes_post):
        return
    for call in calls(route.function, "create", "write"):
        whole = call.args[0] if call.args else None
        if _orm(call) and isinstance(whole, ast.Name) and _is_argument(route, whole.id):
            yield _found(
                "payload-to-orm", route, call, f"the sender chooses the fields: {whole.id}"
            )
    for call in calls(route.function, "write", "unlink"):
        text = ast.unparse(call.func)[:2000]
        if re.search(r"sudo\(\).*\.browse\(int\(", text) and ".exists()" not in text:
            yield _found("browse-unchecked", route, call, "no error when the record is not there")


def relations(route: AddonRoute) -> Iterator[Finding]:
    """Look for relations that a stranger chooses."""
    if not (route.is_public and route.is_hookish):
        return
    for call in calls(route.function, "create", "write"):
        for values in (one for one in call.args if isinstance(one, ast.Dict)):
            for key, value in zip(values.keys, values.values, strict=True):
                relation = isinstance(key, ast.Constant) and str(key.value).endswith("_id")
                if relation and _orm(call) and _from_payload(value):
                    text = f"{ast.unparse(value)[:60]} is an id of the sender's choice"
                    yield _found("relation-unchecked", route, value, text)


def sizes(route: AddonRoute) -> Iterator[Finding]:
    """Look for bodies without a limit."""
    limited = "max_content_length" in route.given
    if route.is_public and route.is_hookish and route.reads_body and not limited:
        yield _found("body-unlimited", route, route.decorator, "no max_content_length")


def repeats(route: AddonRoute) -> Iterator[Finding]:
    """Look at what happens when the platform sends it again."""
    if not route.is_hookish:
        return
    created = [call for call in calls(route.function, "create") if _orm(call)]
    used = names(route.function)
    searched = used & {"search", "search_count", "search_read", "_load_records", "load", "ref"}
    if created and not searched:
        yield _found("create-without-key", route, created[0], "sent twice, it is there twice")
    elif created and "search" in used:
        text = "two deliveries at once both find nothing; only a unique constraint helps"
        yield _found("search-then-create", route, created[0], text)


def arguments(route: AddonRoute) -> Iterator[Finding]:
    """Look at the function's parameters, and at a user that is not there."""
    given = route.function.args
    required = [one.arg for one in given.args[1 : len(given.args) - len(given.defaults)]]
    in_path = set(re.findall(r"<(?:[^<>]*:)?(\w+)>", " ".join(route.paths)))
    missing = [name for name in required if name not in in_path]
    if route.is_hookish and missing and not route.is_rpc:
        text = f"a request without {missing[0]!r} is a 500"
        yield _found("argument-required", route, route.function, text)
    if route.auth == "none" and not names(route.function) & _BECOMES_SOMEBODY:
        for node in _own(route.function, ast.Subscript):
            if dotted(node.value) == "request.env":
                yield _found("auth-none-orm", route, node, "there is no user: use auth='public'")
                return


CHECKS: tuple[Check, ...] = (
    returns, errors, response_class, signature, swallowed, transactions, json_bodies, records,
    relations, sizes, repeats, arguments,
)  # fmt: skip


def _own(node: ast.AST, kind: type[T]) -> Iterator[T]:
    """Yield the nodes of that kind below *node*, not those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, kind):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _own(child, kind)


def _guarded(route: AddonRoute) -> bool:
    text = " ".join(names(route.function) | set(_texts(route.function)))
    wrapped = [dotted(one.func if isinstance(one, ast.Call) else one)
               for one in route.function.decorator_list]  # fmt: skip
    return bool(_CHECKS.search(text)) or any(_CHECKS.search(name) for name in wrapped)


def _texts(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and len(one.value) < 60:  # noqa: PLR2004
            yield one.value


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as key), *_]):
            return key
        case ast.Call(func=ast.Attribute(attr="hexdigest" | "digest")):
            return "digest"
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted(node.func) in {"len", "type", "bool"}


def _tells_error(value: ast.expr | None) -> bool:
    return any(
        isinstance(one, ast.Dict)
        and any(
            isinstance(key, ast.Constant) and key.value in {"error", "errors"} for key in one.keys
        )
        for one in (ast.walk(value) if value else ())
    )


def _is_error_key(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value in {"error", "errors"}


def _has_status(value: ast.expr | None) -> bool:
    return any(
        isinstance(one, ast.keyword) and one.arg in {"status", None}
        for one in (ast.walk(value) if value else ())
    ) or (isinstance(value, ast.Call) and len(value.args) > 1)


def _sends_text(node: ast.Return, name: str) -> bool:
    for call in calls(node, "str", "repr", "ustr", "format_exc"):
        told = [dotted(one) for one in call.args]
        if name in told or dotted(call.func).endswith("format_exc"):
            return True
    return False


def _orm(call: ast.Call) -> bool:
    """Tell whether it looks like a method of records: on something of env, or a model's name."""
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = call.func.value
    root = ast.unparse(owner)[:300]
    return "env[" in root or "sudo()" in root or bool(re.match(r"[A-Z]\w*$", root))


def _from_payload(value: ast.expr) -> bool:
    """Tell whether it is read from a payload: by key, by get(), perhaps through int()."""
    match value:
        case ast.Call(func=ast.Name(id="int"), args=[inner, *_]):
            return _from_payload(inner)
        case ast.Subscript(value=ast.Name(id=name)):
            return bool(_PAYLOAD.match(name))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get")):
            return bool(_PAYLOAD.match(name))
    return False


def _is_argument(route: AddonRoute, name: str) -> bool:
    kwarg = route.function.args.kwarg
    return bool(kwarg and kwarg.arg == name) or (
        route.is_hookish
        and bool(_PAYLOAD.match(name))
        and name in {one.arg for one in route.function.args.args}
    )


def reads_attribute_of_request(route: AddonRoute) -> bool:
    """Tell whether ``request.jsonrequest`` is read, not asked for with ``hasattr``."""
    direct = any(
        isinstance(one, ast.Attribute) and dotted(one) == "request.jsonrequest"
        for one in ast.walk(route.function)
    )
    return (
        direct
        and not {"hasattr", "getattr"} & names(route.function)
        and not reads_attribute(route.function, "release", "version_info")
    )


def _is_verb(name: str) -> bool:
    return name.rpartition(".")[2] in {"get", "post", "put", "patch", "delete", "head", "request"}
