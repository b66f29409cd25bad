"""Which headers of a request are kept: none that lets anybody in. Pure."""

from collections.abc import Iterable, Sequence
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


class Credentials:
    """What must not be kept, wherever it stands: secrets, Basic and Bearer."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Know *secrets*; a long one is found inside other text too."""
        known = {*secrets}
        self._whole = frozenset(known)
        self._within = tuple(one for one in known if len(one) >= _LONG)

    def reveals(self, value: str) -> bool:
        """Tell whether a header's *value* is, or holds, one of them."""
        scheme = value[: len("bearer ")].lower()
        return (
            scheme.startswith(("basic ", "bearer "))
            or value in self._whole
            or any(secret in value for secret in self._within)
        )

    def suspects(self, values: Sequence[str]) -> bool:
        """Tell, quickly, whether any of *values* may be or hold one of them."""
        text = "\n".join(values).lower()
        if "basic " in text or "bearer " in text or not self._whole.isdisjoint(values):
            return True
        return any(secret.lower() in text for secret in self._within)


def safe_headers(
    headers: Headers, credentials: Credentials, signature_header: str | None = None
) -> Headers:
    """Return *headers* without credentials, found by their names and their values.

    Of a signature the first characters are kept.
    """
    signature = (signature_header or "").lower()
    if credentials.suspects([value for _, value in headers]):
        headers = tuple([pair for pair in headers if not credentials.reveals(pair[1])])
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
