"""The engine: what it leases, delivers and settles, on a real journal."""

import asyncio
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import structlog

from journals import temporary
from odoorway import Gateway, Reject, RetryLater, Skip, Upsert, find
from odoorway.commands import Find
from odoorway.deliver.port import Job, Verdict, Waits
from odoorway.dispatch.breaker import Breaker
from odoorway.dispatch.dispatcher import Dispatcher, DispatchLimits
from odoorway.errors import JournalFull
from odoorway.model.delivery import Outcome, Settlement, State
from odoorway.model.event import Event
from odoorway.sources import shopify
from odoorway.testing import ManualClock

OK = Verdict(outcome=Outcome.DELIVERED)
DOWN = Verdict(outcome=Outcome.RETRY, code="odoo.unreachable", blame_destination=True)


class Scripted:
    """A destination that answers by a script: a verdict for all jobs, or a function of one."""

    def __init__(self, answer: Verdict | Callable[[Job], Verdict] = OK) -> None:
        self.answer, self.works = answer, OK
        self.batches: list[list[Job]] = []
        self.asked: list[list[list[Find]]] = []
        self.told: Callable[[Sequence[Find]], Verdict] = lambda _: OK
        self.probes = 0

    async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        self.batches.append(list(jobs))
        answer = self.answer
        return [answer if isinstance(answer, Verdict) else answer(job) for job in jobs]

    async def look_up(self, questions: Sequence[Sequence[Find]]) -> Sequence[Verdict]:
        self.asked.append([list(group) for group in questions])
        return [self.told(group) for group in questions]

    async def probe(self) -> Verdict:
        self.probes += 1
        return self.works

    async def close(self) -> None: ...


class Bench:
    """A dispatcher with everything around it."""

    def __init__(self, answer: Verdict | Callable[[Job], Verdict] = OK, batch: int = 10) -> None:
        gateway = Gateway()
        shop = gateway.source("shop", shopify.source(secret="s"))
        shop.on("*")(act)
        self.routes = gateway.routes
        self.journal, self.clock = temporary(), ManualClock(1000.0)
        self.destination = Scripted(answer)
        self.batch, self.most = batch, 240.0
        self.dispatcher = self.restarted()

    def restarted(self, rate: float = 0.0, singly: int = 0) -> Dispatcher:
        """Return a dispatcher that begins with what the journal knows."""
        return Dispatcher(
            "odoo",
            self.destination,
            self.routes,
            self.journal,
            self.clock,
            owner="me",
            limits=DispatchLimits(batch=self.batch, most=self.most, rate=rate, singly=singly),
            draw=lambda: 0.5,
        )

    async def receive(
        self, *topics: str, about: str | None = None, version: str | None = None
    ) -> None:
        for topic in topics:
            number = (await self.journal.stats()).events
            event = Event(
                id=f"evt_{number:04}",
                source="shop",
                topic=topic,
                idempotency_key=str(number),
                ordering_key=about or str(number),
                version=version,
                received_at=self.clock.now(),
                headers=(),
                body=b"{}",
                body_hash=str(number),
            )
            await self.journal.append(event, [r.planned for r in self.routes.values()])

    async def states(self) -> list[State]:
        found = await self.journal.deliveries(limit=100)
        return [d.state for d in sorted(found, key=lambda d: d.id)]

    async def codes(self) -> list[str | None]:
        found = await self.journal.deliveries(limit=100)
        return [d.code for d in sorted(found, key=lambda d: d.id)]


def act(payload: dict[str, object], event: Event) -> Upsert | str:
    match event.topic:
        case "skip":
            raise Skip("not ours")
        case "reject":
            raise Reject("look at it")
        case "later":
            raise RetryLater(60, "too early")
        case "bug":
            raise ZeroDivisionError("a bug")
        case "nothing":
            return "not a command"
    return Upsert("sale.order", ("order", event.id), {})


