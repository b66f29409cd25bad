"""What commands share that read settings or hooks.py: flags, their variables, the gateway."""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.main import get_command

from odoorway import settings as configured
from odoorway.cli.main import app
from odoorway.errors import DeclarationError
from odoorway.gateway import Gateway
from odoorway.settings import PREFIX, Settings

Hooks = Annotated[Path, typer.Argument(help="the file that declares the gateway")]


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
    return configured.read(environ, flags, known=_flags), environ


def _flags() -> set[str]:
    """Return the variables of every command's flags; that imports every command."""
    return {name for name, _ in variables(get_command(app))}


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
