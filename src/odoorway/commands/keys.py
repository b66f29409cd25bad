"""What makes a record the same record, and what is no such thing. Pure."""

import re

from odoorway.errors import HandlerError
from odoorway.model.nobody import is_nobody

Key = tuple[str, str | int]
_BITS = 1_100  # of a number
_LONGEST = 1_000  # characters of an external ID: an index of PostgreSQL holds 2,700 bytes
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class KeyOfNobody(HandlerError):
    """A key that many records would share: the platform's word for "no id"."""

    code = "handler.key-of-nobody"


def external_id(source: str, key: Key) -> str:
    """Return what makes the record the same record: ``__odoorway__.<source>_<kind>_<id>``.

    Different keys give different external IDs: source and kind hold no ``_``, and every
    character of the id outside ``[A-Za-z0-9_-]`` is written ``~hex~``.
    """
    return f"{owned_by(source)}{_written(key)}"


def _written(key: Key) -> str:
    kind, ident = key
    safe = re.sub(r"[^A-Za-z0-9_-]", lambda m: f"~{ord(m.group()):x}~", str(ident))
    return f"{kind}_{safe}"


def owned_by(source: str) -> str:
    """Return what all external IDs of *source*, and no others, begin with."""
    return f"__odoorway__.{source}_"


def check_key(key: object) -> None:
    """Refuse what is no key, or nobody's.

    Raises:
        HandlerError: it is not ``(kind, id)``.
        KeyOfNobody: its id stands for "no id".
    """
    if not isinstance(key, tuple) or len(key) != 2:  # noqa: PLR2004
        raise HandlerError(f"Upsert's key is {key!r}; write (kind, id), like ('order', 42)")
    kind, ident = key
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise HandlerError(f"Upsert's kind is {kind!r}; use letters, digits and '-', like 'order'")
    if isinstance(ident, int) and ident.bit_length() > _BITS:
        raise HandlerError("Upsert's id is a number of too many digits; no platform counts so far")
    if is_nobody(str(ident)):
        raise KeyOfNobody(
            f"Upsert's id is {ident!r}, which stands for nobody: all that have no id would become"
            " one record. Give what is its own: for a guest the mail address, like"
            f" ({kind!r}, order['email']), or the order's id, like"
            f" ({kind!r}, f\"guest-{{order['id']}}\")"
        )
    if isinstance(ident, bool) or not isinstance(ident, str | int):
        raise HandlerError(f"Upsert's id is {ident!r:.200}; give the platform's id")
    if len(_written(key)) > _LONGEST:
        raise HandlerError(
            f"Upsert's id has {len(str(ident))} characters, {str(ident)[:40]!r}…; Odoo indexes no"
            " external ID so long. Give the platform's id, or a hash of what you have"
        )