async def test_one_batch_holds_what_is_due() -> None:
    """Deliveries of different lanes go out together and are settled."""
    bench = Bench()
    await bench.receive("a", "b", "c")
    assert await bench.dispatcher.step() == 3
    assert [len(b) for b in bench.destination.batches] == [3]
    assert await bench.states() == [State.DELIVERED] * 3


async def test_one_lane_is_never_in_a_batch_twice() -> None:
    """What is about one thing goes out one after the other, in order."""
    bench = Bench()
    await bench.receive("a", "b", "c", about="order 1")
    while await bench.dispatcher.step():
        pass
    jobs = [job for batch in bench.destination.batches for job in batch]
    keys = [one.key for job in jobs for one in job.commands if isinstance(one, Upsert)]
    assert [len(b) for b in bench.destination.batches] == [1, 1, 1]
    assert keys == [("order", "evt_0000"), ("order", "evt_0001"), ("order", "evt_0002")]


async def test_a_handler_decides_and_holds_back_no_other() -> None:
    """Skip, Reject, RetryLater, an exception and a wrong value, beside a good one."""
    bench = Bench()
    await bench.receive("skip", "reject", "later", "bug", "nothing", "good")
    assert await bench.dispatcher.step() == 6
    assert await bench.states() == [
        State.SKIPPED,
        State.DEAD,
        State.PENDING,
        State.DEAD,
        State.DEAD,
        State.DELIVERED,
    ]
    assert await bench.codes() == [
        "handler.skipped",
        "handler.rejected",
        "handler.retry-later",
        "handler.failed",
        "handler.no-command",
        None,
    ]
    bench.clock.advance(59)
    assert await bench.dispatcher.step() == 0
    bench.clock.advance(2)
    assert await bench.dispatcher.step() == 1


async def test_each_verdict_reaches_its_own_delivery() -> None:
    """Handlers that decided themselves do not shift the destination's answers."""

    def odd(job: Job) -> Verdict:
        dead = Verdict(outcome=Outcome.DEAD, code="odoo.validation")
        return dead if job.delivery == 3 else OK

    bench = Bench(odd)
    await bench.receive("a", "skip", "b", "c")
    await bench.dispatcher.step()
    assert await bench.states() == [
        State.DELIVERED,
        State.SKIPPED,
        State.DEAD,
        State.DELIVERED,
    ]


async def test_a_destination_that_is_down_is_left_alone_and_asked_first() -> None:
    """No attempt is spent, nothing is leased while it rests, and all goes out afterwards."""
    bench = Bench(DOWN)
    bench.destination.works = DOWN
    await bench.receive("a", "b")
    for _ in range(100):
        await bench.dispatcher.step()
        bench.clock.advance(61)
    assert len(bench.destination.batches) == 1
    assert bench.destination.probes == 100
    assert {d.attempts for d in await bench.journal.deliveries()} == {0}
    bench.destination.answer = bench.destination.works = OK
    while await bench.dispatcher.step():
        pass
    assert await bench.states() == [State.DELIVERED] * 2


async def test_what_kills_odoo_is_found_and_counted() -> None:
    """One delivery that gets no answer: batches halve until it is alone, then it counts."""

    def poison(job: Job) -> Verdict:
        return Verdict(outcome=Outcome.RETRY, code="odoo.timeout", blame_destination=True)

    bench = Bench()
    await bench.receive(*"abcdefgh")

    async def deliver(jobs: Sequence[Job]) -> Sequence[Verdict]:
        bench.destination.batches.append(list(jobs))
        bad = any(job.delivery == 5 for job in jobs)
        return [poison(job) if bad else OK for job in jobs]

    bench.destination.deliver = deliver  # type: ignore[method-assign]  # this script needs the batch
    for _ in range(20):
        await bench.dispatcher.step()
        bench.clock.advance(1)
    states = await bench.states()
    assert states.count(State.DELIVERED) == 7
    stuck = await bench.journal.delivery(5)
    assert stuck
    assert stuck.state is State.PENDING
    assert stuck.attempts >= 1


