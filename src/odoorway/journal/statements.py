"""Named SQL: the statements of a dialect, read once from its ``.sql`` files."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def folder(dialect: str) -> Traversable:
    """Return the folder of a dialect's ``.sql`` files."""
    return files("odoorway.journal") / "sql" / dialect


def load(dialect: str, *names: str) -> Mapping[str, str]:
    """Return the statements of ``<name>.sql`` by what stands after ``-- name:`` above each."""
    return {
        key: statement
        for name in names
        for key, statement in _split((folder(dialect) / f"{name}.sql").read_text("utf-8"))
    }


def _split(text: str) -> Iterator[tuple[str, str]]:
    _, *parts = _NAME.split(text)
    for key, statement in zip(parts[::2], parts[1::2], strict=True):
        yield key, _COMMENT.sub("", statement).strip()
