"""A command imports what it needs and no more; `--help` shows all of them nevertheless."""

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.main import get_command

from odoorway.cli.lazy import LazyGroup
from odoorway.cli.main import app

HEAVY = {"aiohttp", "apprise", "apsw", "argon2", "asyncio", "jinja2", "prometheus_client",
         "starlette", "structlog", "uvicorn", "uvloop"}  # fmt: skip
PYDANTIC = {"pydantic"}  # Typer asks it for the values of a command's parameters
RUN = """
import contextlib, io, json, sys
from odoorway.cli.main import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
print(json.dumps(sorted(sys.modules)))
"""


def imported(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_what_runs_no_command_imports_none(flag: str) -> None:
    """Of Odoorway only what declares the commands, and nothing that takes long."""
    found = imported(flag)
    assert found & (HEAVY | PYDANTIC) == set()
    ours = {name for name in found if name.startswith("odoorway.cli.")}
    assert ours == {"odoorway.cli.lazy", "odoorway.cli.main", "odoorway.cli.output"}


@pytest.mark.parametrize(
    "words",
    [
        ["chek"],
        ["init", "--help"],
        ["try", "--help"],
        ["doctor", "explain", "odoo.bad-key"],
        ["doctor", "addons", "--help"],
        ["doctor", "logs", "--help"],
    ],
)
def test_who_runs_no_gateway_waits_for_none_of_it(words: list[str]) -> None:
    """The doctor is for people without the gateway: no server, client, journal or console."""
    assert imported(*words) & HEAVY == set()


@pytest.mark.parametrize("command", ["status", "pause", "events list", "dead list"])
def test_who_asks_a_gateway_elsewhere_imports_none_here(command: str) -> None:
    """With --url only what speaks HTTP."""
    found = imported(*command.split(), "--url", "http://127.0.0.1:1")
    assert found & HEAVY == {"aiohttp", "asyncio"}
    assert "odoorway.wiring" not in found


def test_the_names_of_the_package_cost_little() -> None:
    """Every hooks.py and every test of one imports them."""
    code = "import json, sys, odoorway; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) & (HEAVY | PYDANTIC) == set()


def groups(command: object) -> Iterator[LazyGroup]:
    """Yield the groups of *command* and below it that import later."""
    if isinstance(command, LazyGroup):
        yield command
    for child in getattr(command, "commands", {}).values():
        yield from groups(child)


def test_each_summary_is_the_first_paragraph_of_the_commands_own_help() -> None:
    """It stands in the table as well, so that `--help` need not import the command."""
    found = list(groups(get_command(app)))
    assert {one.name for one in found} == {"", "doctor"}
    for group in found:
        for name, later in group.later.items():
            own = inspect.cleandoc(group.commands[name].help or "").split("\n\n")[0]
            assert later.summary == own.replace("\n", " "), name
