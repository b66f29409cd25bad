"""Hides what is nobody's business: fields named in the settings, wherever they stand. Pure."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from odoorway.model.delivery import Attempt
from odoorway.model.event import Event

HIDDEN = "•••"


def masked(value: Any, names: Collection[str]) -> Any:
    """Return *value* with every field of those *names* hidden, whatever its case."""
    wanted = {name.lower() for name in names}
    match value:
        case dict():
            return {
                key: HIDDEN if str(key).lower() in wanted else masked(inner, names)
                for key, inner in value.items()
            }
        case list():
            return [masked(inner, names) for inner in value]
    return value


def shown_body(body: bytes, names: Collection[str], *, pretty: bool = True) -> str:
    """Return a body as text, masked; what is no JSON is hidden whole when anything is masked."""
    try:
        value = json.loads(body)
    except ValueError:
        return HIDDEN if names else body.decode(errors="replace")
    if not pretty and not names:
        return body.decode(errors="replace")
    return json.dumps(masked(value, names), indent=2 if pretty else None, ensure_ascii=False)


def hidden_event(event: Event, names: Collection[str]) -> Event:
    """Return *event* with the fields of its body hidden, as it is where none are named."""
    if not names:
        return event
    return replace(event, body=shown_body(event.body, names, pretty=False).encode())


def hidden_attempt(attempt: Attempt, names: Collection[str]) -> Attempt:
    """Return *attempt* with the fields of its commands hidden."""
    if not names or not attempt.commands:
        return attempt
    return replace(attempt, commands=shown_body(attempt.commands.encode(), names))
