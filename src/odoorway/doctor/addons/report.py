"""Findings for programs: JSON, SARIF, and the lines that GitHub turns into annotations."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from odoorway import __version__
from odoorway.doctor.addons.catalog import RULES
from odoorway.doctor.addons.check import Checked
from odoorway.doctor.addons.rule import Finding, Severity

PAGES = "https://odoorway.dev/rules"
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def shown(path: Path) -> str:
    """Return the path from here, where it is below."""
    here = Path.cwd()
    return (
        str(path.resolve().relative_to(here)) if path.resolve().is_relative_to(here) else str(path)
    )


def as_json(checked: Checked) -> dict[str, Any]:
    """Return all that was found."""
    return {
        "addons": checked.addons,
        "files": checked.files,
        "routes": len(checked.routes),
        "findings": [
            {
                "rule": one.rule.code,
                "severity": one.rule.severity,
                "path": shown(one.path),
                "line": one.line,
                "route": one.route,
                "message": one.message,
                "fixable": one.edit is not None,
            }
            for one in checked.findings
        ],
    }


def as_sarif(checked: Checked) -> dict[str, Any]:
    """Return a SARIF 2.1.0 log, as code hosts read it."""
    rules = [
        {
            "id": rule.code,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "helpUri": f"{PAGES}/{rule.code}",
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in RULES.values()
    ]
    driver = {"name": "odoorway", "version": __version__, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": list(map(_result, checked.findings))}],
    }


def as_github(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield workflow commands."""
    for one in findings:
        place = f"file={_property(shown(one.path))},line={one.line},title={one.rule.code}"
        text = one.message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        yield f"::{_GITHUB[one.rule.severity]} {place}::{text}"


def _result(one: Finding) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": Path(shown(one.path)).as_posix()},
        "region": {"startLine": max(1, one.line)},
    }
    return {
        "ruleId": one.rule.code,
        "level": one.rule.severity,
        "message": {"text": one.message},
        "locations": [{"physicalLocation": place}],
    }


def _property(text: str) -> str:
    escapes = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C"))
    for found, written in escapes:
        text = text.replace(found, written)
    return text
