"""Sources: one module a platform, all built on the declarative HMAC source."""

from odoorway.sources.samples import samples
from odoorway.sources.signing import sign

__all__ = ["samples", "sign"]
