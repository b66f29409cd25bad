"""`odoorway doctor addons`: what the routes of addons will do wrong, before they do."""

from collections import Counter
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from odoorway.cli.output import Exit, out, safe, to_json
from odoorway.doctor.addons.check import Checked, check
from odoorway.doctor.addons.fix import fixed
from odoorway.doctor.addons.report import as_github, as_json, as_sarif, shown
from odoorway.doctor.addons.rule import Finding, Severity
from odoorway.outside import printable

_COLOUR = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


Folders = Annotated[
    list[Path], typer.Argument(help="addons, or folders that hold addons", exists=True)
]


def addons(
    folders: Folders,
    form: Annotated[Format, typer.Option("--format", help="how to write it")] = Format.TEXT,
    fix: Annotated[bool, typer.Option("--fix", help="make the mechanical changes")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="end with 1 for warnings too")] = False,
) -> None:
    """Read Odoo addons, without running them, for faults of their webhooks.

    Ends with 1 when there is an error. `# odoorway: ignore[rule]` on a line turns a rule off.
    """
    checked = check(folders)
    if fix and any(one.edit for one in checked.findings):
        changed = fixed(checked.findings)
        for path, count in changed.items():
            out.print(f"[green]fixed[/]  {safe(shown(path))}: {count}")
        checked = check(folders)
    _write(checked, form)
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    if any(one.rule.severity in bad for one in checked.findings):
        raise typer.Exit(Exit.FAILED)


def _write(checked: Checked, form: Format) -> None:
    match form:
        case Format.JSON:
            print(to_json(as_json(checked)))
        case Format.SARIF:
            print(to_json(as_sarif(checked), indent=1))
        case Format.GITHUB:
            for line in as_github(checked.findings):
                print(printable(line))
        case Format.TEXT:
            _show(checked)


def _show(checked: Checked) -> None:
    for path, group in groupby(checked.findings, key=lambda one: one.path):
        out.print(f"\n[bold]{safe(shown(path))}[/]", soft_wrap=True)
        for one in group:
            _show_one(one)
    count = Counter(one.rule.severity for one in checked.findings)
    told = ", ".join(f"[{_COLOUR[s]}]{count[s]} {s}s[/]" for s in Severity if count[s])
    read = f"{checked.addons} addons, {checked.files} files, {len(checked.routes)} routes"
    out.print(f"\n{told or '[bold green]nothing found[/]'} [dim]in {read}[/]")
    fixable = sum(one.edit is not None for one in checked.findings)
    if fixable:
        out.print(f"[dim]{fixable} can be fixed by --fix[/]")


def _show_one(one: Finding) -> None:
    colour = _COLOUR[one.rule.severity]
    out.print(
        f"  [dim]{one.line:>5}[/] [{colour}]{one.rule.severity:7}[/] {one.rule.title}"
        f" [dim]{one.rule.code}[/]",
        soft_wrap=True,
    )
    route = f"[dim]{safe(one.route)}[/] " if one.route else ""
    out.print(f"{'':16}{route}{safe(one.message)}", soft_wrap=True)
