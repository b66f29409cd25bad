"""What a destination takes and what it answers."""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from odoorway.commands import Command, Find
from odoorway.model.delivery import Outcome

FAILED: Final = "gateway.delivery-failed"
_SHOWN = 2_000  # characters of a traceback


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery's commands, on their way to a destination."""

    delivery: int
    source: str  # its name is a part of every external ID
    commands: tuple[Command, ...]
    event: str = ""  # the event's id, which every forward carries


@dataclass(frozen=True, slots=True)
class Waits:
    """What a delivery waits for: a record of a model with those values, or a time only."""

    model: str = ""
    on: Mapping[str, str] = field(default_factory=dict)  # values, as text


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the destination's answer means for one job.

    ``blame_destination`` says the destination as a whole is down or misconfigured: if its probe
    agrees, the dispatcher pauses it and spends no attempt; else the culprit is looked for.
    """

    outcome: Outcome
    code: str | None = None  # a diagnosis code; None when delivered
    detail: str = ""
    retry_after: float | None = None  # seconds the destination asked for
    blame_destination: bool = False
    waits: Waits | None = None  # it lets later ones pass, and is woken by what it waits for
    breach: str = ""  # what was expected and what Odoo holds; only when delivered
    suspect: bool = False  # to be tried by itself the next time: others failed with it
    alone: bool = False  # it failed by itself while others pass: dead within minutes
    records: tuple[tuple[str, str, int], ...] = ()  # (model, external ID, database id)
    answers: tuple[Mapping[str, Any] | None, ...] = ()  # to what a handler asked, in order


def raised(error: Exception) -> Verdict:
    """Return the verdict of jobs whose destination raised *error*: alone, one of them is dead."""
    passing = isinstance(error, MemoryError | OSError)
    text = "".join(traceback.format_exception(error, limit=-8, chain=False)).rstrip()
    return Verdict(
        outcome=Outcome.RETRY if passing else Outcome.DEAD,
        code=FAILED,
        detail=text[-_SHOWN:],
        blame_destination=True,
    )


Binding = tuple[str, str, int]  # (model, external ID, database id)


class Bindings(Protocol):
    """Remembers which record of the destination belongs to an external ID, over restarts."""

    async def known(self, xids: Sequence[str]) -> Mapping[str, int]:
        """Return the database ids of those external IDs that are bound."""
        ...

    async def bind(self, bindings: Iterable[Binding]) -> None:
        """Remember *bindings*, durable on return; a later one of an external ID replaces it."""
        ...

    async def forget(self, xids: Sequence[str]) -> None:
        """Forget what those external IDs are bound to."""
        ...


class ShortBindings:
    """Bindings for this process only: for trials and tests."""

    def __init__(self) -> None:
        """Know nothing."""
        self._ids: dict[str, int] = {}

    async def known(self, xids: Sequence[str]) -> Mapping[str, int]:
        """See ``Bindings.known``."""
        return {xid: self._ids[xid] for xid in xids if xid in self._ids}

    async def bind(self, bindings: Iterable[Binding]) -> None:
        """See ``Bindings.bind``."""
        self._ids |= {xid: ident for _, xid, ident in bindings}

    async def forget(self, xids: Sequence[str]) -> None:
        """See ``Bindings.forget``."""
        for xid in xids:
            self._ids.pop(xid, None)


class Destination(Protocol):
    """One Odoo database, or one outside HTTP endpoint."""

    async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        """Write the jobs' commands; return one verdict a job, in the same order.

        Never raises for what the destination answers or fails to answer. Delivering the same
        job again has the same effect as once. A job that fails holds back no other.
        """
        ...

    async def look_up(self, questions: Sequence[Sequence[Find]]) -> Sequence[Verdict]:
        """Return one verdict for each group of lookups, in bulk: its answers, or why not.

        An answer is the record's ``id`` and the fields that its find names, or None.
        """
        ...

    async def probe(self) -> Verdict:
        """Ask cheaply whether the destination would work now."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...
