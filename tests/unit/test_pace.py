"""How much goes to a destination at once."""

from hypothesis import given
from hypothesis import strategies as st

from odoorway.dispatch.pace import STRAIN, Allowance, Pace

CODES = st.sampled_from([None, "odoo.validation", *sorted(STRAIN)])


@given(
    st.integers(1, 500),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(1, 600), st.sets(CODES, max_size=3)), max_size=60),
)
def test_it_stays_within_its_limits(batch, concurrency, answers):
    """Whatever is answered, at least one and never more than the limits are under way."""
    pace = Pace.start(batch, concurrency)
    for size, codes in answers:
        pace = pace.after(min(size, pace.batch), codes)
        assert 1 <= pace.batch <= batch
        assert 1 <= pace.concurrency <= concurrency


def test_strain_halves_and_calm_adds():
    """One conflict halves both; eight full batches bring the size back, four a batch more."""
    pace = Pace.start(80, 4).after(80, {None, "odoo.conflict"})
    assert (pace.batch, pace.concurrency) == (40, 2)
    pace = pace.after(40, {None, "odoo.validation"})
    assert (pace.batch, pace.concurrency) == (50, 2)
    for _ in range(3):
        pace = pace.after(pace.batch, {None})
    assert (pace.batch, pace.concurrency) == (80, 3)


def test_a_small_batch_shows_nothing():
    """What was not full does not say that more would go."""
    pace = Pace.start(80, 4).after(80, {"odoo.timeout"})
    assert pace.after(3, {None}) == pace


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 100)), min_size=1, max_size=100),
)
def test_no_more_than_the_rate_goes(rate, steps):
    """Over any time, no more goes than the rate allows and one second's worth at the start."""
    allowance, start, gone = Allowance(rate), 1000.0 + steps[0][0], 0
    now = 1000.0
    for wait, wanted in steps:
        now += wait
        allowance = allowance.at_time(now)
        taken = allowance.take(wanted)
        allowance = allowance.spent(taken)
        gone += taken
        assert gone <= rate * (now - start) + rate + 1e-6


def test_without_a_rate_all_may_go():
    """Zero sets no limit, and never waits."""
    allowance = Allowance(0.0).at_time(5.0)
    assert (allowance.take(500), allowance.spent(500).take(7), allowance.wait()) == (500, 7, 0.0)


def test_the_wait_is_until_one_may_go():
    """At two a second, half a second after the last one."""
    allowance = Allowance(2.0).at_time(1.0).spent(2)
    assert allowance.take(5) == 0
    assert allowance.at_time(1.0 + allowance.wait()).take(5) == 1
