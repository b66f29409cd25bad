"""`odoorway user` and `odoorway token`: who may use the console and the API."""

import secrets
import time
from typing import Annotated, Any

import typer
from rich.table import Table

from odoorway import wiring
from odoorway.cli.common import with_settings
from odoorway.cli.journal import with_journal
from odoorway.cli.output import AsJson, Exit, out, safe, to_json
from odoorway.console.auth import hashed, hashed_token
from odoorway.journal.accounts import Deed, Person, Role
from odoorway.journal.port import Journal

user = typer.Typer(no_args_is_help=True, help="People who may use the console.")
token = typer.Typer(no_args_is_help=True, help="Programs that may use the API.")
Name = Annotated[str, typer.Argument(help="the name")]
_LEAST = 10  # characters of a password


@user.command("add")
@with_settings("journal")
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer, operator or admin")] = Role.VIEWER,
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="asked for"),
    ] = "",
    **flags: Any,
) -> None:
    """Add somebody, or give somebody another password or role."""
    if len(password) < _LEAST:
        raise typer.BadParameter(f"a password has at least {_LEAST} characters")
    _put(flags, Person(name, role, hashed(password)), "user add")
    out.print(f"{safe(name)} is {role}")


@user.command("list")
@with_settings("journal")
def list_users(as_json: AsJson = False, **flags: Any) -> None:
    """List people and tokens."""
    people = with_journal(flags, lambda j: wiring.accounts_of(j).people())
    if as_json:
        shown = [{"name": p.name, "role": p.role, "token": p.is_token} for p in people]
        print(to_json(shown))
        return
    table = Table("name", "role", "kind", "expires", box=None, pad_edge=False)
    for one in people:
        ends = "" if one.expires is None else time.strftime("%Y-%m-%d", time.gmtime(one.expires))
        table.add_row(safe(one.name), one.role, "token" if one.is_token else "person", ends)
    out.print(table if people else "Nobody yet: odoorway user add NAME --role admin")


@user.command("remove")
@with_settings("journal")
def remove_user(name: Name, **flags: Any) -> None:
    """Remove somebody, or a token."""
    if not with_journal(flags, lambda j: wiring.accounts_of(j).remove(name)):
        out.print(f"[bold red]error:[/] there is nobody called {safe(name)}")
        raise typer.Exit(Exit.FAILED)
    out.print(f"{safe(name)} is removed")


@token.command("add")
@with_settings("journal")
def add_token(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer, operator or admin")] = Role.VIEWER,
    days: Annotated[int, typer.Option(min=1, help="until it expires")] = 365,
    **flags: Any,
) -> None:
    """Make a token for the API, and print it once."""
    made = f"odw_{secrets.token_urlsafe(32)}"
    expires = time.time() + days * 86400
    person = Person(name, role, hashed_token(made), expires, is_token=True)
    _put(flags, person, "token add")
    print(made)


def _put(flags: dict[str, Any], person: Person, action: str) -> None:
    async def work(journal: Journal) -> None:
        accounts = wiring.accounts_of(journal)
        await accounts.put(person)
        await accounts.note(Deed(time.time(), "command line", action, person.name))

    with_journal(flags, work)
