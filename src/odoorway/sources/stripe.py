"""Stripe: payments. Source: the verification of Stripe's own library, 300 seconds' tolerance."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import Field

from odoorway.model.source import SourceDefinition
from odoorway.sources import hmac
from odoorway.sources.payload import Payload

Object = TypeVar("Object")


def source(*, secret: str | Sequence[str]) -> SourceDefinition:
    """Describe one endpoint of an account; the secret is that endpoint's ``whsec_...``, whole."""
    return hmac.source(
        platform="stripe",
        secret=secret,
        header="Stripe-Signature",
        format="pairs",
        signed="{timestamp}.{body}",
        timestamp="pair:t",
        event_id="json:id",
        topic="json:type",
        ordering_key="{json:data.object.object}/{json:data.object.id}",
        version="json:created",
    )


class Data(Payload, Generic[Object]):
    """What the event is about."""

    object: Object


class StripeEvent(Payload, Generic[Object]):
    """Any event, annotated by what it is about: ``stripe.Event[stripe.PaymentIntent]``."""

    id: str
    type: str
    created: int  # Unix seconds
    livemode: bool = False
    data: Data[Object]


Event = StripeEvent  # as hooks.py writes it; the class has a name of its own beside odoorway.Event


class PaymentIntent(Payload):
    """``payment_intent.*``. ``amount`` is in the currency's smallest unit."""

    id: str
    amount: int
    currency: str
    status: str
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class Charge(Payload):
    """``charge.*``. ``amount`` is in the currency's smallest unit."""

    id: str
    amount: int
    currency: str
    status: str
    payment_intent: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class CheckoutSession(Payload):
    """``checkout.session.*``. ``amount_total`` is in the currency's smallest unit."""

    id: str
    amount_total: int | None = None
    currency: str | None = None
    payment_status: str
    payment_intent: str | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
