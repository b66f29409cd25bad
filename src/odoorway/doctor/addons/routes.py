"""The routes of controllers, as far as the source alone tells them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from odoorway.doctor.addons.source import AddonFile

_HOOKISH = re.compile(r"webhook|hook|callback|ipn\b|notif|/events?\b|postback", re.IGNORECASE)
_RAW = {"get_json_data", "jsonrequest", "get_data"}


@dataclass(frozen=True, slots=True)
class Controller:
    """One class that has, or overrides, routes."""

    source: AddonFile = field(repr=False)
    node: ast.ClassDef = field(repr=False)
    bases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddonRoute:
    """One decorated function. A value that the source computes is None."""

    controller: Controller
    function: ast.FunctionDef | ast.AsyncFunctionDef = field(repr=False)
    decorator: ast.Call = field(repr=False)
    given: dict[str, ast.expr] = field(repr=False)  # the decorator's keywords
    paths: tuple[str, ...]
    path_node: ast.expr | None = field(repr=False, default=None)

    @property
    def line(self) -> int:
        """Where the decorator stands."""
        return self.decorator.lineno

    @property
    def source(self) -> AddonFile:
        """The file."""
        return self.controller.source

    @property
    def shown(self) -> str:
        """The first path, or the function's name."""
        return self.paths[0] if self.paths else self.function.name

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return a keyword that is a text, *default* when it is not given, None when computed."""
        if name not in self.given:
            return default
        value = self.given[name]
        return (
            value.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str)
            else None
        )

    def flag(self, name: str) -> bool | None:
        """Return a keyword that is True or False; None when it is not given, or computed."""
        value = self.given.get(name)
        found = value.value if isinstance(value, ast.Constant) else None
        return found if isinstance(found, bool) else None

    @property
    def is_override(self) -> bool:
        """Whether it changes a route of another class: it names no path."""
        return not self.paths and self.path_node is None

    @property
    def type(self) -> str | None:
        """``http``, ``json`` or ``jsonrpc``; None when it is computed, or inherited."""
        return self.text("type", None if self.is_override else "http")

    @property
    def is_rpc(self) -> bool:
        """Whether it hands over only what stands under ``params``."""
        return self.type in {"json", "jsonrpc"}

    @property
    def auth(self) -> str | None:
        """The auth; None when it is computed, or inherited."""
        return self.text("auth", None if self.is_override else "user")

    @property
    def is_public(self) -> bool:
        """Whether anybody may call it."""
        return self.auth in {"public", "none"}

    @property
    def methods(self) -> tuple[str, ...] | None:
        """The methods given as a list of texts; None when not given, or computed."""
        value = self.given.get("methods")
        if not isinstance(value, ast.List | ast.Tuple):
            return None
        return tuple(str(one.value).upper() for one in value.elts if isinstance(one, ast.Constant))

    @property
    def takes_post(self) -> bool:
        """Whether a POST reaches it."""
        return "methods" not in self.given or "POST" in (self.methods or ())

    @property
    def is_webhook(self) -> bool:
        """Whether another system posts to it: by its name, or because it reads the raw body."""
        named = any(_HOOKISH.search(text) for text in (*self.paths, self.function.name))
        return self.takes_post and self.is_public and (named or self.reads_body)

    @property
    def is_hookish(self) -> bool:
        """Whether its path says that it is a webhook."""
        return self.takes_post and any(re.search(r"webhook|/hooks?\b|ipn\b", p) for p in self.paths)

    @property
    def reads_body(self) -> bool:
        """Whether its function reads the body itself."""
        return bool(_RAW & names(self.function)) or reads_attribute(
            self.function, "httprequest", "data"
        )


def controllers(source: AddonFile) -> Iterator[Controller]:
    """Yield the classes of a file that may have routes."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            bases = tuple(base for base in map(dotted, node.bases) if base)
            yield Controller(source, node, bases)


def routes(controller: Controller) -> Iterator[AddonRoute]:
    """Yield the routes of a class."""
    for node in controller.node.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and _is_route(decorator.func):
                    yield _route(controller, node, decorator)


def _is_route(node: ast.expr) -> bool:
    return dotted(node) in {"route", "http.route", "odoo.http.route"}


def _route(
    controller: Controller,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    decorator: ast.Call,
) -> AddonRoute:
    given = {one.arg: one.value for one in decorator.keywords if one.arg}
    path = decorator.args[0] if decorator.args else given.pop("route", None)
    return AddonRoute(controller, function, decorator, given, tuple(texts(path)), path)


def texts(node: ast.expr | None) -> Iterator[str]:
    """Yield the texts of a constant, or of a list of them."""
    for one in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` of names and attributes, nothing of anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def names(node: ast.AST) -> set[str]:
    """Return every name and attribute that stands in *node*."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
    return found


def calls(node: ast.AST, *wanted: str) -> Iterator[ast.Call]:
    """Yield the calls of a method or function with one of those names."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            last = one.func.attr if isinstance(one.func, ast.Attribute) else dotted(one.func)
            if last in wanted:
                yield one


def reads_attribute(node: ast.AST, owner: str, name: str) -> bool:
    """Tell whether ``….owner.name`` is read."""
    return any(
        isinstance(one, ast.Attribute)
        and one.attr == name
        and isinstance(one.value, ast.Attribute)
        and one.value.attr == owner
        for one in ast.walk(node)
    )
