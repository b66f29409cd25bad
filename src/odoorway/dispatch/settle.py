"""What to record for a delivery once its verdict is known. Pure."""

from collections.abc import Mapping

from odoorway.deliver.port import Verdict
from odoorway.dispatch.retry_policy import RetryPolicy
from odoorway.gateway import OnBreach
from odoorway.model.delivery import Delivery, Outcome, Settlement

BROKEN = "odoo.expectation-broken"
_BREACHED: Mapping[OnBreach, Outcome] = {
    "tell": Outcome.BREACHED,
    "dead": Outcome.DEAD,
    "note": Outcome.DELIVERED,
}
_WRITTEN = frozenset({Outcome.DELIVERED, Outcome.BREACHED})
Made = tuple[tuple[str, Mapping[str, str]], ...]  # models and values that were written
_BEFORE = 3600.0  # seconds by which what is half written goes before others that wait
# What fails by itself while others pass is given up within minutes.
ALONE = RetryPolicy(base=5.0, cap=60.0, attempts=5)


def settlement(  # noqa: PLR0913 - every argument is a fact of the attempt
    delivery: Delivery,
    verdict: Verdict,
    policy: RetryPolicy,
    *,
    due: float,
    now: float,
    seconds: float,
    draw: float,
    commands: str = "",
    made: Made = (),
    on_breach: OnBreach = "tell",
) -> Settlement:
    """Return the attempt and the next state.

    A failure of the destination as a whole spends no attempt: the delivery is due again as it
    was, before what came later, and waits for the breaker; one that is half written goes first.
    The last attempt of the schedule makes a dead letter.
    """
    policy = ALONE if verdict.alone else policy
    counts = not verdict.blame_destination
    outcome, detail, wait = verdict.outcome, verdict.detail, 0.0
    code = verdict.code
    if outcome is Outcome.DELIVERED and verdict.breach:
        outcome, code, detail = _BREACHED[on_breach], BROKEN, verdict.breach
    if outcome is Outcome.RETRY and counts:
        spent = delivery.attempts + 1
        planned = policy.wait(spent, draw, verdict.retry_after)
        if planned is None:
            outcome, detail = Outcome.DEAD, f"{detail}\nGave up after {spent} attempts.".lstrip()
        else:
            wait = planned
    waits = verdict.waits if outcome is Outcome.RETRY and counts else None
    again = now + wait if counts else min(now, due or now) - (_BEFORE if verdict.records else 0.0)
    return Settlement(
        delivery=delivery.id,
        outcome=outcome,
        at=now,
        seconds=seconds,
        due_at=again,
        counts=counts,
        code=code,
        detail=detail,
        records=verdict.records,
        commands=commands,
        waits_for=waits.model if waits else None,
        waits_on=waits.on if waits else {},
        made=made if outcome in _WRITTEN else (),
    )