async def test_a_route_that_is_gone_is_a_dead_letter_that_says_so() -> None:
    """Nothing waits for ever on a handler that was removed."""
    bench = Bench()
    await bench.receive("a")
    bench.routes.clear()
    await bench.dispatcher.step()
    assert await bench.codes() == ["gateway.route-gone"]


async def test_an_older_version_arriving_late_is_skipped_and_says_so() -> None:
    """The newer one is in Odoo already; an equal one, or one without a version, goes out."""
    bench = Bench()
    for version in ("2026-01-01T11:00:00+01:00", "2026-01-01T09:59:59Z"):
        await bench.receive("orders/updated", about="o", version=version)
    await bench.receive("orders/updated", about="o", version="2026-01-01T05:00:00-05:00")
    await bench.receive("orders/updated", about="o")
    await bench.receive("orders/updated", about="other", version="2020-01-01T00:00:00Z")
    while await bench.dispatcher.step():
        pass
    assert await bench.codes() == [None, "event.stale", None, None, None]
    assert (await bench.states())[1] is State.SKIPPED
    stale = (await bench.journal.attempts(2))[0]
    assert "2026-01-01T09:59:59Z is older than 2026-01-01T11:00:00+01:00" in stale.detail
    assert stale.outcome is Outcome.SKIPPED


async def test_the_breaker_survives_a_restart_and_asks_at_once() -> None:
    """The journal knows why it is open; the next process probes before it leases."""
    bench = Bench(DOWN)
    bench.destination.works = DOWN
    await bench.receive("a")
    await bench.dispatcher.step()
    known = await bench.journal.standing("odoo")
    assert (known.failures, known.code, known.changed_at) == (1, "odoo.unreachable", 1000.0)
    assert known.until > 1000.0
    after = bench.restarted()
    after.stop()
    await after.run()
    assert not after.breaker.closed
    assert await after.step() == 0
    assert (bench.destination.probes, len(bench.destination.batches)) == (2, 1)
    assert (await bench.journal.standing("odoo")).failures == 2
    bench.destination.works = bench.destination.answer = OK
    bench.clock.advance(60)
    assert await after.step() == 1
    assert (await bench.journal.standing("odoo")).delivering
    assert await bench.states() == [State.DELIVERED]


async def test_a_paused_destination_is_left_alone() -> None:
    """Until a person lets it go on."""
    bench = Bench()
    await bench.journal.pause("odoo", 1000.0, paused=True)
    await bench.receive("a")
    assert await bench.dispatcher.step() == 0
    await bench.journal.pause("odoo", 1000.0, paused=False)
    assert await bench.dispatcher.step() == 1


async def test_a_destination_that_says_when_is_asked_then() -> None:
    """Its Retry-After is longer than the breaker's own pause."""
    down = Verdict(
        outcome=Outcome.RETRY, code="odoo.unavailable", retry_after=30, blame_destination=True
    )
    bench = Bench(down)
    bench.destination.works = down
    await bench.receive("a")
    await bench.dispatcher.step()
    for seconds, probes in ((29, 1), (1, 2)):
        bench.clock.advance(seconds)
        await bench.dispatcher.step()
        assert bench.destination.probes == probes


async def test_a_delivery_alone_is_not_blamed_for_a_wrong_key() -> None:
    """A configuration failure spends no attempt, however small the batch."""
    wrong = Verdict(outcome=Outcome.RETRY, code="odoo.bad-key", blame_destination=True)
    bench = Bench(wrong)
    bench.destination.works = wrong
    await bench.receive("a")
    await bench.dispatcher.step()
    (delivery,) = await bench.journal.deliveries()
    assert (delivery.attempts, delivery.state) == (0, State.PENDING)


async def test_the_batch_grows_again_once_odoo_bears_it() -> None:
    """It is halved by a failure of the whole, and grows step by step with full batches."""
    late = Verdict(outcome=Outcome.RETRY, code="odoo.timeout", blame_destination=True)
    bench = Bench(late, batch=8)
    bench.destination.works = late
    await bench.receive(*"abcdefghijklmnopqrstuvwxyz")
    await bench.dispatcher.step()
    bench.destination.answer = bench.destination.works = OK
    bench.clock.advance(60)
    while await bench.dispatcher.step():
        pass
    assert [len(batch) for batch in bench.destination.batches] == [8, 4, 5, 6, 7, 4]


