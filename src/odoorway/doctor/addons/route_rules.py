"""Rules about what stands in @route."""

import ast
import difflib
import re
from collections.abc import Callable, Iterator

from odoorway.doctor.addons.catalog import RULES
from odoorway.doctor.addons.routes import AddonRoute, calls, names
from odoorway.doctor.addons.rule import Edit, Finding

# Odoo 14 to 19, its standard modules, and Werkzeug's own.
_KEYWORDS = {
    "route", "type", "auth", "methods", "cors", "csrf", "readonly", "handle_params_access_error",
    "captcha", "save_session", "max_content_length", "website", "multilang", "sitemap",
    "list_as_website_content", "defaults", "subdomain", "strict_slashes", "merge_slashes",
    "redirect_to", "alias", "host", "build_only", "endpoint", "websocket", "original_routing",
}  # fmt: skip
_AUTHS = ("user", "public", "none", "bearer")
_TYPES = ("http", "json", "jsonrpc", "json2")
_BAD_CONVERTER = re.compile(r"<[a-z_]+:[^>()]*:[^>]*>|<[^>]*$|<model:")
_WRITES = ("create", "write", "unlink")
Check = Callable[[AddonRoute], Iterator[Finding]]


def found(code: str, route: AddonRoute, message: str, edit: Edit | None = None) -> Finding:
    """Return a finding about a route's decorator."""
    return Finding(RULES[code], route.source.path, route.line, message, route.shown, edit)


def keywords(route: AddonRoute) -> Iterator[Finding]:
    """Look for keywords that Odoo does not know."""
    for keyword in route.decorator.keywords:
        name = keyword.arg
        near = difflib.get_close_matches(name, _KEYWORDS, 1, cutoff=0.7) if name else []
        if name and name not in _KEYWORDS and near and near[0] not in route.given:
            line, column = keyword.lineno, keyword.col_offset
            edit = Edit(line, column, column + len(name), near[0])
            yield found("route-keyword", route, f"{name}= does nothing; {near[0]}= is meant", edit)


def csrf(route: AddonRoute) -> Iterator[Finding]:
    """Look for a webhook that no sender can pass."""
    wanted = route.type == "http" and (route.is_public or route.auth == "bearer")
    posted = "POST" in (route.methods or ())
    given = {"csrf", "crsf", "csfr"} & route.given.keys() or route.flag("website")
    if wanted and posted and not given and (route.is_hookish or route.reads_body):
        text = "a POST needs a CSRF token here, which no sender has; write csrf=False"
        yield found("route-csrf", route, text, _added(route, "csrf=False"))


def auth(route: AddonRoute) -> Iterator[Finding]:
    """Look for an auth that nobody passes."""
    given = route.auth
    if "auth" in route.given and given is not None and given not in _AUTHS:
        near = difflib.get_close_matches(given, _AUTHS, 1, cutoff=0.7)
        if near:
            text = f"auth={given!r} is unknown; {near[0]!r} is meant"
            yield found("route-auth-unknown", route, text, _value(route, "auth", near[0]))
    elif given == "user" and route.is_hookish and not route.is_override:
        how = "auth='user'" if "auth" in route.given else "no auth=, which means 'user'"
        yield found("route-auth-user", route, f"{how}: the sender is sent to the login page")


def methods(route: AddonRoute) -> Iterator[Finding]:
    """Look for methods that are a text."""
    value = route.given.get("methods")
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        edit = _replaced(value, f"[{value.value!r}]")
        text = f"methods={value.value!r} is read letter by letter; write [{value.value!r}]"
        yield found("route-methods", route, text, edit)


def paths(route: AddonRoute) -> Iterator[Finding]:
    """Look for paths that stop Odoo from building its routes."""
    for path in route.paths:
        if not path.startswith("/"):
            yield found("route-path", route, f"{path!r} has no leading slash", _slash(route, path))
        elif _BAD_CONVERTER.search(path):
            yield found("route-converter", route, f"{path!r} has a malformed converter")


def types(route: AddonRoute) -> Iterator[Finding]:
    """Look for a type that does not load."""
    given = route.text("type")
    if given is not None and given not in _TYPES:
        near = difflib.get_close_matches(given.lower(), _TYPES, 1, cutoff=0.5)
        text = f"type={given!r} is unknown; {(near or ['http'])[0]!r} is meant"
        yield found("route-type", route, text, _value(route, "type", near[0]) if near else None)


def envelope(route: AddonRoute) -> Iterator[Finding]:
    """Look for a webhook that sees nothing of its payload."""
    arguments = [one.arg for one in route.function.args.args[1:]]
    takes = bool(route.function.args.kwarg or arguments)
    if route.is_rpc and route.is_public and route.is_hookish and takes and not route.reads_body:
        text = "a platform's JSON has no params: this function gets nothing of it"
        yield found("route-envelope", route, text)


def openness(route: AddonRoute) -> Iterator[Finding]:
    """Look for what makes a webhook answer what it should not."""
    if route.flag("website") and route.is_hookish and route.is_public:
        yield found("route-website", route, "website=True: redirects by language, themed errors")
    writes = any(calls(route.function, *_WRITES)) and "request" in names(route.function)
    open_hook = route.is_hookish and route.is_public and "methods" not in route.given
    if open_hook and writes and route.type == "http":
        yield found("route-any-method", route, "a GET writes as well; write methods=['POST']")
    if route.text("cors") == "*" and route.text("auth") == "user":
        yield found("route-cors-user", route, "any web page may call it as whoever is logged in")


def read_only(route: AddonRoute) -> Iterator[Finding]:
    """Look for a read-only route that writes by itself."""
    if route.flag("readonly"):
        for call in calls(route.function, *_WRITES):
            if isinstance(call.func, ast.Attribute) and "env" in names(call.func):
                yield found("route-read-only", route, f"{call.func.attr}() in a read-only route")
                return


CHECKS: tuple[Check, ...] = (
    keywords, csrf, auth, methods, paths, types, envelope, openness, read_only,
)  # fmt: skip


def _value(route: AddonRoute, name: str, text: str) -> Edit | None:
    value = route.given[name]
    return _replaced(value, repr(text)) if isinstance(value, ast.Constant) else None


def _replaced(value: ast.expr, text: str) -> Edit | None:
    if value.end_lineno != value.lineno or value.end_col_offset is None:
        return None
    return Edit(value.lineno, value.col_offset, value.end_col_offset, text)


def _slash(route: AddonRoute, path: str) -> Edit | None:
    for one in ast.walk(route.decorator):
        if isinstance(one, ast.Constant) and one.value == path:
            return _replaced(one, repr(f"/{path}"))
    return None


def _added(route: AddonRoute, text: str) -> Edit | None:
    """Return the edit that adds a keyword before the closing bracket."""
    line, end = route.decorator.end_lineno, route.decorator.end_col_offset
    if line is None or end is None:
        return None
    row = route.source.text.splitlines()[line - 1].encode()
    before = row[: end - 1].decode(errors="replace").rstrip()
    glue = "" if before.endswith((",", "(")) or not before else ", "
    return Edit(line, end - 1, end - 1, f"{glue}{text}")
