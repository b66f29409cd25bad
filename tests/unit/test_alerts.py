"""Each alert is raised on its condition and only then, told once, and told when it is over."""

import asyncio
import json
from dataclasses import replace

import pytest
from console_desk import PLAN, Bench, event
from test_destinations import Recorder

from odoorway.console.alerts import Alert, Seen, Watch, alerts, changes
from odoorway.console.sending import AppriseSender
from odoorway.console.units import when
from odoorway.errors import SettingsError
from odoorway.journal.found import Problem, Rhythm
from odoorway.journal.port import Stats
from odoorway.model.delivery import State
from odoorway.model.event import Rejection
from odoorway.model.standing import Standing
from odoorway.testing import ManualClock

NOW = 1_000_000.0
CALM = Seen(
    now=NOW,
    stats=Stats(events=9, rejections=0, deliveries=dict.fromkeys(State, 0), oldest_waiting=None),
    problems=(),
    standings=(Standing(name="odoo"),),
    rhythms={"shop": Rhythm(NOW - 60, 29, 60.0)},
)
DEAD = Problem(
    kind="dead", source="shop", destination="odoo", code="odoo.no-match", count=3, first=1.0,
    last=2.0, example="evt", hours=((0, 1),),
)  # fmt: skip
FAILING = Standing(name="odoo", failures=4, code="odoo.bad-key", changed_at=NOW - 200)


def keys(seen: Seen) -> list[str]:
    return [one.key for one in alerts(seen, 900.0)]


def waiting(since: float) -> Seen:
    return replace(CALM, stats=replace(CALM.stats, oldest_waiting=NOW - since))


def refused(recent: int, earlier: int) -> Seen:
    return replace(CALM, rejected_lately=recent, rejected_before=earlier)


def silent(seconds: float, gap: float = 60.0, count: int = 30) -> Seen:
    return replace(CALM, rhythms={"shop": Rhythm(NOW - seconds, count - 1, gap)})


@pytest.mark.parametrize(
    ("seen", "key"),
    [
        (CALM, None),
        (replace(CALM, problems=(DEAD,)), "dead shop odoo odoo.no-match"),
        (replace(CALM, problems=(replace(DEAD, kind="rejection"),)), None),
        (waiting(901), "backlog"),
        (waiting(899), None),
        (replace(CALM, standings=(FAILING,)), "failing odoo"),
        (replace(CALM, standings=(replace(FAILING, changed_at=NOW - 60),)), None),
        (replace(CALM, standings=(replace(FAILING, paused=True),)), None),
        (silent(3700), "silent shop"),
        (silent(3500), None),
        (silent(3700, gap=2000.0), None),
        (silent(90_000, count=5), None),
        (silent(3700, count=11), "silent shop"),
        (refused(10, 0), "rejections"),
        (refused(9, 0), None),
        (refused(20, 100), None),
        (replace(CALM, disk_free=1 << 20), "disk"),
        (replace(CALM, key_ends={"odoo": NOW + 13 * 86400}), "key odoo"),
        (replace(CALM, key_ends={"odoo": NOW + 15 * 86400}), None),
        (replace(CALM, disk_free=1 << 35, disk_size=1 << 40), "disk"),
    ],
)
def test_each_rule(seen: Seen, key: str | None) -> None:
    """On its condition, and not short of it."""
    assert keys(seen) == ([key] if key else [])


def test_what_began_and_what_is_over() -> None:
    """A text that changes is the same alert; only its key counts."""
    one, two = Alert("a", "x"), Alert("b", "y")
    assert changes({}, [one, two]) == ([one, two], [])
    assert changes({"a": one}, [Alert("a", "changed"), two]) == ([two], [])
    assert changes({"a": one, "b": two}, [two]) == ([], [one])


async def test_it_is_told_once_and_again_when_over() -> None:
    """Through apprise to a real address: grouped, once, retried while it cannot be sent, over."""
    clock, bench = ManualClock(NOW), Bench()
    async with Recorder() as there:
        sender = AppriseSender([there.url.replace("http://", "json://")])
        watch = Watch(
            bench.journal, sender, clock, sources=["shop"], backlog=900.0, folder=None,
            names=lambda: ["odoo"], about={},
        )  # fmt: skip
        await watch.once()
        await bench.history()
        there.status = 500
        await watch.once()
        there.status = 200
        for _ in range(2):
            await watch.once()
        (first, again) = [json.loads(body) for _, _, body in there.seen]
        assert first["title"] == again["title"] == "Odoorway needs you"
        assert "dead letters of shop" in again["message"]
        assert "oldest event waits" in again["message"]
        for one in await bench.journal.deliveries(state=State.DEAD):
            await bench.journal.replay(one.event_id, [PLAN], NOW)
        await watch.once()
        over = json.loads(there.seen[-1][2])
        assert over["title"] == "Odoorway: over"
        assert "dead letters" in over["message"]


class Heard:
    """A sender that remembers what it told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def send(self, title: str, text: str) -> bool:
        self.told.append((title, text))
        return True


async def test_a_source_stays_silent_however_much_others_send() -> None:
    """Its alert is not over because 20,000 events of another came, and its page knows it still."""
    bench, heard, clock = Bench(), Heard(), ManualClock(NOW)
    quiet = [replace(event(n), received_at=NOW - 90_000 + n) for n in range(20)]
    for one in quiet:
        await bench.journal.append(one, [])
    watch = Watch(
        bench.journal, heard, clock, sources=["shop", "busy"], backlog=900.0, folder=None,
        names=list, about={},
    )  # fmt: skip
    await watch.once()
    assert ["shop is silent" in text for _, text in heard.told] == [True]
    for start in range(100, 20_600, 500):
        busy = (
            replace(event(n), source="busy", received_at=NOW) for n in range(start, start + 500)
        )
        await asyncio.gather(*(bench.journal.append(one, []) for one in busy))
    await watch.once()
    assert len(heard.told) == 1
    async with bench.client() as client:
        (shop,) = (await client.get("/api/v1/sources")).json()["sources"]
    assert shop["last"] == when(quiet[-1].received_at)


async def test_refusals_are_compared_with_the_hour_before() -> None:
    """Those of ten minutes with those of the rest of the hour, and no longer ago."""
    bench, heard = Bench(), Heard()
    refusal = Rejection(
        id="rej", source="shop", at=0.0, status=401, code="signature.mismatch", detail="",
        headers=(), body=b"",
    )  # fmt: skip
    for at in [NOW - 3700] * 99 + [NOW - 2000] * 9 + [NOW - 599] * 10:
        await bench.journal.reject(replace(refusal, at=at))
    watch = Watch(
        bench.journal, heard, ManualClock(NOW), sources=[], backlog=900.0, folder=None,
        names=list, about={},
    )  # fmt: skip
    await watch.once()
    assert heard.told == [("Odoorway needs you", "- 10 requests were refused in ten minutes")]


def test_a_wrong_address_is_told_at_the_start() -> None:
    """By its position: it may hold a password."""
    with pytest.raises(SettingsError, match="address 2"):
        AppriseSender(["json://localhost", "nonsense"])
