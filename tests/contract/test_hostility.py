"""Whatever a handler or a destination does costs itself alone: the others are delivered.

A real gateway in its own process, thirty deliveries and one guilty one in their middle. It is one
gateway for all cases, so that what was guilty before is still being tried beside the next.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import apsw
import pytest
import pytest_asyncio

from acceptance.gateway_process import eventually
from chaos.gateway import ChaosGateway
from chaos.platform import Sent, post
from hostility import HostileOdoo, HostileReceiver, mark
from odoorway.diagnose.catalog import CATALOG

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHERS = 30
SECONDS = 60.0  # at most, for all of it
_FOUND = """
SELECT delivery.state, delivery.attempts, coalesce(delivery.code, ''), delivery.detail
FROM delivery JOIN event ON event.seq = delivery.event
WHERE event.idempotency_key IN (SELECT value FROM json_each(?))
"""


@dataclass
class World:
    """A gateway, and what it delivers to."""

    gateway: ChaosGateway
    odoo: HostileOdoo
    receiver: HostileReceiver

    async def case(self, guilty: Sent) -> tuple[str, int, str, str]:
        """Send it among the others; return what became of it once all of them are delivered."""
        others = [Sent(guilty.source, f"{n:02}beside-{guilty.key}", 1) for n in range(OTHERS)]
        sent = [*others[: OTHERS // 2], guilty, *others[OTHERS // 2 :]]
        with self.odoo.hold():  # so that they are one batch, as far as may be
            async with aiohttp.ClientSession() as session:
                statuses = [await post(session, self.gateway.url, one) for one in sent]
        assert statuses == [202] * len(sent)
        await eventually(lambda: self._all_delivered([one.ident for one in others]), SECONDS)
        await eventually(lambda: self._is_known(guilty), SECONDS)
        ((state, attempts, code, detail),) = self._rows([guilty.ident])
        assert code == "" or code in CATALOG
        return state, attempts, code, detail

    async def _all_delivered(self, idents: list[str]) -> bool:
        states = [state for state, *_ in self._rows(idents)]
        assert set(states) <= {"pending", "leased", "delivered"}, states
        return states == ["delivered"] * OTHERS

    async def _is_known(self, guilty: Sent) -> bool:
        ((state, attempts, *_),) = self._rows([guilty.ident])
        return bool(state in {"dead", "skipped", "delivered"} or (attempts and state == "pending"))

    def _rows(self, idents: list[str]) -> list[Any]:
        db = apsw.Connection(str(self.gateway.journal), flags=apsw.SQLITE_OPEN_READONLY)
        db.set_busy_timeout(5000)
        try:
            return db.execute(_FOUND, (json.dumps(idents),)).fetchall()
        finally:
            db.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """All of it, on loopback; the gateway ends as an operator would end it."""
    async with AsyncExitStack() as held:
        odoo = await held.enter_async_context(HostileOdoo())
        receiver = await held.enter_async_context(HostileReceiver())
        target = (odoo.url, odoo.database, odoo.api_key)
        gateway = ChaosGateway(tmp_path_factory.mktemp("gateway"), target, receiver.url, lease=60)
        gateway.start()
        try:
            await gateway.ready()
            yield World(gateway, odoo, receiver)
            assert await asyncio.to_thread(gateway.stop) == 0, gateway.log.read_text()[-3000:]
            assert not gateway.left()
        finally:
            if gateway.process and gateway.process.poll() is None:
                gateway.process.kill()
                gateway.process.wait()


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("raise", "handler.failed"),
        ("hang", "handler.timeout"),
        ("loop", "handler.timeout"),
        ("exit", "handler.failed"),
        ("os-exit", "handler.died"),
        ("kill", "handler.died"),
        ("kill-parent", ""),
        ("kill-group", "handler.died"),
        ("segfault", "handler.died"),
        ("allocate", "handler.failed"),
        ("nonsense", "handler.no-command"),
        ("few", "handler.skipped"),
        ("large", ""),
        ("huge", "handler.too-large"),
    ],
)
async def test_a_handler(world: World, deed: str, code: str) -> None:
    """It is named and counted; one that returns 5 MB, or kills its parent, did no harm."""
    state, attempts, found, detail = await world.case(
        Sent("shop", f"99-handler-{deed}", 1, topic=f"orders/{deed}")
    )
    assert found == code, detail
    assert state == "delivered" if not code else attempts or state == "skipped"
    assert not code or detail


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("raise", "odoo.server-error"),
        ("hang", "odoo.timeout"),
        ("drop", "odoo.empty-answer"),
        ("nonsense", "odoo.refused-on-the-way"),
        ("shape", "odoo.unexpected-answer"),
        ("few", "odoo.unexpected-answer"),
        ("large", "odoo.unexpected-answer"),
        ("endless", "odoo.unexpected-answer"),
        ("slow", "odoo.timeout"),
        ("lost", "odoo.empty-answer"),
    ],
)
async def test_an_odoo(world: World, deed: str, code: str) -> None:
    """What it does when it reads of one record is that delivery's alone."""
    state, attempts, found, detail = await world.case(
        Sent("shop", f"99-odoo-{deed}", 1, mark=mark(deed))
    )
    assert found == code, detail
    assert state == "delivered" if not code else attempts
    assert world.odoo.done[deed]


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("raise", "forward.server-error"),
        ("refuse", "forward.refused"),
        ("hang", "forward.unreachable"),
        ("drop", "forward.unreachable"),
        ("nonsense", "forward.unreachable"),
        ("few", "forward.unreachable"),
        ("heads", "forward.unreachable"),
        ("slow", "forward.unreachable"),
        ("split", "forward.refused"),
        ("large", ""),
        ("endless", ""),
        ("bomb", ""),
    ],
)
async def test_a_receiver(world: World, deed: str, code: str) -> None:
    """What it answers to one body is that delivery's alone; a long 2xx is a 2xx."""
    state, attempts, found, detail = await world.case(
        Sent("plain", f"99-receiver-{deed}", 1, topic="things/changed", mark=mark(deed))
    )
    assert found == code, detail
    assert state == "delivered" if not code else attempts
    assert world.receiver.done[deed]
