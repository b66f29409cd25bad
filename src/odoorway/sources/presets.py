"""The platforms that have a module of their own, by name."""

from collections.abc import Callable

from odoorway.model.source import SourceDefinition
from odoorway.sources import shopify, standard_webhooks, stripe

PRESETS: dict[str, Callable[..., SourceDefinition]] = {
    "shopify": shopify.source,
    "standard-webhooks": standard_webhooks.source,
    "stripe": stripe.source,
}
