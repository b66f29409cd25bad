"""What every command says and how it ends: exit codes, the two streams, safe text, JSON."""

import re
from enum import IntEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
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
AsJson = Annotated[
    bool,
    typer.Option("--json", help="print JSON, for a program to read", envvar="ODOORWAY_JSON"),
]


def safe(text: object) -> str:
    """Return hostile text harmless for a terminal: no control characters, no Rich markup."""
    return escape(_CONTROL.sub(lambda m: f"\\x{ord(m.group()):02x}", str(text)))
