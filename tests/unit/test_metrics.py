"""What a scrape tells."""

import json

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from test_destinations import Recorder, gateway_of, post, settled

from odoorway.settings import Settings
from odoorway.telemetry import Counter, Gauge, Histogram
from odoorway.testing import SandboxOdoo
from odoorway.wiring import running


async def scraped(url):
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_scrape_tells_what_flows_and_what_does_not():
    """Counters by source and outcome; the breaker of the Odoo that is away is 1, then 0."""
    async with SandboxOdoo() as one, SandboxOdoo() as two, Recorder() as erp:
        settings = Settings(
            journal="memory", port=0, console_port=0, odoo_url=one.url, odoo_database="sandbox",
            odoo_api_key="sandbox-key",
        )  # fmt: skip
        environ = {"SECOND_URL": two.url, "KEY": "sandbox-key"}
        await two.stop()
        async with running(gateway_of(erp=erp.url), settings, environ) as served:
            before = await scraped(served.console)
            for _ in range(2):
                await post(served.url, json.dumps({"id": 1, "name": "x"}).encode(), "lead")
            async with aiohttp.ClientSession() as session:
                for path in ("/in/shop", "/in/what<ever>"):
                    await session.post(served.url + path, data=b"forged")
            await settled(served.journal, 2)
            told = await scraped(served.console)

            def grown(*key):
                return told.get(key, 0.0) - before.get(key, 0.0)

            assert grown("odoorway_events_total", "accepted", "lead", "shop") == 1
            assert grown("odoorway_events_total", "duplicate", "lead", "shop") == 1
            assert grown("odoorway_rejections_total", "shop", "signature.missing") == 1
            assert grown("odoorway_rejections_total", "request.unknown-source", "unknown") == 1
            assert grown("odoorway_attempts_total", "", "delivered", "lead", "odoo", "shop") == 1
            assert grown("odoorway_ack_seconds_count", "shop") == 2
            assert told["odoorway_breaker_open", "second"] == 1
            assert told["odoorway_breaker_open", "odoo"] == 0
            assert told["odoorway_waiting_deliveries",] == 1
            assert told["odoorway_oldest_waiting_seconds",] > 0
            await two.start()
            await settled(served.journal, 3)
            told = await scraped(served.console)
            assert told["odoorway_breaker_open", "second"] == 0
            assert told["odoorway_batch_size", "odoo"] == settings.batch
        names = {str(key[0]) for key in told}
        known = {one.value for kind in (Counter, Gauge, Histogram) for one in kind}
        assert {n for n in known if not any(name.startswith(n) for name in names)} == set()
