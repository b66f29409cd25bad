"""Why does this Odoo webhook fail, and what fixes it? Needs no gateway."""
