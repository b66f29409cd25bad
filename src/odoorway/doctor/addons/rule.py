"""What a rule is, and what it finds."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # the route does not work, or anybody may use it
    WARNING = "warning"  # it works until something goes wrong
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One misconfiguration, with an example that has it and one that has not."""

    code: str
    severity: Severity
    title: str
    why: str
    bad: str
    good: str
    fixable: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """Text of one line to be replaced."""

    line: int  # from 1
    start: int  # column, from 0
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule applies."""

    rule: Rule
    path: Path
    line: int
    message: str
    route: str = ""  # the path of the route that is concerned
    edit: Edit | None = None  # what --fix would do
