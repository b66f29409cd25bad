"""What every command says and how it ends: exit codes, the two streams, safe text, JSON."""

import json
from enum import IntEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from odoorway.outside import printable

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


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
AsJson = Annotated[
    bool,
    typer.Option("--json", help="print JSON, for a program to read", envvar="ODOORWAY_JSON"),
]


def safe(text: object) -> str:
    """Return hostile text harmless for a terminal, in one line: no controls, no Rich markup."""
    return escape(printable(str(text)))


def safe_lines(text: object) -> str:
    """Return hostile text like ``safe``, its lines and tabs as they are: for what has its place."""
    return escape(printable(str(text), keep="\n\t"))


def to_json(value: Any, **more: Any) -> str:
    """Return *value* as JSON that a terminal may show: in ASCII, and nothing that it obeys."""
    return json.dumps(value, **more).replace("\x7f", "\\u007f")
