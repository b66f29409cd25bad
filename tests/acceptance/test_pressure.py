"""A real gateway under pressure: too many requests, a full journal, SIGTERM in the middle."""

import asyncio
from collections.abc import Callable

import aiohttp

from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import State
from odoorway.testing import SandboxOdoo

from .gateway_process import GatewayProcess, eventually, post, send
from .orders import make
from .test_cli import _listening

Make = Callable[..., GatewayProcess]


async def started(gateway: Make, odoo: SandboxOdoo, **settings: object) -> GatewayProcess:
    process = gateway(odoo.url, odoo.database, odoo.api_key, **settings)
    process.start()
    await process.ready()
    return process


async def refusal(url: str) -> tuple[int, str, str]:
    """Return status, Retry-After and code of an unsigned request."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/in/shop", data=b"{}") as answer,
    ):
        told = await answer.json(content_type=None)
        return answer.status, answer.headers.get("Retry-After", ""), told["code"]


async def test_more_requests_than_the_limit_are_429(sandbox: SandboxOdoo, gateway: Make) -> None:
    """While one slow sender holds the only place; once it is gone, the next is taken."""
    process = await started(gateway, sandbox, max_in_flight=1)
    _, slow = await asyncio.open_connection("127.0.0.1", process.port)
    slow.write(b"POST /in/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{")
    await slow.drain()

    async def full() -> bool:
        return (await refusal(process.url))[0] == 429

    await eventually(full)
    status, after, code = await refusal(process.url)
    assert (status, code) == (429, "gateway.overloaded")
    assert int(after) > 0
    slow.close()

    async def free() -> bool:
        return await send(process.url, make(1)) == {1}

    await eventually(free)


async def test_a_full_journal_is_503_until_something_left_it(
    sandbox: SandboxOdoo, gateway: Make
) -> None:
    """Nothing is acknowledged that is not kept; what was refused is taken when sent again."""
    process = await started(gateway, sandbox, max_waiting=1)
    first, second = make(2)
    with sandbox.hold():
        assert await send(process.url, [first]) == {1}
        async with aiohttp.ClientSession() as session:
            assert await post(session, process.url, second) == 503

    async def taken() -> bool:
        return await send(process.url, [second]) == {2}

    await eventually(taken)

    async def there() -> bool:
        return len(sandbox.records("sale.order")) == 2

    await eventually(there)


async def test_sigterm_finishes_the_delivery_under_way(sandbox: SandboxOdoo, gateway: Make) -> None:
    """It takes no more, waits for Odoo's answer within the grace time, settles, and ends with 0."""
    process = await started(gateway, sandbox)
    assert process.process
    with sandbox.hold():
        assert await send(process.url, make(1)) == {1}
        await eventually(lambda: _asked(sandbox))
        process.process.terminate()

        async def closed() -> bool:
            return not await _listening(process.port)

        await eventually(closed)
        assert process.process.poll() is None
    assert await asyncio.to_thread(process.process.wait, 30) == 0
    assert await _states(process) == {State.DELIVERED}


async def test_sigterm_gives_up_after_the_grace_time_and_loses_nothing(
    sandbox: SandboxOdoo, gateway: Make
) -> None:
    """Odoo answers never; the order is delivered by the next start, once."""
    process = await started(gateway, sandbox, grace=0.5)
    with sandbox.hold():
        assert await send(process.url, make(1)) == {1}
        await eventually(lambda: _asked(sandbox))
        assert await asyncio.to_thread(process.stop) == 0
    process.start()
    await process.ready()

    async def delivered() -> bool:
        return await _states(process) == {State.DELIVERED}

    await eventually(delivered)
    assert len(sandbox.records("sale.order")) == 1
    assert process.stop() == 0


async def _asked(sandbox: SandboxOdoo) -> bool:
    return sandbox.waiting > 0


async def _states(process: GatewayProcess) -> set[State]:
    journal = SqliteJournal.open(process.journal, serve=False)
    deliveries = await journal.deliveries(limit=10)
    await journal.close()
    return {d.state for d in deliveries}
