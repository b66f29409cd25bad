"""Groups of commands that are imported one by one, each when it is called."""

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class Later(NamedTuple):
    """A command, or a group of them, that is not imported yet."""

    where: str  # module:attribute, in this package
    summary: str  # its line in --help; a test holds it to the first of the command's own help

    def load(self, name: str) -> Any:
        """Import it, and return what Typer makes of it under *name*."""
        module, _, attribute = self.where.partition(":")
        found = getattr(import_module(f"{__package__}.{module}"), attribute)
        holder = typer.Typer(rich_markup_mode="rich")
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
        else:
            holder.command(name)(found)
        return get_group(holder).commands[name]


class _Commands(UserDict[str, Any]):
    """A group's commands by name; to take one is to import it, to list the names is not."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if isinstance(found, Later):
            found = self[name] = found.load(name)
        return found


class LazyGroup(TyperGroup):
    """A group that knows its commands' names and summaries, and imports only what is called.

    ``commands`` is the whole tree all the same, for whoever walks it: that imports everything.
    """

    later: ClassVar[Mapping[str, Later]]  # in the order of --help

    def __init__(self, **given: Any) -> None:
        """Take what Typer gives a group."""
        super().__init__(**given)
        self.commands = _Commands(self.later)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        """Return the names."""
        return list(self.later)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002
        """Return as much of a command as --help and completion show."""
        known = self.later.get(cmd_name)
        return TyperCommand(cmd_name, help=known.summary) if known else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is called: now it is imported."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and self.commands[str(found.name)], rest
