"""What platforms, and programs between, write for an id that is not there. Pure."""

from typing import Final

_NOBODY: Final = frozenset({
    "", "0", "-1", "none", "null", "nil", "nan", "undefined", "false",
    "00000000-0000-0000-0000-000000000000",
})  # fmt: skip
_LONGEST: Final = max(map(len, _NOBODY)) + 16  # characters, with blanks around


def is_nobody(ident: str) -> bool:
    """Tell whether *ident* stands for nobody: all that have no id would share it."""
    return len(ident) <= _LONGEST and ident.strip().casefold() in _NOBODY
