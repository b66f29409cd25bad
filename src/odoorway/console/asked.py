"""What the texts of a form, a query or a flag ask for. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from odoorway.journal.found import Chosen, EventFilter
from odoorway.model.delivery import State


def wanted_of(given: dict[str, str]) -> EventFilter:
    """Return the filter of a form or a query.

    Raises:
        ValueError: a state or a time is none.
    """
    return EventFilter(
        source=given.get("source", ""),
        topic=given.get("topic", ""),
        state=State(given["state"]) if given.get("state") else None,
        since=seconds_of(given.get("since", "")),
        until=seconds_of(given.get("until", "")),
        ordering_key=given.get("ordering_key", ""),
        external_id=given.get("external_id", ""),
        text=given.get("text", ""),
    )


def chosen_of(given: Mapping[str, str]) -> Chosen:
    """Return which dead letters a form or a call means.

    Raises:
        ValueError: a time is none.
    """
    return Chosen(
        source=given.get("source", ""),
        destination=given.get("destination", ""),
        code=given.get("code", ""),
        topic=given.get("topic", ""),
        since=seconds_of(given.get("since", "")),
        until=seconds_of(given.get("until", "")),
    )


def before_of(text: str) -> int | None:
    """Return where a page of events goes on, None for its beginning.

    Raises:
        ValueError: it is nothing that a page gave.
    """
    before = int(text or 0)
    if not 0 <= before < 2**63:
        raise ValueError("go on with what a page gave as next")
    return before or None


def seconds_of(text: str) -> float | None:
    """Return Unix seconds of an ISO time, taken as UTC when it names no zone.

    Raises:
        ValueError: it is none.
    """
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
