"""Makes the changes that are mechanical."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from odoorway.doctor.addons.rule import Edit, Finding


def fixed(findings: Iterable[Finding]) -> dict[Path, int]:
    """Write the edits of *findings* into their files; return how many in each.

    Edits of a file are made from its end, so that each still finds its place.
    """
    edits: dict[Path, set[Edit]] = defaultdict(set)
    for one in findings:
        if one.edit:
            edits[one.path].add(one.edit)
    for path, found in edits.items():
        path.write_bytes(apply(path.read_bytes(), found))
    return {path: len(found) for path, found in edits.items()}


def apply(text: bytes, edits: Iterable[Edit]) -> bytes:
    """Return *text* with the edits made; columns are bytes, as Python's parser counts them."""
    lines = text.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda one: (one.line, one.start), reverse=True):
        row = lines[edit.line - 1]
        lines[edit.line - 1] = row[: edit.start] + edit.text.encode() + row[edit.end :]
    return b"".join(lines)