async def test_a_batch_that_does_not_end_is_given_up_before_its_lease() -> None:
    """So that it never meets its own repeat."""

    class Stuck(Scripted):
        async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
            await asyncio.Event().wait()
            raise AssertionError(jobs)

    bench = Bench()
    bench.destination, bench.most = Stuck(), 0.05
    bench.destination.works = DOWN
    dispatcher = bench.restarted()
    await bench.receive("a", "b")
    await asyncio.wait_for(dispatcher.step(), 20)
    assert await bench.codes() == ["odoo.timeout"] * 2
    assert not dispatcher.breaker.closed


async def test_no_more_than_the_rate_goes_out() -> None:
    """Three a second: three at once, then one more each third of a second."""
    bench = Bench(OK, batch=10)
    bench.dispatcher = bench.restarted(rate=3.0)
    await bench.receive(*"abcdefgh")
    assert [await bench.dispatcher.step() for _ in range(2)] == [3, 0]
    bench.clock.advance(0.4)
    assert await bench.dispatcher.step() == 1
    bench.clock.advance(10)
    assert await bench.dispatcher.step() == 3


async def test_an_attempt_keeps_the_commands_it_sent() -> None:
    """As text that can be compared; a handler that decides by itself sends none."""
    bench = Bench(OK)
    await bench.receive("a")
    await bench.dispatcher.step()
    (delivery,) = await bench.journal.deliveries()
    (attempt,) = await bench.journal.attempts(delivery.id)
    (told,) = json.loads(attempt.commands)
    assert told["command"] == "Upsert"
    assert told["model"]


def together(bad: Callable[[Job], bool], verdict: Verdict) -> Callable[..., object]:
    """Return a ``deliver`` in which one bad job spoils all that are with it."""

    async def deliver(jobs: Sequence[Job]) -> Sequence[Verdict]:
        return [verdict if any(map(bad, jobs)) else OK for _ in jobs]

    return deliver


async def test_one_payload_that_a_proxy_refuses_holds_back_no_other() -> None:
    """Thirty of which a firewall refuses one: 29 are delivered, the one is dead and says why."""
    page = "HTTP 403: Request blocked by ExampleWAF"
    waf = Verdict(outcome=Outcome.RETRY, code="odoo.not-odoo", detail=page, blame_destination=True)
    bench = Bench(batch=40)
    bench.destination.deliver = together(lambda job: job.delivery == 17, waf)  # type: ignore[assignment]  # this script needs the batch
    await bench.receive(*["a"] * 30)
    assert await bench.dispatcher.step() == 30
    states = await bench.states()
    assert states.count(State.DELIVERED) == 29
    culprit = await bench.journal.delivery(17)
    assert culprit
    assert (culprit.state, culprit.code) == (State.DEAD, "odoo.refused-on-the-way")
    assert page in culprit.detail
    assert bench.dispatcher.breaker.closed


async def test_a_destination_that_raises_is_one_delivery_s_outcome() -> None:
    """Whatever it raises is halved until it is alone, with its traceback; all others arrive."""
    bench = Bench(batch=40)

    async def deliver(jobs: Sequence[Job]) -> Sequence[Verdict]:
        if any(job.delivery == 23 for job in jobs):
            raise TypeError("Object of type Decimal is not JSON serializable")
        return [OK for _ in jobs]

    bench.destination.deliver = deliver  # type: ignore[method-assign]  # this script needs the batch
    await bench.receive(*["a"] * 30)
    assert await bench.dispatcher.step() == 30
    assert (await bench.states()).count(State.DELIVERED) == 29
    culprit = await bench.journal.delivery(23)
    assert culprit
    assert (culprit.state, culprit.code) == (State.DEAD, "gateway.delivery-failed")
    assert "Object of type Decimal" in culprit.detail


