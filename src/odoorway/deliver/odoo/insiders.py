"""Contacts that are no customer's: of the companies of this Odoo, and of who logs in to it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from odoorway.commands import Adopt
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.port import Verdict

CONTACTS: Final = "res.partner"
_COMPANY: Final = ["ref_company_ids", "!=", False]
# Asked of the contact, not of users and companies: a user of one company sees no others, but may
# ask whether a contact has any. Odoo's public user, and its own, are not active.
_KEPT_OUT: Final[Mapping[str, list[Any]]] = {
    "contact": ["|", _COMPANY, ["user_ids", "!=", False]],
    "portal": ["|", "|", _COMPANY, ["user_ids.share", "=", False], ["user_ids.active", "=", False]],
}


@dataclass(frozen=True, slots=True)
class Insiders:
    """Of the contacts that were asked about, those that are not to be adopted."""

    names: Mapping[tuple[Adopt, int], str]
    refused: Mapping[Adopt, Verdict]  # Odoo would not tell

    def judge(self, adopt: Adopt, model: str, ident: int) -> str | Verdict | None:
        """Return the name of who is kept out, or why it is not known; None for all others."""
        if model != CONTACTS:
            return None
        return self.refused.get(adopt) or self.names.get((adopt, ident))


async def insiders(odoo: Odoo, wanted: Iterable[tuple[Adopt, int]]) -> Insiders:
    """Ask, once for each kind of adoption, which of *wanted* are kept out.

    Raises:
        Unusable: Odoo is down.
    """
    groups: dict[Adopt, list[int]] = {}
    for adopt, ident in wanted:
        groups.setdefault(adopt, []).append(ident)
    names: dict[tuple[Adopt, int], str] = {}
    refused: dict[Adopt, Verdict] = {}
    for adopt in groups.keys() & _KEPT_OUT.keys():
        try:
            found = await _ask(odoo, _KEPT_OUT[adopt], groups[adopt])
        except Unusable:
            raise
        except Refused as refusal:
            refused[adopt] = refusal.verdict
        else:
            names |= {(adopt, ident): name for ident, name in found.items()}
    return Insiders(names, refused)


async def _ask(odoo: Odoo, kept_out: list[Any], ids: Collection[int]) -> dict[int, str]:
    domain = [["id", "in", sorted(set(ids))], *kept_out]
    context = {"active_test": False}
    fields = ["display_name"]
    rows = await odoo.rows(CONTACTS, "search_read", domain=domain, fields=fields, context=context)
    return {row["id"]: str(row["display_name"]) for row in rows}
