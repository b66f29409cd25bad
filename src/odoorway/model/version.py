"""Which of two versions of a thing is the older one. Pure."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation


def is_older(version: str, than: str) -> bool:
    """Whether *version* is certainly older.

    Numbers compare as numbers and ISO 8601 times as instants, whatever their zones; a time
    without a zone is UTC. What cannot be compared is not older: better written twice than lost.
    """
    for read in (_number, _instant):
        mine, other = read(version), read(than)
        if mine is not None and other is not None:
            return mine < other
    return False


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _instant(text: str) -> Decimal | None:
    """Return the microseconds since 1970."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (Decimal(since.days) * 86400 + since.seconds) * 1_000_000 + since.microseconds
