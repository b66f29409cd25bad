"""What every platform's payloads are made of."""

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    """A part of a platform's payload; what the platform adds later is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")
