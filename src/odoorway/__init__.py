"""Odoorway: the webhook gateway for Odoo."""

from odoorway.commands import Call, Empty, Forward, Update, Upsert, find
from odoorway.errors import Reject, RetryLater, Skip
from odoorway.gateway import Gateway
from odoorway.model.event import Event

__all__ = [
    "Call",
    "Empty",
    "Event",
    "Forward",
    "Gateway",
    "Reject",
    "RetryLater",
    "Skip",
    "Update",
    "Upsert",
    "find",
]
__version__ = "0.1.0"