async def test_too_few_verdicts_are_nobody_s_success() -> None:
    """A destination that answers for fewer than it was given has delivered none of them."""
    bench = Bench()

    async def deliver(jobs: Sequence[Job]) -> Sequence[Verdict]:
        return [OK for _ in jobs[1:]]

    bench.destination.deliver = deliver  # type: ignore[method-assign]  # this script needs the batch
    await bench.receive("a", "b", "c")
    await bench.dispatcher.step()
    assert State.DELIVERED not in await bench.states()
    assert await bench.codes() == ["gateway.delivery-failed"] * 3


async def test_what_hangs_again_and_again_is_dead_within_minutes_and_pauses_nobody() -> None:
    """From its second time on it is alone; the others arrive at once."""
    late = Verdict(outcome=Outcome.RETRY, code="odoo.timeout", blame_destination=True)
    bench = Bench(batch=40)
    bench.destination.deliver = together(lambda job: job.delivery == 9, late)  # type: ignore[assignment]  # this script needs the batch
    await bench.receive(*["a"] * 30)
    await bench.dispatcher.step()
    assert await bench.dispatcher.step() == 15  # the pace is halved
    for _ in range(300):
        await bench.dispatcher.step()
        await asyncio.sleep(0)
        bench.clock.advance(1)
        assert bench.dispatcher.breaker.closed
    assert (await bench.states()).count(State.DELIVERED) == 29
    culprit = await bench.journal.delivery(9)
    assert culprit
    assert (culprit.state, culprit.code, culprit.attempts) == (State.DEAD, "odoo.timeout", 5)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_that_is_set_back_holds_up_nothing(restarts: bool) -> None:
    """What came, was to be tried again or paused while it was an hour ahead goes on at once."""
    bench = Bench()
    bench.clock.advance(3600)
    await bench.receive("later")
    await bench.dispatcher.step()
    await bench.receive("a", "a", "a", about="one")
    await bench.receive("a", "a", about="two")
    bench.dispatcher.breaker = Breaker().failed(bench.clock.now(), 0.5)
    bench.clock.advance(-3600)
    if restarts:
        bench.dispatcher = bench.restarted()
    while await bench.dispatcher.step():
        pass
    assert await bench.states() == [State.PENDING, *[State.DELIVERED] * 5]
    bench.clock.advance(59)
    assert await bench.dispatcher.step() == 0
    bench.clock.advance(2)
    assert await bench.dispatcher.step() == 1  # a handler asked for 60 s, and has them from now on


async def test_a_settlement_that_came_too_late_is_not_told_as_delivered() -> None:
    """Whose lease was lost has not delivered anything."""
    bench = Bench()

    async def deliver(jobs: Sequence[Job]) -> Sequence[Verdict]:
        bench.clock.advance(1000)
        await bench.journal.lease("odoo", "other", limit=9, now=bench.clock.now(), until=9e9)
        return [OK for _ in jobs]

    bench.destination.deliver = deliver  # type: ignore[method-assign]  # this script needs the batch
    await bench.receive("a")
    with structlog.testing.capture_logs() as logged:
        await bench.dispatcher.step()
    told = [line["event"] for line in logged]
    assert "delivery.lease-lost" in told
    assert "delivery.delivered" not in told


async def test_a_journal_that_fails_is_waited_for_and_said_once() -> None:
    """What Odoo answered is kept until it can be recorded."""
    bench = Bench()
    await bench.receive("a")
    settle, fails = bench.journal.settle, [3]

    async def failing(owner: str, settlements: Sequence[Settlement]) -> Sequence[int]:
        if fails[0]:
            fails[0] -= 1
            raise JournalFull("no room")
        return await settle(owner, settlements)

    bench.journal.settle = failing  # type: ignore[method-assign]  # the store fails for a while
    with structlog.testing.capture_logs() as logged:
        await asyncio.wait_for(bench.dispatcher.step(), 30)
    assert await bench.states() == [State.DELIVERED]
    assert [line["event"] for line in logged].count("journal.failed") == 1


