"""What the probe asks, as data: the sequence can be shown before it is sent. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from odoorway import __version__


class Purpose(StrEnum):
    """What a request is to tell."""

    CONNECT = "does anybody listen, and is its certificate good"
    VERSION = "is it Odoo, and which"
    ROUTE = "is there such a route, and which methods does it take"
    EMPTY = "does it take a POST: its type, auth and CSRF, with an empty body"
    SEND = "does it take this payload"
    KEY = "is the API key good"
    RIGHTS = "what may its user do"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    purpose: Purpose
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is probed, and with what."""

    url: str
    database: str = ""  # named in a header, as Odoo 19 takes it
    payload: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)  # of the payload
    method: str = "POST"
    key: str = field(default="", repr=False)
    login: str = ""
    models: tuple[str, ...] = ()
    may_post: bool = True  # also with an empty body

    @property
    def origin(self) -> str:
        """Scheme and host."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


_AGENT = {"user-agent": f"odoorway-doctor/{__version__}", "accept": "*/*"}


def sequence(target: Target) -> Iterator[Ask]:
    """Yield every request that may be made, in order; those not needed are left out later.

    None carries data unless a payload is given. The method PROPFIND reaches a controller only
    if it restricts no methods; what it finds there is an empty request.
    """
    yield Ask(Purpose.CONNECT, "CONNECT", target.origin)
    yield asking(target, Purpose.ROUTE, "PROPFIND")
    if target.payload is not None:
        yield Ask(
            Purpose.SEND, target.method, target.url, {**_named(target), **target.headers},
            target.payload,
        )  # fmt: skip
    elif target.may_post:
        yield asking(target, Purpose.EMPTY, "POST", {"content-type": "text/plain"})
    yield Ask(Purpose.VERSION, "GET", f"{target.origin}/web/version", _AGENT)
    yield Ask(
        Purpose.VERSION,
        "POST",
        f"{target.origin}/jsonrpc",
        {**_AGENT, "content-type": "application/json"},
        b'{"jsonrpc":"2.0","method":"call","id":1,"params":'
        b'{"service":"common","method":"version","args":[]}}',
    )


def asking(
    target: Target, purpose: Purpose, method: str, headers: Mapping[str, str] | None = None
) -> Ask:
    """Return a request to the target's URL without a body."""
    return Ask(purpose, method, target.url, {**_named(target), **(headers or {})})


def _named(target: Target) -> dict[str, str]:
    return {**_AGENT, **({"x-odoo-database": target.database} if target.database else {})}
