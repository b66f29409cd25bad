"""When to try again: the schedule, the breaker, and what a verdict becomes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from odoorway.deliver.port import Verdict
from odoorway.dispatch.breaker import Breaker
from odoorway.dispatch.retry_policy import RetryPolicy
from odoorway.dispatch.settle import settlement
from odoorway.model.delivery import Delivery, Outcome, State

DAY = 86400


def test_the_default_schedule_is_about_three_days() -> None:
    """Half of each ceiling is the mean wait under full jitter."""
    policy = RetryPolicy()
    mean = sum(policy.ceiling(spent) / 2 for spent in range(1, policy.attempts))
    assert 2.5 * DAY < mean < 3.5 * DAY


def test_ceilings_double_up_to_the_cap() -> None:
    """Exponential backoff."""
    policy = RetryPolicy(base=1, cap=10, attempts=9)
    assert [policy.ceiling(n) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]


@given(st.integers(1, 60), st.floats(0, 0.999), st.floats(0, 1e9))
def test_a_wait_is_under_its_ceiling_and_obeys_retry_after(
    spent: int, draw: float, asked: float
) -> None:
    """Full jitter: anything from nothing to the ceiling; the asked time is the least."""
    policy = RetryPolicy()
    wait = policy.wait(spent, draw, asked)
    if spent >= policy.attempts:
        assert wait is None
    else:
        assert wait is not None
        assert min(asked, policy.cap) <= wait <= max(policy.ceiling(spent), min(asked, policy.cap))


def test_the_breaker_pauses_longer_each_time_up_to_four_seconds() -> None:
    """And closes at once when the destination works."""
    breaker, pauses = Breaker(), []
    for _ in range(10):
        breaker = breaker.failed(100.0, 0.99)
        pauses.append(breaker.until - 100)
    assert all(a <= b for a, b in pairwise(pauses))
    assert 3.9 < pauses[-1] <= 4
    assert not breaker.closed
    assert breaker.worked().closed


def delivery(attempts: int) -> Delivery:
    return Delivery(
        id=1,
        event_id="e",
        route="r",
        destination="odoo",
        state=State.LEASED,
        attempts=attempts,
        due_at=0,
        updated_at=0,
    )


def settle(verdict: Verdict, attempts: int = 0) -> tuple[Outcome, bool, float]:
    policy = RetryPolicy(base=8, cap=8, attempts=3)
    found = settlement(delivery(attempts), verdict, policy, due=3, now=10, seconds=1, draw=0.5)
    return found.outcome, found.counts, found.due_at


def test_a_retry_waits_and_the_last_attempt_is_a_dead_letter() -> None:
    """The schedule ends."""
    retry = Verdict(outcome=Outcome.RETRY, code="odoo.server-error")
    assert settle(retry) == (Outcome.RETRY, True, 14)
    assert settle(retry, attempts=2)[0] is Outcome.DEAD


def test_a_destination_that_is_down_spends_no_attempt() -> None:
    """However often: the delivery is due as it was and waits for the breaker."""
    down = Verdict(outcome=Outcome.RETRY, code="odoo.unreachable", blame_destination=True)
    assert settle(down, attempts=2) == (Outcome.RETRY, False, 3)