async def test_a_handler_s_odd_wait_or_repr_is_its_own() -> None:
    """No number for a wait, or a value that cannot be shown, costs no other delivery."""
    bench = Bench()
    bench.routes["act"] = replace(bench.routes["act"], handler=odd)
    await bench.receive("nan", "repr", "good")
    assert await bench.dispatcher.step() == 3
    assert (await bench.states())[2] is State.DELIVERED
    assert State.LEASED not in await bench.states()


class Sour:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


def odd(payload: dict[str, object], event: Event) -> Upsert:
    if event.topic == "nan":
        raise RetryLater(float("nan"), "whenever")
    value = Sour() if event.topic == "repr" else 1
    return Upsert("sale.order", ("order", event.id), {"x": value})


async def test_what_ended_the_process_goes_first_and_alone() -> None:
    """At a start, before anything else is under way; the next batch is without it."""
    bench = Bench(batch=40)
    await bench.receive(*"abc")
    for _ in range(2):
        await bench.journal.lease("odoo", "gone", limit=9, now=1000.0, until=1060.0)
        await bench.journal.release()
    await bench.receive("d")
    await bench.dispatcher.recover()
    assert [[job.delivery for job in batch] for batch in bench.destination.batches] == [
        [1], [2], [3],
    ]  # fmt: skip
    await bench.dispatcher.step()
    assert [job.delivery for job in bench.destination.batches[-1]] == [4]


async def test_leases_are_renewed_after_the_process_stood_still() -> None:
    """What is still its own is kept; nothing is leased a second time beside itself."""
    bench = Bench()
    await bench.receive("a", "b")
    opened, entered = asyncio.Event(), asyncio.Event()

    async def deliver(jobs: Sequence[Job]) -> Sequence[Verdict]:
        entered.set()
        await opened.wait()
        return [OK for _ in jobs]

    bench.destination.deliver = deliver  # type: ignore[method-assign]  # this script needs the batch
    step = asyncio.create_task(bench.dispatcher.step())
    await entered.wait()
    bench.clock.advance(3600)
    assert await bench.dispatcher.step() == 0
    opened.set()
    assert await step == 2
    assert await bench.states() == [State.DELIVERED] * 2
    assert [len(await bench.journal.attempts(n)) for n in (1, 2)] == [1, 1]


async def test_what_goes_by_itself_is_settled_without_waiting_for_the_slowest() -> None:
    """To an outside system each delivery is a request of its own: one that hangs holds up none."""
    bench = Bench(batch=40)
    bench.dispatcher = bench.restarted(singly=4)
    opened = asyncio.Event()

    async def deliver(jobs: Sequence[Job]) -> Sequence[Verdict]:
        assert len(jobs) == 1
        if jobs[0].delivery == 2:
            await opened.wait()
        return [OK]

    bench.destination.deliver = deliver  # type: ignore[method-assign]  # this script needs the batch
    await bench.receive(*["a"] * 30)
    step = asyncio.create_task(bench.dispatcher.step())
    async with asyncio.timeout(30):
        while (await bench.states()).count(State.DELIVERED) < 29:  # noqa: ASYNC110 - the journal's own thread tells nobody
            await asyncio.sleep(0)
    opened.set()
    assert await step == 30
    assert (await bench.states()).count(State.DELIVERED) == 30


async def test_a_system_that_is_down_is_not_asked_for_each() -> None:
    """Those whose turn had not come are due again, and spend nothing."""
    bench = Bench(DOWN, batch=40)
    bench.destination.works = DOWN
    bench.dispatcher = bench.restarted(singly=4)
    await bench.receive(*["a"] * 30)
    await bench.dispatcher.step()
    assert len(bench.destination.batches) <= 8
    assert {d.attempts for d in await bench.journal.deliveries()} == {0}
    assert not bench.dispatcher.breaker.closed


