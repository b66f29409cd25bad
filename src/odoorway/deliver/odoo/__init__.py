"""Odoo as a destination."""
