"""A body that goes on to another system: data, like every command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from odoorway.commands.address import check_address, check_headers
from odoorway.commands.values import check_text, json_ready


@dataclass(frozen=True, slots=True)
class Forward:
    """The body, as it came or as given, posted to a URL.

    ``to`` is a path on the destination (an Odoo controller, or ``/web/hook/<id>`` of an
    automation rule) or a whole URL. ``body`` is bytes or text, or what Pydantic can make JSON
    of; None is the event's own. With ``secret``, a literal or ``env:NAME``, it is signed by
    Standard Webhooks. Each forward carries the same ``webhook-id`` however often it is tried, by
    which the other side can tell a repeat.
    """

    to: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what could not be sent."""
        check_address(self.to)
        check_headers(self.headers)
        if isinstance(self.body, str):
            check_text("Forward's body", self.body)
        elif not isinstance(self.body, bytes | None):
            ready = json_ready("Forward's body", self.body)
            object.__setattr__(self, "body", ready)  # once, while it is made
