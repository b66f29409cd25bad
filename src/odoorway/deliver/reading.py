"""How much of an answer is read: never more than was to be expected."""

from typing import Protocol

_CHUNK = 65_536


class Content(Protocol):
    """The body of an answer, as it comes."""

    async def read(self, n: int = -1) -> bytes:
        """Return up to *n* bytes, none at its end."""
        ...


class TooLarge(ValueError):
    """The answer is larger than it may be; the message says how large that is."""


async def beginning(content: Content, most: int) -> bytes:
    """Return the answer, or the first *most* bytes of a longer one; it may come in many parts."""
    told = bytearray()
    while len(told) < most and (part := await content.read(min(_CHUNK, most - len(told)))):
        told += part
    return bytes(told)


async def whole(content: Content, most: int) -> bytes:
    """Return the answer.

    Raises:
        TooLarge: it has more than *most* bytes; the rest is not read.
    """
    told = await beginning(content, most + 1)
    if len(told) > most:
        raise TooLarge(f"more than {most} bytes")
    return told
