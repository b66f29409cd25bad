"""Odoo addons, read without importing them: what their webhooks will do wrong, and the fix."""
