"""Who may use the console and the API, and what they did."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a person or a token may do; each may all that the one before it may."""

    VIEWER = "viewer"  # look
    OPERATOR = "operator"  # replay, pause, resume, send a test
    ADMIN = "admin"  # everything

    def may(self, needed: "Role") -> bool:
        """Tell whether this role is at least *needed*."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who logs in, or a program with a token."""

    name: str
    role: Role
    secret: str = ""  # argon2 of the password, or SHA-256 of the token
    expires: float | None = None  # Unix seconds; tokens only
    is_token: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody did."""

    at: float  # Unix seconds
    who: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class SecretMark:
    """Which secrets a source has, told apart and not revealed, and since when."""

    source: str
    mark: str
    since: float  # Unix seconds


class Accounts(Protocol):
    """People, tokens, the audit log and the age of secrets.

    Raises JournalUnavailable when the store cannot.
    """

    async def people(self) -> Sequence[Person]:
        """Return everybody, tokens too, by name."""
        ...

    async def put(self, person: Person) -> None:
        """Add somebody, or replace who has that name."""
        ...

    async def remove(self, name: str) -> bool:
        """Remove somebody; tell whether there was anybody."""
        ...

    async def note(self, deed: Deed) -> None:
        """Add to the audit log, which only grows."""
        ...

    async def deeds(self, limit: int = 100) -> Sequence[Deed]:
        """Return what was done, the newest first."""
        ...

    async def mark_secrets(self, marks: Sequence[SecretMark]) -> Sequence[str]:
        """Remember each source whose mark is another than before; return which these are."""
        ...

    async def secret_marks(self) -> Sequence[SecretMark]:
        """Return what is known of each source's secrets."""
        ...
