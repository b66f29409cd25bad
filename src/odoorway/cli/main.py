"""The `odoorway` program."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from odoorway import __version__
from odoorway.cli.lazy import Later, LazyGroup
from odoorway.cli.output import EXIT_CODES, Exit, err, safe_lines
from odoorway.errors import (
    DeclarationError,
    JournalUnavailable,
    LogUnreadable,
    OdoorwayError,
    SettingsError,
)

COMMANDS = {
    "init": Later(
        "scaffold:init",
        "Write a hooks.py, a .env and a test to start from. Overwrites nothing.",
    ),
    "run": Later(
        "serving:run",
        "Serve hooks.py: receive webhooks and write them into Odoo, until SIGTERM or Ctrl-C.",
    ),
    "check": Later(
        "checking:check",
        "Check hooks.py, its secrets, and whether Odoo would take what its handlers write.",
    ),
    "try": Later(
        "trying:try_handler",
        "Show what the handlers of a topic make of a payload. Writes and asks nothing.",
    ),
    "send": Later(
        "sending:send",
        "Sign a payload as the platform would, and post it to the endpoint.",
    ),
    "demo": Later(
        "demo:demo",
        "Send signed webhooks through a gateway into a sandbox Odoo, and show what became of them.",
    ),
    "export": Later(
        "transfer:export_events",
        "Print events as JSON Lines, the oldest first, each with its deliveries and attempts.",
    ),
    "import": Later(
        "transfer:import_events",
        "Store exported events again, as history: nothing of them is delivered.",
    ),
    "status": Later(
        "status:status",
        "Show whether deliveries flow, what waits and for how long. Ends with 1 when stopped.",
    ),
    "pause": Later(
        "status:pause",
        "Deliver nothing more to a destination until it is resumed; webhooks are still accepted.",
    ),
    "resume": Later(
        "status:resume",
        "Deliver to a paused destination again, all that waited first.",
    ),
    "events": Later("events:events", "What was received, and what became of it."),
    "dead": Later("dead:dead", "Deliveries that a person has to look at."),
    "schema": Later("schema:schema", "Keep what an Odoo has, so that a check needs none."),
    "user": Later("users:user", "People who may use the console."),
    "token": Later("users:token", "Programs that may use the API."),
    "doctor": Later(
        "doctor:doctor",
        "Find why a webhook into Odoo fails, and what fixes it; needs no gateway.",
    ),
}


class Program(LazyGroup):
    """Every command of `odoorway`."""

    later = COMMANDS


app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    add_completion=False,
    help="The webhook gateway for Odoo.",
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"auto_envvar_prefix": "ODOORWAY"},  # settings.PREFIX would import Pydantic
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"odoorway {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            show_envvar=False,
            help="print the version",
        ),
    ] = False,
) -> None:
    """Receive webhooks, and write them into Odoo exactly once in effect."""


def main() -> None:
    """Run the program; an error of Odoorway's own is a line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know fewer letters
    try:
        app()
    except OdoorwayError as error:
        err.print(f"[bold red]error:[/] {safe_lines(error)}", soft_wrap=True)
        sys.exit(_code(error))


def _code(error: OdoorwayError) -> Exit:
    match error:
        case DeclarationError() | SettingsError():
            return Exit.SETTINGS
        case JournalUnavailable() | LogUnreadable():
            return Exit.UNAVAILABLE
        case _:
            return Exit.FAILED
