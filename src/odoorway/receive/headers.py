"""Which headers of a request are kept: none that lets anybody in. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Final

from odoorway.model.event import Headers

# Words of a header's name, and pairs of them, that say it carries a credential.
_WORDS: Final = frozenset({
    "apikey", "auth", "authentication", "authorization", "bearer", "cookie", "credential",
    "credentials", "jwt", "passwd", "password", "secret", "session", "token",
})  # fmt: skip
_KEYS: Final = frozenset({
    "access", "api", "app", "auth", "functions", "private", "shared", "subscription",
})  # fmt: skip
_CUT: Final = 6  # characters of a signature that are kept, to be compared with a log
_SHORT: Final = 20  # a shorter one may be a password, of which nothing is kept
_LONG: Final = 8  # a secret that long is not found inside another value by chance


def credentials(secrets: Iterable[str]) -> re.Pattern[str]:
    """Return what finds a credential among lines: one of *secrets*, Basic or Bearer."""
    known = [re.escape(one) if len(one) >= _LONG else f"^{re.escape(one)}$" for one in secrets]
    return re.compile("|".join(["^(?i:basic|bearer) ", *known]), re.MULTILINE)


def safe_headers(
    headers: Headers, revealing: re.Pattern[str], signature_header: str | None = None
) -> Headers:
    """Return *headers* without credentials, found by name and by what *revealing* finds.

    Of a signature the first characters are kept.
    """
    signature = (signature_header or "").lower()
    if revealing.search("\n".join([value for _, value in headers])):
        headers = tuple([pair for pair in headers if not revealing.search(pair[1])])
    return tuple(
        [
            (signature, _cut(pair[1])) if pair[0] == signature else pair
            for pair in headers
            if pair[0] == signature or not _names_a_credential(pair[0])
        ]
    )


@lru_cache(maxsize=1024)
def _names_a_credential(name: str) -> bool:
    words = name.replace("_", "-").split("-")
    keys = (first for first, second in pairwise(words) if second == "key")
    return not _WORDS.isdisjoint(words) or not _KEYS.isdisjoint(keys)


def _cut(signature: str) -> str:
    return (signature[:_CUT] if len(signature) >= _SHORT else "") + "…"
