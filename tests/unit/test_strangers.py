"""What strangers send to a running gateway does not cover what its own sources sent."""

import asyncio

import aiohttp

from odoorway import Forward, Gateway
from odoorway.journal.port import Journal
from odoorway.model.event import Event
from odoorway.settings import Settings
from odoorway.sources import hmac
from odoorway.wiring import running


def gateway_of() -> Gateway:
    gateway = Gateway()
    erp = gateway.http("erp", url="http://127.0.0.1:9")
    shop = gateway.source("shop", hmac.source(secret="s", header="X-Sig", topic="header:X-Topic"))

    @shop.on("*", destination=erp)
    def handler(_body: dict, _event: Event) -> Forward:
        return Forward("/")

    return gateway


async def test_a_declared_source_keeps_its_own_rejections() -> None:
    """The problems show its forged request; all other paths are one group."""
    settings = Settings(journal="memory", port=0, console_port=-1)
    async with running(gateway_of(), settings, {}) as served:
        async with aiohttp.ClientSession() as session:
            for path in ("/in/shop", "/in/shopp", "/wp-login.php?1", "/wp-login.php?2"):
                await session.post(served.url + path, data=b"forged")
        await recorded(served.journal, 4)
        found = {(p.source, p.code): p.count for p in await served.journal.problems()}
    assert found == {
        ("shop", "signature.missing"): 1,
        ("", "request.unknown-source"): 1,
        ("", "request.not-found"): 2,
    }


async def recorded(journal: Journal, many: int) -> None:
    """Wait until so many rejections are recorded."""
    async with asyncio.timeout(10):
        while True:
            if (await journal.stats()).rejections >= many:
                return
            await asyncio.sleep(0.005)  # the receiver records in the background
