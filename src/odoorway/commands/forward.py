"""A body that goes on to another system: data, like every command."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from odoorway.commands.values import json_ready
from odoorway.errors import HandlerError

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


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
        if not isinstance(self.to, str) or not re.match(r"/(?!/)|https?://[^/]", self.to):
            raise HandlerError(
                f"Forward's to= is {self.to!r}; give a path like '/shop/hook', or a URL that"
                " begins with https://"
            )
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name) or not isinstance(value, str) or "\n" in value:
                raise HandlerError(f"Forward's header {name!r} is {value!r}; give one line of text")
        if not isinstance(self.body, bytes | str | None):
            ready = json_ready("Forward's body", self.body)
            object.__setattr__(self, "body", ready)  # once, while it is made
