"""Where a body may be sent, and with which headers, looked at when it is asked for. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

from odoorway.errors import HandlerError
from odoorway.outside import MAX_HEADER_NAME, printable

_LONGEST: Final = 8_000  # characters of an address, or of a header's value: servers take no more
_MOST: Final = 64  # headers
_TO: Final = re.compile(r"/(?!/)|https?://[^/]")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_ORIGIN: Final = re.compile(
    r"https?://([^/?#@\[\]]*@)?(?P<host>\[[^\]]*\]|[^/?#@:\[\]]+)(:(?P<port>[0-9]{1,5}))?(?=[/?#]|$)"
)
_PORTS: Final = 65_535
_HOST_LENGTH: Final = 253
_HOST: Final = re.compile(r"([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")
_DOT: Final = re.compile(r"%2e", re.IGNORECASE)
_FRAMING: Final = {"content-length", "transfer-encoding", "connection", "trailer", "upgrade", "te"}


def check_address(to: object) -> None:
    """Refuse what is no path and no URL, or a path that leads elsewhere than it reads.

    Raises:
        HandlerError: it says what is wrong.
    """
    if not isinstance(to, str) or not _TO.match(to):
        raise HandlerError(
            f"Forward's to= is {to!r:.200}; give a path like '/shop/hook', or a URL that begins"
            " with https://"
        )
    if len(to) > _LONGEST or "\\" in to or printable(to) != to:
        raise _refused(to, "it is too long, or holds characters that no address has")
    if not to.startswith("/"):
        _check_host(to)
    path = re.split(r"[?#]", to, maxsplit=1)[0]
    if any(_DOT.sub(".", part) in {".", ".."} for part in path.split("/")):
        raise _refused(to, "'..' leads to another path")


def _check_host(to: str) -> None:
    found = _ORIGIN.match(to)
    if not found or not _is_host(found["host"]) or int(found["port"] or 0) > _PORTS:
        raise _refused(to, "it names no host and port")


def _is_host(host: str) -> bool:
    try:
        if host.startswith("["):
            return bool(ipaddress.IPv6Address(host[1:-1]))
        return len(host) <= _HOST_LENGTH and bool(_HOST.fullmatch(host.encode("idna").decode()))
    except ValueError:
        return False


def _refused(to: str, why: str) -> HandlerError:
    return HandlerError(
        f"Forward's to= is {to!r:.200}: {why}. What comes from a payload is written as"
        " urllib.parse.quote(value, safe='')"
    )


def check_headers(headers: object) -> None:
    """Refuse headers that cannot be sent, or that are not a handler's to send.

    Raises:
        HandlerError: it names the header.
    """
    if not isinstance(headers, Mapping) or len(headers) > _MOST:
        raise HandlerError(f"Forward's headers are {headers!r:.200}; give up to {_MOST} in a dict")
    for name, value in headers.items():
        _check_header(name, value)


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > MAX_HEADER_NAME:
        raise HandlerError(f"Forward's header is called {name!r:.200}, as no header may be")
    if name.lower() in _FRAMING:
        raise HandlerError(f"Forward's header {name!r} is written by the gateway; leave it away")
    if not isinstance(value, str) or len(value) > _LONGEST or printable(value, keep="\t") != value:
        raise HandlerError(
            f"Forward's header {name!r} is {value!r:.200}; give one line of text without controls,"
            f" {_LONGEST} characters at most"
        )
