"""What follows from what, decided once for every journal. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

LEASE_LOST: Final = "gateway.lease-lost"
_ALONE: Final = 2  # lost leases after which a delivery is under way by itself
_DEAD: Final = 5


class Fate(StrEnum):
    """How a delivery may be leased whose leases were lost before."""

    TOGETHER = "together"
    ALONE = "alone"  # it may be what ends the process: nothing else is to be lost with it
    DEAD = "dead"


def fate(lost: int) -> Fate:
    """Return how a delivery is leased of which *lost* leases in a row had no outcome."""
    if lost >= _DEAD:
        return Fate.DEAD
    return Fate.ALONE if lost >= _ALONE else Fate.TOGETHER


def lost_lease(owner: str) -> str:
    """Return what a person reads about a lease that had no outcome."""
    return f"{owner[:400]} did not say what came of it before its lease ended"


def gave_up(lost: int) -> str:
    """Return what a person reads about a delivery that is not tried again for that."""
    return (
        f"{lost} times in a row the process ended, or was stopped for longer than the lease, while"
        " this delivery was under way"
    )


def may_be(wanted: Mapping[str, str], made: Mapping[str, str]) -> bool:
    """Tell whether a record with the values *made* may be the one that is waited for.

    A field that was not written may have any value: Odoo computes some.
    """
    return all(made.get(name, value) == value for name, value in wanted.items())
