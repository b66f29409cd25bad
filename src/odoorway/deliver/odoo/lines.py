"""Lines that an earlier event wrote and the latest one no longer has: removed, or set to zero."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.kinds import Kinds
from odoorway.deliver.odoo.load import CONTEXT
from odoorway.deliver.odoo.refusal import Refused, Unusable, unexpected
from odoorway.deliver.port import Verdict
from odoorway.transform.plan import Sync

# The quantity that says "none of it" where Odoo forbids to remove a line.
_QUANTITY = {
    "sale.order.line": "product_uom_qty",
    "purchase.order.line": "product_qty",
    "account.move.line": "quantity",
    "stock.move": "product_uom_qty",
}


@dataclass(frozen=True, slots=True)
class LineRemoval:
    """One job's wish to see vanished lines go."""

    job: int
    sync: Sync


async def remove_vanished(
    odoo: Odoo, kinds: Kinds, tasks: Sequence[LineRemoval], ids: Mapping[str, int]
) -> dict[int, Verdict]:
    """Do all *tasks* of a batch; return the verdicts of the jobs whose lines would not go.

    When several jobs write one record, the last one says which lines there are. Lines without
    an external ID of the source, those that a person added, stay.

    Raises:
        Unusable: Odoo is down.
    """
    failed: dict[int, Verdict] = {}
    last = {(task.sync.parent.xid, task.sync.name): task for task in tasks}
    groups: dict[tuple[str, str, str], list[LineRemoval]] = {}
    for task in last.values():
        sync = task.sync
        groups.setdefault((sync.model, sync.name, repr(sync.env)), []).append(task)
    for group in groups.values():
        try:
            await _Group(odoo, kinds, group, ids).run(failed)
        except Unusable:
            raise
        except Refused as refused:
            failed |= {task.job: refused.verdict for task in group}
    return failed


class _Group:
    """Parents of one model, asked about together."""

    def __init__(
        self, odoo: Odoo, kinds: Kinds, tasks: Sequence[LineRemoval], ids: Mapping[str, int]
    ) -> None:
        self._odoo, self._tasks, self._ids = odoo, tasks, ids
        like = tasks[0].sync
        self._model, self._field = like.model, like.name
        self._context = {**CONTEXT, **like.env}
        self._lines = kinds.relation(like.model, like.name)

    async def run(self, failed: dict[int, Verdict]) -> None:
        vanished = await self._vanished()
        everything = [line for lines in vanished.values() for line in lines]
        if not everything or await self._removed(everything) is None:
            return
        for task in self._tasks:
            lines = vanished.get(self._parent(task), ())
            refusal = await self._removed(lines) if lines else None
            if refusal and not await self._zeroed(lines):
                failed[task.job] = refusal

    async def _vanished(self) -> dict[int, list[int]]:
        """Return the lines to go, by parent."""
        parents = [self._parent(task) for task in self._tasks]
        rows = await self._odoo.rows(
            self._model, "read", ids=parents, fields=[self._field], context=self._context
        )
        if not all(isinstance(row[self._field], list) for row in rows):
            raise unexpected(self._model, "read", rows)
        lines = {row["id"]: row[self._field] for row in rows}
        named = await self._names([line for group in lines.values() for line in group])
        return {
            self._parent(task): [
                line
                for line in lines.get(self._parent(task), ())
                if _is_gone(str(named.get(str(line), "")), task.sync)
            ]
            for task in self._tasks
        }

    async def _names(self, lines: Sequence[int]) -> Mapping[str, str]:
        if not lines or not self._lines:
            return {}
        named = await self._ask(self._lines, "get_external_id", lines)
        if not isinstance(named, dict):
            raise unexpected(self._lines, "get_external_id", named)
        return named

    async def _removed(self, lines: Sequence[int]) -> Verdict | None:
        """Remove *lines*; return why Odoo would not."""
        try:
            await self._ask(self._lines, "unlink", lines)
        except Unusable:
            raise
        except Refused as refused:
            return refused.verdict
        return None

    async def _zeroed(self, lines: Sequence[int]) -> bool:
        quantity = _QUANTITY.get(self._lines)
        if quantity is None:
            return False
        await self._ask(self._lines, "write", lines, vals={quantity: 0})
        return True

    async def _ask(self, model: str, method: str, ids: Iterable[int], **body: Any) -> Any:
        return await self._odoo.ask(model, method, ids=list(ids), context=self._context, **body)

    def _parent(self, task: LineRemoval) -> int:
        return self._ids[task.sync.parent.xid]


def _is_gone(xid: str, sync: Sync) -> bool:
    return xid.startswith(sync.owner) and xid not in sync.kept
