"""`odoorway doctor explain`: a code, or what somebody pasted, becomes a diagnosis."""

import difflib
import sys
from collections.abc import Iterator
from typing import Annotated, Any, assert_never

import typer
from rich.panel import Panel

from odoorway.cli.output import AsJson, Exit, err, out, safe, to_json
from odoorway.diagnose.catalog import CATALOG
from odoorway.diagnose.evidence import Evidence, read
from odoorway.diagnose.recognise import Fine, Recognised, Sure, Unsure, recognise
from odoorway.model.diagnosis import Diagnosis

_MOST = 2_000_000  # bytes read from standard input
Code = Annotated[
    str, typer.Argument(help="a diagnosis's code, or a status; without it, paste an answer or log")
]


def explain(code: Code = "", as_json: AsJson = False) -> None:
    """Explain a code, or a status, an answer, a traceback or log lines from standard input.

    Ends with 0 when it is explained, with 1 when it can only guess.
    """
    if code in CATALOG:
        _print(Sure(CATALOG[code], "its code"), Evidence(), as_json=as_json)
        return
    if code and "." in code and not code.replace(".", "").isdigit():
        near = difflib.get_close_matches(code, CATALOG, 3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise typer.BadParameter(f"no diagnosis has the code {code!r}{hint}")
    evidence = read(code or _pasted())
    result = recognise(evidence)
    _print(result, evidence, as_json=as_json)
    if isinstance(result, Unsure):
        raise typer.Exit(Exit.FAILED)


def _pasted() -> str:
    if sys.stdin.isatty():
        err.print("Paste the answer, the traceback or the log lines; end with Ctrl-D.", style="dim")
    return sys.stdin.buffer.read(_MOST).decode(errors="replace")


def _print(result: Recognised, evidence: Evidence, *, as_json: bool) -> None:
    if as_json:
        print(to_json(_plain(result, evidence)))
        return
    match result:
        case Sure(known, shown_by):
            out.print(panel(known, shown_by))
        case Unsure(nearest):
            out.print("[bold yellow]unsure[/]: this alone does not tell. The nearest are:\n")
            for one in nearest:
                out.print(f"  [bold]{one.title}[/] [dim]{one.code}[/]\n  {one.cause}\n")
            for hint in _more(evidence):
                out.print(f"[green]→[/] {hint}")
        case Fine():
            out.print(
                "[bold green]nothing wrong shows[/] in this answer. If the event is missing all the"
                " same, look at Odoo's log: [bold]odoorway doctor logs[/]"
            )
        case _:
            assert_never(result)


def panel(known: Diagnosis, shown_by: str = "") -> Panel:
    """Return a diagnosis as a person reads it on a terminal."""
    lines = [known.cause, ""]
    lines += [f"[green]{n}.[/] {safe(step)}" for n, step in enumerate(known.fix, 1)]
    lines += [f"[dim]Odoo {versions}:[/] {safe(text)}" for versions, text in known.versions]
    lines += ["", f"[dim]{_facts(known)}[/]"]
    if shown_by:
        lines.append(f"[dim]shown by {safe(shown_by)}[/]")
    title = f"[bold]{known.title}[/] [dim]{known.code}[/]"
    return Panel("\n".join(lines), title=title, title_align="left", padding=(1, 2), expand=False)


def _facts(known: Diagnosis) -> str:
    passes = "can pass by itself" if known.transient else "does not pass by itself"
    again = "may be sent again" if known.repeat_safe else "look before you send it again"
    return f"{known.fixer} can fix it · {passes} · {again}"


def _more(evidence: Evidence) -> Iterator[str]:
    """Yield what would tell more."""
    if not evidence.log:
        yield "Paste Odoo's log lines of that moment too: a 500 tells its cause only there."
    if not evidence.body:
        yield "Paste the whole answer, with its headers and body (curl -i)."


def _plain(result: Recognised, evidence: Evidence) -> dict[str, Any]:
    match result:
        case Sure(known, shown_by):
            return {"sure": True, "shown_by": shown_by, "diagnosis": told(known)}
        case Unsure(nearest):
            more = list(_more(evidence))
            return {"sure": False, "nearest": [told(one) for one in nearest], "more": more}
        case Fine():
            return {"sure": True, "diagnosis": None}
        case _:
            assert_never(result)


def told(known: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis for a program."""
    return {
        "code": known.code,
        "title": known.title,
        "cause": known.cause,
        "fix": list(known.fix),
        "versions": dict(known.versions),
        "transient": known.transient,
        "repeat_safe": known.repeat_safe,
        "fixer": known.fixer,
        "page": known.page,
    }
