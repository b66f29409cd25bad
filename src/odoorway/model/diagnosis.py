"""One named cause with its fix and whether trying again can help."""

from dataclasses import dataclass
from enum import StrEnum


class Fixer(StrEnum):
    """Who can fix it."""

    SENDER = "sender"
    INTEGRATOR = "integrator"
    ODOO_ADMIN = "Odoo administrator"
    OPERATIONS = "operations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A named cause. One without cause or fix cannot be made.

    Raises:
        ValueError: the code is not ``area.name``, or the cause or the fix is missing.
    """

    code: str
    title: str
    cause: str
    fix: tuple[str, ...]  # steps, in order
    transient: bool  # trying again can help by itself
    fixer: Fixer
    repeat_safe: bool = True  # sending the same again does no harm
    versions: tuple[tuple[str, str], ...] = ()  # Odoo's versions, and what differs there

    @property
    def page(self) -> str:
        """The page about it, from the root of the documentation."""
        return f"diagnoses/{self.code}.md"

    def __post_init__(self) -> None:
        """Refuse a diagnosis that would not help its reader."""
        if "." not in self.code or not self.title or not self.cause or not self.fix:
            raise ValueError(f"diagnosis {self.code!r} needs area.name, a title, a cause and a fix")
