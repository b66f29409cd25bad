"""What a destination takes and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from odoorway.commands import Command
from odoorway.model.delivery import Outcome


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery's commands, on their way to a destination."""

    delivery: int
    source: str  # its name is a part of every external ID
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the destination's answer means for one job.

    ``blame_destination`` says the destination as a whole is down or misconfigured: the
    dispatcher pauses it and spends no attempt.
    """

    outcome: Outcome
    code: str | None = None  # a diagnosis code; None when delivered
    detail: str = ""
    retry_after: float | None = None  # seconds the destination asked for
    blame_destination: bool = False
    records: tuple[tuple[str, str, int], ...] = ()  # (model, external ID, database id)


class Destination(Protocol):
    """One Odoo database, or one outside HTTP endpoint."""

    async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        """Write the jobs' commands; return one verdict a job, in the same order.

        Never raises for what the destination answers or fails to answer. Delivering the same
        job again has the same effect as once. A job that fails holds back no other.
        """
        ...

    async def probe(self) -> Verdict:
        """Ask cheaply whether the destination would work now."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...
