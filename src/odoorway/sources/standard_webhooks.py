"""Standard Webhooks, and Svix, whose headers have another prefix."""

from collections.abc import Sequence

from odoorway.model.source import SourceDefinition
from odoorway.sources import hmac


def source(*, secret: str | Sequence[str], prefix: str = "webhook") -> SourceDefinition:
    """Describe a sender that follows Standard Webhooks; Svix's headers start with ``svix``."""
    return hmac.source(
        platform="standard-webhooks",
        secret=secret,
        key="whsec",
        header=f"{prefix}-signature",
        format="list",
        encoding="base64",
        signed=f"{{header:{prefix}-id}}.{{timestamp}}.{{body}}",
        timestamp=f"header:{prefix}-timestamp",
        event_id=f"header:{prefix}-id",
        topic="json:type",
        ordering_key="{topic:head}/{json:data.id}",
        version="json:timestamp",
    )
