"""A real Odoo 19 with its own PostgreSQL, fetched on first use and cached.

Only the standard library is imported, so this package works before anything is installed.
"""

from real_odoo.fetch import unavailable
from real_odoo.json2 import Json2Error
from real_odoo.postgres import Postgres
from real_odoo.server import RealOdoo
from real_odoo.system import SetupError

__all__ = ["Json2Error", "Postgres", "RealOdoo", "SetupError", "unavailable"]
