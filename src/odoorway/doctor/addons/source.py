"""Python files of an addon, parsed and never run."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MOST = 4_000_000  # bytes of a file
_IGNORE = re.compile(r"#\s*odoorway:\s*ignore(?:\[([a-z0-9, -]*)\])?")
MANIFESTS = ("__manifest__.py", "__openerp__.py")
_NOT_ADDONS = {"node_modules", ".git", "__pycache__", "tests", "static", "lib", "iot_handlers"}


class UnreadableFile(Exception):
    """A file that is no Python, or too large; the line is where it went wrong."""

    def __init__(self, text: str, line: int = 1) -> None:
        """Say *text*."""
        super().__init__(text)
        self.line = line


@dataclass(frozen=True, slots=True)
class AddonFile:
    """One file."""

    path: Path
    addon: str  # the name of the addon's folder
    text: str = field(repr=False)
    tree: ast.Module = field(repr=False)
    ignored: dict[int, frozenset[str]] = field(default_factory=dict)  # by line; empty: all rules

    def ignores(self, line: int, code: str) -> bool:
        """Tell whether a comment on that line turns the rule off."""
        codes = self.ignored.get(line)
        return codes is not None and (not codes or code in codes)


def read(path: Path, addon: str) -> AddonFile:
    """Parse one file.

    Raises:
        UnreadableFile: it is no Python, or over four million bytes.
    """
    try:
        if path.stat().st_size > _MOST:
            raise UnreadableFile(f"over {_MOST} bytes")
        text = path.read_bytes().decode("utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise UnreadableFile(f"no Python 3: {error.msg}", error.lineno or 1) from None
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableFile(str(error) or type(error).__name__) from None
    return AddonFile(path, addon, text, tree, _ignored(text))


def addons(root: Path) -> Iterator[Path]:
    """Yield the folders of the addons in *root*, itself among them."""
    if any((root / name).is_file() for name in MANIFESTS):
        yield root
        return
    try:
        below = sorted(one for one in root.iterdir() if one.is_dir() and not one.is_symlink())
    except OSError:
        return
    for folder in below:
        if folder.name not in _NOT_ADDONS and not folder.name.startswith("."):
            yield from addons(folder)


def files(addon: Path) -> Iterator[Path]:
    """Yield the Python files of an addon, without its tests and assets."""
    for path in sorted(addon.rglob("*.py")):
        inside = path.relative_to(addon).parts[:-1]
        if not _NOT_ADDONS.intersection(inside) and "migrations" not in inside:
            yield path


def _ignored(text: str) -> dict[int, frozenset[str]]:
    if "odoorway:" not in text:
        return {}
    found: dict[int, frozenset[str]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            match = _IGNORE.search(token.string) if token.type == tokenize.COMMENT else None
            if match:
                codes = (match[1] or "").split(",")
                found[token.start[0]] = frozenset(c.strip() for c in codes if c.strip())
    except (tokenize.TokenError, IndentationError):
        pass
    return found
