"""One question to Odoo, and its answer already judged."""

from typing import Any

from odoorway.clock import Clock
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.odoo.transport import Answer, Caller, TransportFailure
from odoorway.deliver.outcome import judge_answer, judge_failure, judge_rpc
from odoorway.deliver.port import Verdict
from odoorway.model.delivery import Outcome


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

    async def _judged(
        self, model: str, method: str, body: dict[str, Any]
    ) -> tuple[Verdict, Answer | None]:
        try:
            answer = await self._client.call(model, method, **body)
        except TransportFailure as failure:
            return judge_failure(failure.kind, failure.detail), None
        now = self._clock.now()
        judge = judge_rpc if answer.rpc else judge_answer
        return judge(answer.status, answer.headers, answer.body, now=now), answer
