"""The `odoorway` program."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from odoorway import __version__
from odoorway.cli import (
    checking,
    demo,
    doctor,
    journal,
    scaffold,
    schema,
    serving,
    status,
    transfer,
    trying,
    users,
)
from odoorway.cli.common import EXIT_CODES, FLAG_VARIABLES, Exit, err, safe, variables
from odoorway.errors import (
    DeclarationError,
    JournalUnavailable,
    LogUnreadable,
    OdoorwayError,
    SettingsError,
)
from odoorway.settings import PREFIX

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The webhook gateway for Odoo.",
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"auto_envvar_prefix": PREFIX.rstrip("_")},
)
app.command("init")(scaffold.init)
app.command("run")(serving.run)
app.command("check")(checking.check)
app.command("try")(trying.try_handler)
app.command("send")(trying.send)
app.command("demo")(demo.demo)
app.command("export")(transfer.export_events)
app.command("import")(transfer.import_events)
app.command("status")(status.status)
app.command("pause")(status.pause)
app.command("resume")(status.resume)
app.add_typer(journal.events, name="events")
app.add_typer(journal.dead, name="dead")
app.add_typer(schema.schema, name="schema")
app.add_typer(users.user, name="user")
app.add_typer(users.token, name="token")
app.add_typer(doctor.doctor, name="doctor")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"odoorway {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Receive webhooks, and write them into Odoo exactly once in effect."""
    FLAG_VARIABLES.set(frozenset(name for name, _ in variables(context.command)))


def main() -> None:
    """Run the program; an error of Odoorway's own is a line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know fewer letters
    try:
        app()
    except OdoorwayError as error:
        err.print(f"[bold red]error:[/] {safe(error)}", soft_wrap=True)
        sys.exit(_code(error))


def _code(error: OdoorwayError) -> Exit:
    match error:
        case DeclarationError() | SettingsError():
            return Exit.SETTINGS
        case JournalUnavailable() | LogUnreadable():
            return Exit.UNAVAILABLE
        case _:
            return Exit.FAILED
