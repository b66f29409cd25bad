"""Where deliveries go: an Odoo database, or an outside system. Pure data.

Every text may be ``env:NAME``: it is then read from the environment when the gateway starts.
"""

from dataclasses import dataclass, field

DEFAULT = "odoo"  # the destination that the ODOORWAY_ODOO_* settings describe


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooDefinition:
    """One Odoo database beside the one of the settings."""

    name: str
    url: str
    database: str
    api_key: str = field(repr=False)
    login: str = ""  # for Odoo 14 to 18
    protocol: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDefinition:
    """An outside system that takes what is forwarded to it."""

    name: str
    url: str
    secret: str | None = field(default=None, repr=False)


Definition = OdooDefinition | HttpDefinition
