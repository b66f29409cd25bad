"""`odoorway doctor probe`: why does this URL refuse a webhook?"""

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from odoorway.cli.doctor_explain import panel, told
from odoorway.cli.output import AsJson, Exit, err, out, safe, to_json
from odoorway.doctor.probe.judge import Level, seen
from odoorway.doctor.probe.request import Ask, Target, sequence
from odoorway.doctor.probe.run import Probe, Report
from odoorway.doctor.probe.wire import Exchange
from odoorway.sources import sign
from odoorway.sources.presets import PRESETS

_KINDS = {".json": "application/json", ".xml": "text/xml"}


def probe(
    url: Annotated[str, typer.Argument(help="the webhook's URL")],
    send: Annotated[
        Path | None, typer.Option("--send", help="a file to POST", exists=True, dir_okay=False)
    ] = None,
    content_type: Annotated[str, typer.Option(help="the file's; by its name by default")] = "",
    method: Annotated[str, typer.Option(help="in place of POST")] = "POST",
    secret: Annotated[str, typer.Option(help="sign what is sent, as --preset does")] = "",
    preset: Annotated[str, typer.Option(help=f"who signs: {', '.join(PRESETS)}")] = "",
    topic: Annotated[str, typer.Option(help="the topic, for the preset's header")] = "",
    database: Annotated[str, typer.Option(help="named in X-Odoo-Database (Odoo 19)")] = "",
    key: Annotated[str, typer.Option(help="an API key to check (Odoo 19)")] = "",
    model: Annotated[
        list[str] | None, typer.Option(help="what the key's user has to write")
    ] = None,
    follow: Annotated[bool, typer.Option(help="follow redirects to other hosts too")] = False,
    post: Annotated[bool, typer.Option(help="also POST an empty body")] = True,
    limit: Annotated[float, typer.Option(help="seconds for all of it")] = 10.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the requests only")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="show each request")] = False,
    as_json: AsJson = False,
) -> None:
    """Find why a URL of Odoo refuses a webhook, with a few careful requests.

    One at a time, and none carries data unless --send gives it. Ends with 1 when something has
    to be fixed, with 4 when nobody could be reached.
    """
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{url!r} is no URL; it begins with https://")
    payload = send.read_bytes() if send else None
    headers = _headers(send, content_type, payload or b"", secret, preset, topic)
    target = Target(
        url=url, database=database, payload=payload, headers=headers, method=method, key=key,
        models=tuple(model or ()), may_post=post,
    )  # fmt: skip
    if dry_run:
        for ask in sequence(target):
            _show_ask(ask)
        return
    show = _show_exchange if verbose and not as_json else _nothing
    report = asyncio.run(Probe(target, limit=limit, anywhere=follow, tell=show).run())
    if as_json:
        print(to_json(_plain(report)))
    else:
        _show(report)
    if report.failed:
        raise typer.Exit(_code(report))


def _headers(
    send: Path | None, content_type: str, body: bytes, secret: str, preset: str, topic: str
) -> dict[str, str]:
    if send is None:
        return {}
    kind = content_type or _KINDS.get(send.suffix, "application/x-www-form-urlencoded")
    if not secret:
        return {"content-type": kind}
    if preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise typer.BadParameter(f"--secret needs a --preset that says how to sign: {known}")
    definition = PRESETS[preset](secret=secret)
    signed = sign(definition, secret, body, topic=topic, event_id="probe", now=time.time())
    return {**signed, "content-type": kind}


def _show(report: Report) -> None:
    version = f"Odoo {report.version}" if report.version else "no version was told"
    seconds = sum(one.seconds for one in report.exchanges)
    out.print(f"[dim]{len(report.exchanges)} requests in {seconds:.1f} s; {safe(version)}[/]\n")
    if not report.findings:
        out.print(
            "[bold green]nothing wrong was found[/]: the route takes the request. If events are"
            " missing all the same: [bold]odoorway doctor logs[/]"
        )
        return
    for number, one in enumerate(report.findings):
        if one.level is Level.GUESS and number == 0:
            out.print("[bold yellow]unsure[/]: Odoo's log of this moment tells. The likeliest:\n")
        if number < 2:  # noqa: PLR2004 - one screen
            out.print(panel(one.diagnosis, one.evidence))
        else:
            out.print(f"[dim]also[/] {one.diagnosis.title} [dim]{one.diagnosis.code}[/]")


def _plain(report: Report) -> dict[str, Any]:
    return {
        "version": report.version,
        "findings": [
            {"level": one.level, "evidence": one.evidence, **told(one.diagnosis)}
            for one in report.findings
        ],
        "requests": [
            {"purpose": one.ask.purpose, "seen": seen(one), "seconds": round(one.seconds, 3)}
            for one in report.exchanges
        ],
    }


def _code(report: Report) -> Exit:
    first = report.findings[0].diagnosis.code
    away = first.startswith(("network.", "tls."))
    return Exit.UNAVAILABLE if away else Exit.FAILED


def _show_ask(ask: Ask) -> None:
    body = f" [dim]with {len(ask.body)} bytes[/]" if ask.body else ""
    out.print(f"{ask.method:9}{safe(ask.url)}{body}  [dim]{ask.purpose}[/]", soft_wrap=True)


def _show_exchange(exchange: Exchange) -> None:
    err.print(f"[dim]{safe(seen(exchange))} ({exchange.seconds:.2f} s)[/]", soft_wrap=True)


def _nothing(_: Exchange) -> None:
    """Say nothing."""
