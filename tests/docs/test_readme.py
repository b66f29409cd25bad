"""The README tells the truth."""

import re
import shlex
from pathlib import Path

from typer.main import get_command

from odoorway.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_hooks_shown_are_those_that_the_tests_run() -> None:
    """The acceptance tests serve examples/shopify/hooks.py; the README shows that file."""
    assert blocks("python") == [(ROOT / "examples/shopify/hooks.py").read_text()]


def test_every_command_shown_exists() -> None:
    """Each `odoorway ...` and `make ...` line names a command that there is."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = [
        shlex.split(line[1:], comments=True) for line in "".join(blocks("console")).splitlines()
    ]
    assert len(shown) >= 6
    for program, *words in shown:
        if program == "make":
            assert words[0] in targets
        else:
            assert program == "odoorway"
            resolve(words)


def resolve(words: list[str]) -> None:
    command = get_command(app)
    for word in words:
        children = getattr(command, "commands", None)
        if children is None:
            break
        assert word in children, f"no command {word!r}"
        command = children[word]
    known = {option for param in command.params for option in param.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_promise_names_the_test_that_proves_it() -> None:
    """Under "What you can rely on": a link to the file, with the test's name as its title."""
    section = README.partition("## What you can rely on")[2].partition("\nThe command line")[0]
    promises = re.split(r"^- ", section, flags=re.MULTILINE)[1:]
    assert len(promises) >= 10
    for promise in promises:
        proofs = re.findall(r'\[test\]\((tests/\S+) "(\w+)"\)', promise)
        assert proofs, promise
        for file, name in proofs:
            assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
