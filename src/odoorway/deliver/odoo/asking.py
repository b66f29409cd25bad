"""One question to Odoo, and its answer already judged."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from odoorway.clock import Clock
from odoorway.deliver.odoo.refusal import Refused, Unusable, unexpected
from odoorway.deliver.odoo.transport import Answer, Caller, TransportFailure
from odoorway.deliver.outcome import Failure, judge_answer, judge_failure, judge_rpc
from odoorway.deliver.port import Verdict
from odoorway.model.delivery import Outcome

# What changes nothing is asked once more when its answer is lost: nobody need start anew for it.
_READS: Final = frozenset({"read", "search", "search_read", "fields_get", "default_get"})


class Odoo:
    """Asks, judges, and hands back results only."""

    def __init__(self, client: Caller, clock: Clock) -> None:
        """Ask through *client*."""
        self._client, self._clock = client, clock

    async def ask(self, model: str, method: str, **body: Any) -> Any:
        """Return what the method returned.

        Raises:
            Refused: Odoo answered with an error.
            Unusable: the destination is to blame, whatever was asked.
        """
        verdict, answer = await self._judged(model, method, body)
        if verdict.blame_destination:
            raise Unusable(verdict)
        if answer is None or verdict.outcome is not Outcome.DELIVERED:
            raise Refused(verdict)
        return answer.returned()

    async def rows(
        self, model: str, method: str, *, fields: Sequence[str], **body: Any
    ) -> Sequence[Mapping[str, Any]]:
        """Return the rows that a method returned, each with a whole ``id`` and those fields.

        Raises:
            Refused: Odoo answered with an error, or with something else than such rows.
            Unusable: the destination is to blame, whatever was asked.
        """
        told = await self.ask(model, method, fields=list(fields), **body)
        if not isinstance(told, list) or not all(_is_row(one, fields) for one in told):
            raise unexpected(model, method, told)
        rows: Sequence[Mapping[str, Any]] = told
        return rows

    async def _judged(
        self, model: str, method: str, body: dict[str, Any]
    ) -> tuple[Verdict, Answer | None]:
        try:
            answer = await self._answer(model, method, body)
        except TransportFailure as failure:
            return judge_failure(failure.kind, failure.detail), None
        now = self._clock.now()
        judge = judge_rpc if answer.rpc else judge_answer
        return judge(answer.status, answer.headers, answer.body, now=now), answer

    async def _answer(self, model: str, method: str, body: dict[str, Any]) -> Answer:
        try:
            return await self._client.call(model, method, **body)
        except TransportFailure as failure:
            if failure.kind is not Failure.EMPTY or method not in _READS:
                raise
        return await self._client.call(model, method, **body)


def _is_row(row: object, fields: Sequence[str]) -> bool:
    return isinstance(row, dict) and type(row.get("id")) is int and row.keys() >= {*fields}
