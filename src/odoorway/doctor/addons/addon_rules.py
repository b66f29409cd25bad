"""Rules about several files: what is imported, what overrides what, which paths meet."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from odoorway.doctor.addons.catalog import RULES
from odoorway.doctor.addons.routes import AddonRoute, Controller
from odoorway.doctor.addons.rule import Finding
from odoorway.doctor.addons.source import AddonFile


def not_imported(sources: Iterable[AddonFile], root: Path) -> set[Path]:
    """Return the files of an addon that nothing imports from its ``__init__``."""
    by_path = {source.path.resolve(): source for source in sources}
    reached: set[Path] = set()
    waiting = [(root / "__init__.py").resolve()]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in by_path:
            continue
        reached.add(path)
        waiting += _imported(by_path[path], root.resolve())
    return {source.path for path, source in by_path.items() if path not in reached}


def unreached(routes: Iterable[AddonRoute], missing: set[Path]) -> Iterator[Finding]:
    """Look for routes in files that nothing imports."""
    told: set[Path] = set()
    for route in routes:
        path = route.source.path
        if path in missing and path not in told:
            told.add(path)
            text = f"{path.name} is not imported from the addon's __init__.py"
            yield Finding(RULES["route-not-imported"], path, route.line, text, route.shown)


def duplicates(routes: Iterable[AddonRoute]) -> Iterator[Finding]:
    """Look for one path in two functions that do not override each other."""
    places: dict[str, list[AddonRoute]] = defaultdict(list)
    for route in routes:
        for path in route.paths:
            places[path].append(route)
    for path, found in places.items():
        first = found[0]
        for other in found[1:]:
            if _clash(first, other):
                where = f"{first.source.path}:{first.line}"
                text = f"{path!r} is also at {where}; the module's name decides which answers"
                yield Finding(RULES["route-duplicate"], other.source.path, other.line, text, path)


def overrides(controllers: Iterable[Controller], routes: Iterable[AddonRoute]) -> Iterator[Finding]:
    """Look at the methods that override a route of another class."""
    known: dict[tuple[str, str], list[AddonRoute]] = defaultdict(list)
    for route in routes:
        known[route.controller.node.name, route.function.name].append(route)
    for controller in controllers:
        for node in controller.node.body:
            if isinstance(node, ast.FunctionDef):
                base = _overridden(controller, node.name, known)
                own = known.get((controller.node.name, node.name), [])
                mine = [one for one in own if one.controller is controller]
                if base and base.controller is not controller:
                    yield from _override(controller, node, base, mine)


def _override(
    controller: Controller, node: ast.FunctionDef, base: AddonRoute, mine: list[AddonRoute]
) -> Iterator[Finding]:
    path, shown = controller.source.path, base.shown
    if not mine:
        text = f"overrides {shown!r} without @route(): 404 on Odoo 14"
        yield Finding(RULES["override-undecorated"], path, node.lineno, text, shown)
        return
    given = mine[0]
    if given.type and base.type and given.type != base.type and not {given.type, base.type} <= {
        "json", "jsonrpc",
    }:  # fmt: skip
        text = f"type={given.type!r}, while {shown!r} is {base.type!r}: the first one stays"
        yield Finding(RULES["override-type"], path, given.line, text, shown)
    lost = set(base.paths) - set(given.paths)
    if given.paths and lost and not given.is_override:
        text = f"drops {min(lost)!r}, which senders may know"
        yield Finding(RULES["override-path"], path, given.line, text, shown)


def _overridden(
    controller: Controller, name: str, known: dict[tuple[str, str], list[AddonRoute]]
) -> AddonRoute | None:
    for base in controller.bases:
        found = known.get((base.rpartition(".")[2], name), [])
        others = [one for one in found if one.controller is not controller]
        if len(others) == 1:
            return others[0]
    return None


def _clash(first: AddonRoute, other: AddonRoute) -> bool:
    if first.controller is other.controller and first.function is other.function:
        return False
    bases = {base.rpartition(".")[2] for base in (*first.controller.bases, *other.controller.bases)}
    related = {first.controller.node.name, other.controller.node.name} & bases
    if related or first.function.name == other.function.name:
        return False
    one, two = first.methods, other.methods
    return one is None or two is None or bool(set(one) & set(two))


def _imported(source: AddonFile, root: Path) -> Iterator[Path]:
    """Yield the files that an import of this one may reach."""
    folder = source.path.resolve().parent
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            base = _base(folder, node, root)
            if base is not None:
                yield from _module(base)
                for one in node.names:
                    yield from _module(base / one.name)
        elif isinstance(node, ast.Import):
            for one in node.names:
                parts = one.name.split(".")
                if parts[:2] == ["odoo", "addons"] and parts[2:3] == [root.name]:
                    yield from _module(root.joinpath(*parts[3:]))


def _base(folder: Path, node: ast.ImportFrom, root: Path) -> Path | None:
    parts = node.module.split(".") if node.module else []
    if node.level:
        for _ in range(node.level - 1):
            folder = folder.parent
        return folder.joinpath(*parts)
    if parts[:2] == ["odoo", "addons"] and parts[2:3] == [root.name]:
        return root.joinpath(*parts[3:])
    return None


def _module(path: Path) -> Iterator[Path]:
    yield path.with_suffix(".py") if path.suffix != ".py" else path
    yield path / "__init__.py"
