"""How long an answer asks to be left alone. Pure."""

from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 86_400.0  # seconds; who asks for more is not believed


def seconds(value: str, now: float) -> float | None:
    """Return the seconds of a ``Retry-After``, given as such or as a date.

    None when it is neither, or more than a day: a year 9999 would stop a destination for ever.
    *now* is Unix seconds.
    """
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return _bounded(float(text[:19]))
    try:
        return _bounded(max(0.0, parsedate_to_datetime(text).timestamp() - now))
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _bounded(asked: float) -> float | None:
    return asked if asked <= LONGEST else None
