"""Each alert is raised on its condition and only then, told once, and told when it is over."""

import json
from dataclasses import replace

import pytest
from console_desk import PLAN, Bench
from test_destinations import Recorder

from odoorway.console.alerts import Alert, Seen, Watch, alerts, changes
from odoorway.console.sending import AppriseSender
from odoorway.errors import SettingsError
from odoorway.journal.found import Problem
from odoorway.journal.port import Stats
from odoorway.model.delivery import State
from odoorway.model.standing import Standing
from odoorway.testing import ManualClock

NOW = 1_000_000.0
CALM = Seen(
    now=NOW,
    stats=Stats(events=9, rejections=0, deliveries=dict.fromkeys(State, 0), oldest_waiting=None),
    problems=(),
    standings=(Standing(name="odoo"),),
    arrivals={"shop": [NOW - n * 60 for n in range(1, 30)]},
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
    times = [NOW - 5.0] * recent + [NOW - 2000.0] * earlier
    return replace(CALM, rejections=times)


def silent(seconds: float, gap: float = 60.0, count: int = 30) -> Seen:
    times = [NOW - seconds - n * gap for n in range(count)]
    return replace(CALM, arrivals={"shop": times})


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


def test_a_wrong_address_is_told_at_the_start() -> None:
    """By its position: it may hold a password."""
    with pytest.raises(SettingsError, match="address 2"):
        AppriseSender(["json://localhost", "nonsense"])
