"""Each promise that a chaos run looks at is seen to be broken by an end that breaks it."""

from dataclasses import replace

import pytest

from .gateway import Sample
from .judge import Ended, Settled, judged
from .platform import Sent

SENT = [
    Sent("shop", "07order", 1),
    Sent("shop", "07order", 2),
    Sent("shop", "07order", 3),
    Sent("shop", "99handler-kill-4", 1, topic="orders/kill"),
    Sent("plain", "thing1", 1),
    Sent("plain", "thing1", 2),
]


def settled(ident: str, state: str = "delivered", code: str = "", detail: str = "") -> Settled:
    return Settled(ident=ident, event=f"evt-{ident}", state=state, code=code, detail=detail)


GOOD = Ended(
    acknowledged={one.ident: one for one in SENT},
    deliveries=[
        settled("shop-07order-1"),
        settled("shop-07order-3"),
        settled("shop-07order-2", "skipped", "event.stale", "older than 3"),
        settled("shop-99handler-kill-4-1", "dead", "handler.died", "SIGKILL"),
        settled("plain-thing1-1"),
        settled("plain-thing1-2"),
    ],
    records=["07order|3|"],
    writes=["07order|1|", "07order|1|", "07order|3|"],
    forwards=[("a", "thing1", 1), ("a", "thing1", 1), ("b", "thing1", 2), ("a", "thing1", 1)],
    samples=[Sample(1, 90 << 20, 40)] * 40,
    faults={"kill": 1},
)
A, *MORE = GOOD.deliveries


def test_a_good_end() -> None:
    """Repeats, what is stale and what is dead by a diagnosis break nothing."""
    assert judged(GOOD, ["kill"]) == []


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (replace(GOOD, deliveries=MORE), "shop-07order-1 was answered 202 and has 0"),
        (replace(GOOD, deliveries=[A, A, *MORE]), "was answered 202 and has 2"),
        (replace(GOOD, deliveries=[replace(A, state="pending"), *MORE]), "is pending"),
        (replace(GOOD, deliveries=[replace(A, state="dead"), *MORE]), "07order-1 is dead ''"),
        (replace(GOOD, deliveries=[replace(A, state="skipped"), *MORE]), "is skipped ''"),
        (
            replace(GOOD, deliveries=[settled(A.ident, "dead", "odoo.timeout", "x"), *MORE]),
            "only_the_guilty_are_dead",
        ),
        (
            replace(GOOD, deliveries=[*GOOD.deliveries[:3], settled("shop-99handler-kill-4-1")]),
            "99handler-kill-4-1 was delivered",
        ),
        (replace(GOOD, records=["07order|3|", "07order|3|"]), "holds revisions [3, 3]"),
        (replace(GOOD, records=["07order|1|"]), "holds revisions [1]"),
        (replace(GOOD, records=[]), "holds revisions None"),
        (replace(GOOD, records=["07order|3|", "08order|1|"]), "08order: Odoo holds"),
        (replace(GOOD, writes=["07order|3|", "07order|1|", "07order|3|"]), "1 was written over 3"),
        (
            replace(
                GOOD, deliveries=[A, settled("shop-07order-3", "skipped", "event.stale", "older")]
            ),
            "nothing newer was delivered",
        ),
        (replace(GOOD, forwards=[("b", "thing1", 2), ("a", "thing1", 1)]), "arrived as [2, 1]"),
        (replace(GOOD, forwards=[("b", "thing1", 2)]), "plain-thing1-1 was delivered and did not"),
        (
            replace(GOOD, forwards=[("a", "thing1", 1), ("c", "thing1", 1), ("b", "thing1", 2)]),
            "two ids for one",
        ),
        (
            replace(GOOD, samples=[Sample(1, (90 + n) << 20, 40) for n in range(40)]),
            "memory grew",
        ),
        (replace(GOOD, samples=[Sample(1, 90 << 20, n) for n in range(40)]), "descriptors grew"),
        (replace(GOOD, samples=GOOD.samples[:9]), "too few"),
        (replace(GOOD, faults={"kill": 0}), "no kill had an effect"),
    ],
)
def test_a_bad_end(end: Ended, words: str) -> None:
    """What is wrong is named."""
    assert words in "\n".join(judged(end, ["kill"]))
