"""Which external IDs Odoo has already: what is written on creation only depends on it."""

import asyncio
from collections.abc import Iterable

from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused, Unusable

_MODEL = "ir.model.data"
_CHUNK = 500  # external IDs a question
_TOGETHER = 4  # questions at once, where each external ID is one


class Existing:
    """Asks in bulk where the user may read external IDs, else one by one.

    A user of Sales may not read them (403), but may ask for each whether it is there. No answer
    is kept: a record that somebody deleted is made anew whole.
    """

    def __init__(self, odoo: Odoo) -> None:
        """Try in bulk first."""
        self._odoo = odoo
        self._in_bulk = True

    async def of(self, xids: Iterable[str]) -> frozenset[str]:
        """Return those that Odoo has.

        Raises:
            Unusable: Odoo is down.
            Refused: it cannot be told.
        """
        asked = sorted(set(xids))
        return frozenset(await self._ask(asked)) if asked else frozenset()

    async def _ask(self, xids: list[str]) -> set[str]:
        if self._in_bulk:
            try:
                return await self._bulk(xids)
            except Unusable:
                raise
            except Refused as refused:
                if refused.verdict.code != "odoo.access-denied":
                    raise
                self._in_bulk = False
        return await self._each(xids)

    async def _bulk(self, xids: list[str]) -> set[str]:
        found: set[str] = set()
        for start in range(0, len(xids), _CHUNK):
            names = [xid.partition(".")[2] for xid in xids[start : start + _CHUNK]]
            domain = [["module", "=", xids[0].partition(".")[0]], ["name", "in", names]]
            rows = await self._odoo.rows(
                _MODEL, "search_read", domain=domain, fields=["module", "name"], limit=len(names)
            )
            found |= {f"{one.get('module')}.{one.get('name')}" for one in rows}
        return found

    async def _each(self, xids: list[str]) -> set[str]:
        gate = asyncio.Semaphore(_TOGETHER)

        async def one(xid: str) -> bool:
            async with gate:
                return await self._is_there(xid)

        there = await asyncio.gather(*map(one, xids))
        return {xid for xid, is_there in zip(xids, there, strict=True) if is_there}

    async def _is_there(self, xid: str) -> bool:
        module, _, name = xid.partition(".")
        try:
            await self._odoo.ask(_MODEL, "check_object_reference", module=module, xml_id=name)
        except Unusable:
            raise
        except Refused as refused:
            # A ValueError that names it, whatever the language; a record that its user may not
            # see is there all the same.
            detail = refused.verdict.detail
            if "ValueError" in detail and xid in detail:
                return False
            if refused.verdict.code == "odoo.access-denied":
                return True
            raise
        return True
