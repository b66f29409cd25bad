"""What users import in their own tests: a clock to set, a sandbox Odoo, signed requests."""

from odoorway.sources import sign
from odoorway.testing.clock import ManualClock
from odoorway.testing.sandbox import SandboxOdoo

__all__ = ["ManualClock", "SandboxOdoo", "sign"]
