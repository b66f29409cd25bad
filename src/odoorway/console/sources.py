"""How to set a source up on its platform, and the sample that tests it. Pure."""

from odoorway.model.source import SourceDefinition
from odoorway.sources import samples

_STEPS = {
    "shopify": (
        "In Shopify: Settings, Notifications, Webhooks, Create webhook.",
        "Choose the event, the format JSON, and the endpoint above as URL.",
        "Copy the signing secret below the list into the variable that hooks.py names.",
    ),
    "stripe": (
        "In Stripe: Developers, Webhooks, Add endpoint, with the endpoint above.",
        "Choose the events, then reveal the endpoint's signing secret (whsec_…) and set it.",
    ),
    "standard-webhooks": (
        "Give the sender the endpoint above.",
        "Set its secret (whsec_…) in the variable that hooks.py names.",
    ),
}


def steps(definition: SourceDefinition, endpoint: str) -> tuple[str, ...]:
    """Return what to do on the platform."""
    signed = f"It signs by HMAC in the header {definition.hmac.header}."
    fallback = (f"Let the sender POST to {endpoint}.", signed)
    return _STEPS.get(definition.platform, fallback)


def sample_of(definition: SourceDefinition) -> tuple[str, bytes] | None:
    """Return a topic and a recorded body of the platform, where there is one."""
    return next(iter(samples(definition.platform).items()), None)
