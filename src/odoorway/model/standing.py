"""How a destination stands, as the journal remembers it over a restart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Deliveries go out unless a person paused it or it failed as a whole."""

    name: str
    paused: bool = False  # by a person; nothing is leased until it is resumed
    failures: int = 0  # of the whole destination, in a row; more than 0: the breaker is open
    until: float = 0.0  # Unix seconds; when the open breaker asks it again
    code: str | None = None  # why the breaker opened: a diagnosis code
    detail: str = ""
    changed_at: float = 0.0  # Unix seconds

    @property
    def delivering(self) -> bool:
        """Whether deliveries go out."""
        return not self.paused and not self.failures
