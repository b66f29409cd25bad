"""What every command shares: exit codes, output, settings as flags, and loading hooks.py."""

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from enum import IntEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from odoorway import settings as configured
from odoorway.errors import DeclarationError
from odoorway.gateway import Gateway
from odoorway.settings import PREFIX, Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
FLAG_VARIABLES: ContextVar[frozenset[str]] = ContextVar("FLAG_VARIABLES", default=frozenset())
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    FAILED = 1  # something was checked or sent and is not as it should be
    USAGE = 2  # the command line is wrong
    SETTINGS = 3  # hooks.py or a setting is wrong
    UNAVAILABLE = 4  # the journal, or whatever was to be reached, is not available


EXIT_CODES = (
    "Exit codes: 0 fine, 1 something is not as it should be, 2 wrong usage,"
    " 3 wrong hooks.py or setting, 4 journal or network not available."
)
Hooks = Annotated[Path, typer.Argument(help="the file that declares the gateway")]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="print JSON, for a program to read", envvar=f"{PREFIX}JSON"),
]


def safe(text: object) -> str:
    """Return hostile text harmless for a terminal: no control characters, no Rich markup."""
    return escape(_CONTROL.sub(lambda m: f"\\x{ord(m.group()):02x}", str(text)))


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command a flag a setting, all of them or those named; it gets ``**flags``."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(command)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        added = [_flag(name) for name in names or Settings.model_fields]
        command.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]  # what inspect reads
        command.__annotations__ |= {p.name: p.annotation for p in added}
        command.__annotations__.pop("flags", None)
        return command

    return decorate


def _flag(name: str) -> inspect.Parameter:
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        help=Settings.model_fields[name].description,
        envvar=f"{PREFIX}{name.upper()}",
        show_default=False,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )


def read_settings(
    flags: dict[str, Any], folder: Path | None = None
) -> tuple[Settings, dict[str, str]]:
    """Return the settings, and the environment that secrets are read from."""
    environ = configured.environment(folder or Path.cwd())
    return configured.read(environ, flags, known=FLAG_VARIABLES.get()), environ


def variables(command: Any, prefix: str = PREFIX) -> Iterator[tuple[str, Any]]:
    """Yield the environment variable, and the option, of each of *command* and below it.

    *command* is any object of the form that click gave commands; Typer has its own copy of them.
    """
    for name, child in getattr(command, "commands", {}).items():
        yield from variables(child, f"{prefix}{name.upper().replace('-', '_')}_")
    for param in () if hasattr(command, "commands") else command.params:
        if param.param_type_name == "option" and param.name != "help":
            yield str(param.envvar or f"{prefix}{str(param.name).upper()}"), param


def load_gateway(path: Path) -> Gateway:
    """Import *path* and return the one Gateway that it declares.

    Raises:
        DeclarationError: it cannot be imported, with the file and line, or holds no Gateway.
    """
    if not path.is_file():
        raise DeclarationError(f"{path} is no file; `odoorway init` writes one to start from")
    module = _imported(path)
    found = {id(value): value for value in vars(module).values() if isinstance(value, Gateway)}
    if len(found) != 1:
        raise DeclarationError(
            f"{path} declares {len(found)} gateways; write one: gateway = Gateway()"
        )
    return next(iter(found.values()))


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("odoorway_hooks", path)
    if spec is None or spec.loader is None:
        raise DeclarationError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DeclarationError(f"{_where(error, path)}: {error}") from error
    return module


def _where(error: Exception, path: Path) -> str:
    """Return the last line of the user's own file that led to *error*."""
    if isinstance(error, SyntaxError):
        return f"{path}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f.lineno for f in frames if Path(f.filename).resolve() == path.resolve()]
    kind = "" if isinstance(error, DeclarationError) else f" {type(error).__name__}"
    return f"{path}:{own[-1] if own else '?'}{kind}"
