"""What `odoorway doctor logs` shows a person: the worst in full, the rest a line each."""

from collections.abc import Iterator

from rich.table import Table

from odoorway.cli.output import out, safe, safe_lines
from odoorway.diagnose.catalog import CATALOG
from odoorway.doctor.logs.groups import GroupSeverity, IncidentGroup, request_of, when
from odoorway.doctor.logs.reading import GroupedIncident, Reading

_BRIEF = 8  # groups of a severity that get a line of their own
_MESSAGE = 120  # characters of a message on one line
_STYLE = {
    GroupSeverity.ERROR: "bold red",
    GroupSeverity.WARNING: "yellow",
    GroupSeverity.NOTE: "dim",
}
_NO_REQUESTS = (
    "[yellow]no request is in this log[/], so no failure can be tied to one:"
    " Odoo runs with log_handler = werkzeug:WARNING, or the like"
)
_HEADING = {
    GroupSeverity.ERROR: "failed",
    GroupSeverity.WARNING: "worth a look",
    GroupSeverity.NOTE: "for your information",
}


def show(reading: Reading, problems: list[str], limit: int, *, verbose: bool) -> None:
    """Print the report: *limit* of the failures in full and the rest in brief; 0 shows all."""
    for problem in problems:
        out.print(f"[yellow]not read:[/] {safe(problem)}", soft_wrap=True)
    groups = list(reading.groups)
    _summary(reading, groups)
    if not reading.ties:
        out.print(_NO_REQUESTS, soft_wrap=True)
    for severity in GroupSeverity:
        of_it = [group for group in groups if group.severity is severity]
        full = limit if severity is GroupSeverity.ERROR else 0
        _section(severity, of_it, full if limit else len(of_it), verbose=verbose)
    if reading.groups.dropped:
        out.print(f"[dim]{reading.groups.dropped} rare incidents are left out[/]")


def tell(found: GroupedIncident) -> None:
    """Print one incident of a log that is followed; the first of its group in full."""
    group, incident = found.group, found.incident
    if group.count == 1:
        out.print(_full(group, verbose=False))
        return
    status = incident.access.status if incident.access else ""
    request = _request(request_of(incident) or "")
    style = _STYLE[group.severity]
    out.print(
        f"[dim]{_time(when(incident))}[/]  [{style}]{_title(group)}[/]"
        f"  {request} {status}  [dim]{group.count}×[/]",
        soft_wrap=True,
    )


def _summary(reading: Reading, groups: list[IncidentGroup]) -> None:
    first, last = reading.span
    failed = [group for group in groups if group.severity is GroupSeverity.ERROR]
    count = sum(group.count for group in failed)
    told = (
        f"[bold red]{count} failed[/], in {len(failed)} way{'s' * (len(failed) != 1)}"
        if failed
        else "[bold green]nothing failed[/]"
    )
    out.print(f"{told}  [dim]{_time(first)} to {_time(last)}[/]", soft_wrap=True)


def _section(
    severity: GroupSeverity, groups: list[IncidentGroup], full: int, *, verbose: bool
) -> None:
    for group in groups[:full]:
        out.print()
        out.print(_full(group, verbose=verbose))
        if verbose and group.sample:
            out.print(safe_lines(group.sample), style="dim", soft_wrap=True)
    rest = groups[full:]
    if not rest:
        return
    out.print()
    also = "also " if full else ""
    out.print(f"[{_STYLE[severity]}]{also}{_HEADING[severity]}[/]")
    out.print(_brief(rest[:_BRIEF]))
    if len(rest) > _BRIEF:
        out.print(f"[dim]{len(rest) - _BRIEF} more: --limit 0 shows all[/]")


def _full(group: IncidentGroup, *, verbose: bool) -> Table:
    """Return a group with its line, its diagnosis and, for webhooks, the fix."""
    table = _grid()
    first, *rest = _lines(group, verbose=verbose)
    table.add_row(f"[{_STYLE[group.severity]}]{group.count}×[/]", first)
    for line in rest:
        table.add_row("", line)
    return table


def _lines(group: IncidentGroup, *, verbose: bool) -> Iterator[str]:
    yield f"[{_STYLE[group.severity]}]{_title(group)}[/]"
    yield from _requests(group)
    until = f" to {_time(group.last)}" if group.count > 1 else ""
    yield f"[dim]{_time(group.first)}{until}  {group.fingerprint}[/]"
    if group.line:
        line = group.line
        yield f"[cyan]{safe(line.path)}:{line.line}[/] in {safe(line.function)}"
        if line.code:
            yield f"    {safe(line.code)}"
    yield from _diagnosis(group, verbose=verbose)


def _requests(group: IncidentGroup) -> Iterator[str]:
    most = group.requests.most_common(3)
    if not most:
        return
    paths = ", ".join(f"{_request(path)}{f' {count}×' * (len(most) > 1)}" for path, count in most)
    more = len(group.requests) - len(most)
    answers = ", ".join(str(status) for status, _ in group.statuses.most_common(3))
    yield f"{paths}{f', {more} more paths' * bool(more)}{f' → {answers}' * bool(answers)}"


def _diagnosis(group: IncidentGroup, *, verbose: bool) -> Iterator[str]:
    known = CATALOG.get(group.code or "")
    if known is None:
        if group.nearest:
            yield f"[yellow]unsure:[/] {', or '.join(map(_named, group.nearest))}"
        return
    yield f"[bold]{known.title}[/]  [dim]{known.code}[/]"
    if verbose:
        yield known.cause
        yield from (f"[dim]Odoo {versions}:[/] {safe(text)}" for versions, text in known.versions)
    if group.webhook:
        yield from (f"[green]fix:[/] {safe(step)}" for step in known.fix)


def _named(code: str) -> str:
    return f"{CATALOG[code].title} [dim]{code}[/]"


def _brief(groups: list[IncidentGroup]) -> Table:
    table = _grid()
    for group in groups:
        (request, _), *_ = group.requests.most_common(1) or [("", 0)]
        table.add_row(f"{group.count}×", f"{_brief_title(group)}  [dim]{_request(request)}[/]")
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", min_width=6, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _title(group: IncidentGroup) -> str:
    """Return the exception with its message, or what was said where there was none."""
    if group.kind.startswith("HTTP "):
        return safe(group.kind)  # its request is shown beside it
    said = " ".join(group.message.split())
    said = said if len(said) <= _MESSAGE else f"{said[:_MESSAGE]}…"
    if said and _is_logger(group.kind):
        return safe(said)
    return safe(f"{group.kind}{': ' * bool(said)}{said}")


def _brief_title(group: IncidentGroup) -> str:
    known = CATALOG.get(group.code or "")
    return known.title if known else _title(group)


def _is_logger(kind: str) -> bool:
    return "." in kind and kind.rpartition(".")[2][:1].islower()


def _request(request: str) -> str:
    return safe(request.removeprefix("? "))


def _time(time: str) -> str:
    return safe(time.partition(",")[0])
