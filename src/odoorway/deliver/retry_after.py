"""How long an answer asks to be left alone. Pure."""

from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 86_400.0  # seconds; nobody is left alone for longer


def seconds(value: str, now: float) -> float | None:
    """Return the seconds of a ``Retry-After``, given as such or as a date; None when it is none.

    *now* is Unix seconds. The answer is at most a day, whatever is asked.
    """
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return min(LONGEST, float(text[:9]))
    try:
        return min(LONGEST, max(0.0, parsedate_to_datetime(text).timestamp() - now))
    except (ValueError, TypeError, OverflowError, OSError):
        return None
