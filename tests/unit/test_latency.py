"""How long things take: from what is observed to what the overview draws."""

import json
import math
import re
from itertools import pairwise

import aiohttp
from hypothesis import given
from hypothesis import strategies as st
from test_destinations import Recorder, gateway_of, post, settled

from odoorway.console.charts import HOURS, flow_chart, latency_chart, trend
from odoorway.console.lag import Lag
from odoorway.console.latency import counted, grown, quantile
from odoorway.console.units import within
from odoorway.journal.found import Beat, Took
from odoorway.settings import Settings
from odoorway.testing import SandboxOdoo
from odoorway.wiring import running

COUNTS = st.dictionaries(st.sampled_from([0.001, 0.1, 1.0, 5.0, math.inf]), st.integers(1, 50))
NOW = 1_000_000 * 60.0


@given(COUNTS)
def test_a_quantile_is_never_too_small(counts):
    """That share lies under it, less under the next smaller bound, and it grows with the share."""
    shares = (0.1, 0.5, 0.95, 1.0)
    found = [quantile(counts, share) for share in shares]
    if not counts:
        assert found == [None] * 4
        return
    total = sum(counts.values())
    bounds = [bound for bound in found if bound is not None]
    for share, bound in zip(shares, bounds, strict=True):
        assert sum(n for b, n in counts.items() if b <= bound) >= share * total
        assert sum(n for b, n in counts.items() if b < bound) < share * total
    assert all(one <= two for one, two in pairwise(bounds))


def test_only_what_grew_is_noted():
    """A bound that did not grow is no news; one that is new counts whole."""
    before = {("shop", ""): {0.1: 4.0, 0.5: 2.0}}
    seen = {("shop", ""): {0.1: 4.0, 0.5: 3.0}, ("shop", "odoo"): {1.0: 1.0}}
    assert grown(before, seen, 7) == [Took(7, "shop", "", 0.5, 1), Took(7, "shop", "odoo", 1.0, 1)]
    assert grown(seen, seen, 8) == []
    assert counted([Took(1, "a", "", 0.5, 1), Took(2, "b", "", 0.5, 2)]) == {0.5: 3}


def test_the_lag_is_the_worst_of_the_last_minute():
    """A held-up loop is told for a minute, then forgotten; waking early is no lag."""
    lag = Lag()
    assert lag.worst() == 0.0
    lag.saw(-0.01)
    assert lag.worst() == 0.0
    lag.saw(2.5)
    for _ in range(119):
        lag.saw(0.001)
    assert lag.worst() == 2.5
    lag.saw(0.001)
    assert lag.worst() == 0.001


def titles(chart):
    return re.findall("<title>([^<]*)</title>", chart.svg)


def test_what_is_drawn():
    """The newest bar is the last, what is older than the range is left out; nothing is empty."""
    beats = [Beat(1_000_000, "received", 12), Beat(999_000, "received", 5)]
    chart = flow_chart(beats, "1h", NOW)
    assert titles(chart) == ["12 received"]
    assert chart.scale == ("20", "0")
    (left,) = re.findall(r'<rect class="received" x="([\d.]+)"', chart.svg)
    assert float(left) > 940
    took = [Took(1_000_000, "shop", "", 0.005, 18), Took(1_000_000, "shop", "", 30.0, 2)]
    chart = latency_chart(took, "24h", NOW, "Acknowledged")
    assert titles(chart) == ["95% of 20 within 30 s", "50% of 20 within 5 ms"]
    assert chart.scale == ("2 min", "10 s", "1 s", "100 ms", "10 ms", "1 ms")
    for empty in (flow_chart([], "7d", NOW), latency_chart([], "7d", NOW, "Delivered")):
        assert titles(empty) == []
    hour = int(NOW // 3600)
    assert titles(trend([(hour, 3), (hour - HOURS, 9)], NOW)) == ["3, 0 s ago"]


def test_bars_keep_inside():
    """Longer than anybody measures is as high as the chart."""
    chart = latency_chart([Took(1_000_000, "s", "", math.inf, 1)], "1h", NOW, "Delivered")
    tops = [float(y) for y in re.findall(r'<rect class="\w+" x="[\d.]+" y="([\d.-]+)"', chart.svg)]
    assert tops
    assert min(tops) >= 0.0


def test_what_people_read():
    """Durations in the unit that fits, and none where there is none."""
    assert within(None) == "none yet"
    assert within(0.025) == "< 25 ms"
    assert within(2.5) == "< 2.5 s"
    assert within(1800.0) == "< 30 min"
    assert within(math.inf) == "longer than 30 d"


async def test_a_running_gateway_tells_how_long_things_take(tmp_path):
    """After one webhook: tiles, table and charts of the overview, the API, the destination."""
    async with SandboxOdoo() as one, SandboxOdoo() as two, Recorder() as erp:
        settings = Settings(
            journal=str(tmp_path / "odoorway.db"), port=0, console_port=0, odoo_url=one.url,
            odoo_database="sandbox", odoo_api_key="sandbox-key", max_rate=50,
        )  # fmt: skip
        environ = {"SECOND_URL": two.url, "KEY": "sandbox-key"}
        async with (
            running(gateway_of(erp=erp.url), settings, environ) as served,
            aiohttp.ClientSession(served.console) as session,
        ):
            await post(served.url, json.dumps({"id": 1, "name": "x"}).encode(), "lead")
            await settled(served.journal, 3)

            async def got(path):
                async with session.get(path) as answer:
                    assert answer.status == 200
                    return await answer.text()

            overview = await got("/?range=7d")
            assert "of 1 within" in overview
            assert "of 3 within" in overview
            assert "none yet" not in overview
            history = json.loads(await got("/api/v1/history?range=24h"))
            assert {row["destination"]: row["count"] for row in history["latency"]} == {
                None: 1, "erp": 1, "odoo": 1, "second": 1,
            }  # fmt: skip
            flows = json.loads(await got("/api/v1/status"))["flows"]
            assert [(row["received"], row["oldest"]) for row in flows] == [(1, None)] * 3
            assert all(row["delivered_within"] > 0 for row in flows)
            shown = await got("/destinations")
            assert "0.2 delivered a minute lately; at most 50.0 a second" in shown
            scrape = await got("/metrics")
            assert float(re.findall(r"(?m)^odoorway_commit_appends (.*)", scrape)[0]) == 1.0
            async with session.get("/api/v1/history?range=1y") as answer:
                assert answer.status == 400
