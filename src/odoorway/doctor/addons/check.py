"""Reads addons and returns what the rules find in them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from odoorway.doctor.addons import addon_rules, body_rules, route_rules
from odoorway.doctor.addons.catalog import RULES
from odoorway.doctor.addons.routes import AddonRoute, Controller, controllers, routes
from odoorway.doctor.addons.rule import Finding
from odoorway.doctor.addons.source import AddonFile, UnreadableFile, addons, files, read

_MENTIONS = ("route", "Controller")


@dataclass(slots=True)
class Checked:
    """What was read and what was found."""

    addons: int = 0
    files: int = 0
    routes: list[AddonRoute] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def check(roots: Iterable[Path]) -> Checked:
    """Read every addon in *roots* and apply every rule; nothing of them is run.

    Several folders are one installation: routes that override or meet each other are seen
    across them.
    """
    checked = Checked()
    known: list[Controller] = []
    by_path: dict[Path, AddonFile] = {}
    for root in dict.fromkeys(addon for given in roots for addon in addons(given)):
        checked.addons += 1
        sources = list(_sources(root, checked))
        by_path |= {source.path: source for source in sources}
        mine = [one for source in _with_routes(sources) for one in controllers(source)]
        found = [route for controller in mine for route in routes(controller)]
        missing = addon_rules.not_imported(sources, root)
        checked.findings += addon_rules.unreached(found, missing)
        checked.routes += found
        known += mine
    checked.findings += _of_routes(checked.routes)
    checked.findings += addon_rules.duplicates(checked.routes)
    checked.findings += addon_rules.overrides(known, checked.routes)
    checked.findings = _told(checked.findings, by_path)
    return checked


def _sources(root: Path, checked: Checked) -> Iterator[AddonFile]:
    for path in files(root):
        checked.files += 1
        try:
            yield read(path, root.name)
        except UnreadableFile as error:
            rule = RULES["file-unreadable"]
            checked.findings.append(Finding(rule, path, error.line, str(error)))


def _with_routes(sources: Sequence[AddonFile]) -> Iterator[AddonFile]:
    return (one for one in sources if any(word in one.text for word in _MENTIONS))


def _of_routes(found: Iterable[AddonRoute]) -> Iterator[Finding]:
    for route in found:
        for look in (*route_rules.CHECKS, *body_rules.CHECKS):
            yield from look(route)


def _told(findings: Iterable[Finding], sources: dict[Path, AddonFile]) -> list[Finding]:
    """Return the findings that no comment turns off, in order, each once."""
    kept = {
        (one.path, one.line, one.rule.code): one
        for one in findings
        if one.path not in sources or not sources[one.path].ignores(one.line, one.rule.code)
    }
    return [kept[key] for key in sorted(kept)]
