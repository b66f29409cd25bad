"""The body of a request: read within its limits, and unpacked within them."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from odoorway.model.event import Headers
from odoorway.receive.refusal import RequestRefused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(Exception):
    """The sender went away; there is nobody to answer."""


def declared_length(headers: Headers, limit: int) -> int:
    """Return Content-Length, 0 when there is none.

    Raises:
        RequestRefused: it is no number, or over *limit*.
    """
    text = next((value for name, value in headers if name == "content-length"), "0")
    if not (text.isascii() and text.isdigit()):
        raise RequestRefused("request.bad-length", unread=True)
    if len(text) > 18 or int(text) > limit:  # noqa: PLR2004 - no length has more digits
        raise RequestRefused("request.too-large", f"the limit is {limit} bytes", unread=True)
    return int(text)


async def read(receive: Receive, limit: int, seconds: float) -> bytes:
    """Return the whole body.

    Raises:
        RequestRefused: it is over *limit* bytes, or took longer than that many seconds.
        Disconnected: the sender went away before its end.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise RequestRefused(
                        "request.too-large", f"the limit is {limit} bytes", unread=True
                    )
                chunks.append(chunk)
                more = message.get("more_body", False)
    except TimeoutError:
        raise RequestRefused(
            "request.too-slow", f"the limit is {seconds:g} s", unread=True
        ) from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the body without its content encoding.

    Raises:
        RequestRefused: the encoding is unknown or the body damaged, or it unpacks to over *limit*.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _inflate(body, limit, 31)
        case "deflate":
            wrapped = body[:1] and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0  # noqa: PLR2004 - zlib's own mark
            return _inflate(body, limit, 15 if wrapped else -15)
    raise RequestRefused("request.unsupported-encoding")


def _inflate(body: bytes, limit: int, window: int) -> bytes:
    """Unpack at most one byte more than the limit, so that a bomb costs no memory."""
    packed = zlib.decompressobj(window)
    try:
        plain = packed.decompress(body, limit + 1)
    except zlib.error:
        raise RequestRefused("request.bad-encoding") from None
    if len(plain) > limit:
        raise RequestRefused("request.too-large", f"unpacked, the limit is {limit} bytes")
    if not packed.eof or packed.unused_data:
        raise RequestRefused("request.bad-encoding")
    return plain
