"""Times and durations as people read them. Pure."""

import math
from datetime import UTC, datetime


def when(at: float) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def age(passed: float) -> str:
    """Return how long something lasts, in one unit, to a whole number of seconds."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if passed >= size:
            return f"{passed / size:.0f} {unit}"
    return f"{passed:.0f} s"


def seconds(took: float) -> str:
    """Return a measured duration, a fraction of a second included."""
    if took == math.inf:
        return "longer than 30 d"
    return f"{took * 1000:g} ms" if took < 1 else f"{took:g} s" if took < 60 else age(took)  # noqa: PLR2004


def within(took: float | None) -> str:
    """Return what a duration stayed under, or that there was none."""
    if took is None:
        return "none yet"
    return seconds(took) if took == math.inf else f"< {seconds(took)}"
