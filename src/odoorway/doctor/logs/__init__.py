"""Odoo's log, read as a stream: which request failed where, how often, why, and what fixes it."""
