"""What a handler returns: pure data that says what to write into Odoo, or where to send it."""

from odoorway.commands.empty import Empty, meant
from odoorway.commands.forward import Forward
from odoorway.commands.keys import Key, KeyOfNobody, external_id, owned_by
from odoorway.commands.model import (
    Adopt,
    Call,
    Command,
    Context,
    Find,
    Update,
    Upsert,
    env,
    find,
)

__all__ = [
    "Adopt",
    "Call",
    "Command",
    "Context",
    "Empty",
    "Find",
    "Forward",
    "Key",
    "KeyOfNobody",
    "Update",
    "Upsert",
    "env",
    "external_id",
    "find",
    "meant",
    "owned_by",
]
