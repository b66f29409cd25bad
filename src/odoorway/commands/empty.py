"""What is not there, and how a handler says that it means just that. Pure."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Final

# They find nothing with a value that is there; what the others say of an empty one is its meaning.
_SAYS_NOT = {"!=", "not in", "not like", "not ilike", "not =like", "not =ilike", "not any"}
_EXACT = {"=", "in"}
_NEVER: Final = (0, "=", 1)  # the condition that holds for no record


class _Empty(Enum):
    EMPTY = "Empty"

    def __repr__(self) -> str:
        return "Empty"

    __str__ = __repr__


Empty: Final = _Empty.EMPTY
"""In ``find``, ``match=`` and ``on=``: the field is empty, or False. What a handler has to write
to mean it, since a value that the payload merely lacks must not find the records that have none."""


def is_absent(value: object) -> bool:
    """Tell whether *value* is nothing to look for: None, False, or text of spaces only."""
    held = value.value if isinstance(value, Enum) and value is not Empty else value
    return held is None or held is False or (isinstance(held, str) and not held.strip())


def is_lacking(value: object) -> bool:
    """Tell whether a payload lacks that value, where False says that a field is empty."""
    return value is not False and is_absent(value)


def absent_fields(where: Sequence[tuple[str, Any]], domain: Sequence[Any]) -> tuple[str, ...]:
    """Return the fields whose absent values make that no record can be meant."""
    # Beside an alternative, what never holds is left out. What "!" is said of would always hold.
    alternative = "|" in domain and "!" not in domain
    terms = [] if alternative else [term[0] for term in domain if is_never(term)]
    return (*(name for name, value in where if is_absent(value)), *map(str, terms))


def is_never(term: Any) -> bool:
    """Tell whether that term of a domain looks for what is absent.

    ``= False`` is Odoo's own word for an empty field, and stays.
    """
    if not isinstance(term, list | tuple) or len(term) != 3:  # noqa: PLR2004 - field, operator, value
        return False
    _, operator, value = term
    if not isinstance(operator, str) or operator in _SAYS_NOT:
        return False
    if operator in _EXACT and value is False:
        return False
    several = isinstance(value, list | tuple)
    return all(map(is_absent, value)) if several else is_absent(value)


def meant(domain: Sequence[Any]) -> Iterator[Any]:
    """Yield the terms of *domain*, those that look for what is absent as one that never holds.

    A list that has absent values beside others looks for the others.
    """
    for term in domain:
        match term:
            case _ if is_never(term):
                yield _NEVER
            case [name, "in", [*values]] if any(map(is_lacking, values)):
                yield (name, "in", tuple(one for one in values if not is_lacking(one)))
            case _:
                yield term