async def test_what_a_batch_wrote_before_it_failed_is_finished_first() -> None:
    """A customer without its order waits for nobody."""
    bench = Bench(batch=40)
    bench.destination.works = DOWN
    half = replace(DOWN, records=(("res.partner", "__odoorway__.shop_customer_1", 7),))
    bench.destination.answer = lambda job: half if job.delivery == 3 else DOWN
    await bench.receive("a", "b", "c")
    await bench.dispatcher.step()
    await bench.receive("d")
    bench.clock.advance(10)
    bench.destination.answer = bench.destination.works = OK
    await bench.dispatcher.step()
    assert [job.delivery for job in bench.destination.batches[-1]] == [3, 1, 2, 4]


async def test_a_payment_that_comes_before_its_order_waits_and_is_woken() -> None:
    """The order passes it, and writing the order lets the payment go at once."""
    bench = Bench()
    orders: set[str] = set()

    def odoo(job: Job) -> Verdict:
        (command,) = job.commands
        assert isinstance(command, Upsert)
        if command.values.get("paid") and "#7" not in orders:
            waits = Waits("sale.order", {"client_order_ref": "#7"})
            return Verdict(outcome=Outcome.RETRY, code="odoo.awaiting-match", waits=waits)
        orders.add(str(command.values["client_order_ref"]))
        return OK

    bench.destination.answer = odoo
    bench.routes["act"] = replace(bench.routes["act"], handler=ordered)
    await bench.receive("paid", "create", about="order/7")
    steps = [await bench.dispatcher.step() for _ in range(3)]
    assert steps == [1, 1, 1]
    assert await bench.states() == [State.DELIVERED] * 2


def ordered(payload: dict[str, object], event: Event) -> Upsert:
    values = {"client_order_ref": "#7", "paid": event.topic == "paid"}
    return Upsert("sale.order", ("order", 7), values)


def asks(payload: dict[str, object], event: Event) -> Generator[Any, Any, Upsert | list[Upsert]]:
    """Ask for the customer, then for two things at once, then decide."""
    customer = yield find("res.partner", email=f"{event.topic}@x", fields=["lang"])
    pair = yield [find("res.lang", code=customer["lang"]), find("a.b", x=1, missing=None)]
    assert pair[1] is None
    return Upsert("sale.order", ("order", event.id), {"lang": pair[0]["id"]})


async def test_a_handler_that_asks_is_answered_for_a_whole_batch_and_stays_pure() -> None:
    """It is run again with the answers; what each is told is its own."""

    def told(group: Sequence[Find]) -> Verdict:
        if group[0].model == "res.partner":
            if dict(group[0].where)["email"] == "nobody@x":
                return Verdict(outcome=Outcome.DEAD, code="odoo.no-match", detail="nobody")
            return Verdict(outcome=Outcome.DELIVERED, answers=({"id": 1, "lang": "fr"},))
        return Verdict(outcome=Outcome.DELIVERED, answers=({"id": 9}, None))

    bench = Bench()
    bench.destination.told = told
    bench.routes["act"] = replace(bench.routes["act"], handler=asks)
    await bench.receive("ada", "nobody", "ben")
    assert await bench.dispatcher.step() == 3
    assert await bench.states() == [State.DELIVERED, State.DEAD, State.DELIVERED]
    assert [len(groups) for groups in bench.destination.asked] == [3, 2]
    (batch,) = bench.destination.batches
    assert [job.commands[0] for job in batch] == [
        Upsert("sale.order", ("order", name), {"lang": 9}) for name in ("evt_0000", "evt_0002")
    ]


async def test_a_lookup_that_odoo_cannot_bear_is_its_own_and_an_outage_is_nobody_s() -> None:
    """What raises for many is halved; what the probe confirms spends nothing."""

    def told(group: Sequence[Find]) -> Verdict:
        if dict(group[0].where).get("email") == "b@x":
            raise TypeError("no such answer")
        answer = {"id": 1, "lang": "fr"}
        return Verdict(outcome=Outcome.DELIVERED, answers=(answer,) * len(group))

    bench = Bench()
    bench.destination.told = told
    bench.routes["act"] = replace(bench.routes["act"], handler=only_asks)
    await bench.receive("a", "b", "c")
    await bench.dispatcher.step()
    assert await bench.codes() == [None, "gateway.delivery-failed", None]
    bench.destination.told, bench.destination.works = lambda _: DOWN, DOWN
    await bench.receive("d")
    await bench.dispatcher.step()
    waits = await bench.journal.delivery(4)
    assert waits
    assert (waits.state, waits.attempts, waits.code) == (State.PENDING, 0, "odoo.unreachable")
    assert not bench.dispatcher.breaker.closed


def only_asks(payload: dict[str, object], event: Event) -> Generator[Any, Any, Upsert]:
    customer = yield find("res.partner", email=f"{event.topic}@x", fields=["lang"])
    return Upsert("sale.order", ("order", event.id), {"lang": customer["lang"]})


def endless(payload: dict[str, object]) -> Generator[Any, Any, None]:
    while True:
        yield find("res.partner", email="x")


def nonsense(payload: dict[str, object]) -> Generator[Any, Any, None]:
    yield "res.partner"


async def test_a_handler_that_asks_without_end_or_nonsense_is_dead() -> None:
    """Ten times are enough, and only a find can be asked."""
    bench = Bench()
    bench.destination.told = lambda group: Verdict(
        outcome=Outcome.DELIVERED, answers=({"id": 1},) * len(group)
    )
    await bench.receive("a")
    route = replace(bench.routes["act"], handler=endless, wants_event=False)
    bench.routes["act"] = route
    await bench.dispatcher.step()
    await bench.receive("b")
    bench.routes["act"] = replace(route, handler=nonsense)
    await bench.dispatcher.step()
    told = [d.detail for d in await bench.journal.deliveries()]
    assert await bench.codes() == ["handler.no-command"] * 2
    assert "asked 10 times" in told[1]
    assert "yield find(...)" in told[0]


async def test_an_outcome_that_cannot_be_recorded_is_one_delivery_s_own() -> None:
    """The others of its batch are settled; it is a dead letter, and nothing is tried for ever."""
    bench = Bench()
    await bench.receive("a", "b", "c")
    settle = bench.journal.settle

    async def choosy(owner: str, settlements: Sequence[Settlement]) -> Sequence[int]:
        odd = [one for one in settlements if one.delivery == 2 and one.code is None]
        if odd:
            raise ValueError("NOT NULL constraint failed")
        return await settle(owner, settlements)

    bench.journal.settle = choosy  # type: ignore[method-assign]  # the store takes no such row
    await asyncio.wait_for(bench.dispatcher.step(), 30)
    assert await bench.states() == [State.DELIVERED, State.DEAD, State.DELIVERED]
    assert (await bench.codes())[1] == "gateway.delivery-failed"


async def test_what_is_written_but_not_as_expected_is_a_state_of_its_own() -> None:
    """With both figures; or a dead letter, or a note, as its route says. The lane goes on."""
    breach = "amount_total: expected 64.00, Odoo holds 73.60"
    bench = Bench(Verdict(outcome=Outcome.DELIVERED, breach=breach))
    for outcome in ("tell", "dead", "note"):
        bench.routes["act"] = replace(bench.routes["act"], on_breach=outcome)
        await bench.receive("a", about="order/1", version="2026-01-01T00:00:00Z")
        await bench.dispatcher.step()
    assert await bench.states() == [State.BREACHED, State.DEAD, State.DELIVERED]
    assert await bench.codes() == ["odoo.expectation-broken"] * 3
    told = await bench.journal.deliveries()
    assert {one.detail for one in told} == {breach}
    problems = {one.kind: one.count for one in await bench.journal.problems()}
    assert problems == {"breached": 1, "dead": 1}
    assert await bench.journal.give_up("evt_0000", 1.0, "right as it is") == 1
    assert (await bench.states())[0] is State.DELIVERED
    await bench.receive("b", about="order/1", version="2025-01-01T00:00:00Z")
    await bench.dispatcher.step()
    assert (await bench.codes())[-1] == "event.stale", "a breach counts as written"
