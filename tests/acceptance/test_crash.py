"""Whatever was answered 202 arrives in Odoo exactly once, wherever the gateway is killed."""

from collections.abc import Callable

import pytest

from odoorway.testing import SandboxOdoo

from .gateway_process import GatewayProcess, eventually, send
from .orders import Order, expected, make
from .records import held

POINTS = ["after-verify", "before-commit", "after-commit", "after-lease", "after-load"]
Make = Callable[..., GatewayProcess]


async def crash_and_recover(
    gateway: GatewayProcess, target: tuple[str, str, str], point: str, passes: int
) -> None:
    """Kill the gateway at *point*, start it again, and see every order in Odoo once.

    The platform is played as it behaves: what got no 202 is sent again.
    """
    orders = make(40)
    gateway.start(die_at=point, passes=passes)
    await gateway.ready()
    acknowledged = await send(gateway.url, orders)
    await gateway.died()
    gateway.start()
    await gateway.ready()
    first = expected([o for o in orders if o.number in acknowledged])
    await arrives(target, first)
    await send(gateway.url, orders)
    await arrives(target, expected(orders))
    assert await held(*target) == expected(orders)
    assert gateway.stop() == 0


async def arrives(target: tuple[str, str, str], wanted: dict[str, object]) -> None:
    """Wait until Odoo holds at least the *wanted* orders, as they should be."""

    async def there() -> bool:
        found = await held(*target)
        return all(found.get(name) == order for name, order in wanted.items())

    await eventually(there)


@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_named_point(
    sandbox: SandboxOdoo, gateway: Make, point: str, passes: int
) -> None:
    """On the sandbox: at each point, at its first pass and later."""
    target = (sandbox.url, sandbox.database, sandbox.api_key)
    passes = min(passes, 1 if point.startswith("after-l") else passes)
    await crash_and_recover(gateway(*target, batch=10), target, point, passes)


async def test_what_was_not_committed_does_not_arrive(sandbox: SandboxOdoo, gateway: Make) -> None:
    """A kill before the first commit leaves nothing behind: no 202, no order."""
    target = (sandbox.url, sandbox.database, sandbox.api_key)
    process = gateway(*target)
    process.start(die_at="before-commit")
    await process.ready()
    lost: list[Order] = make(1)
    assert await send(process.url, lost) == set()
    await process.died()
    process.start()
    await process.ready()
    later = make(1, first=2)
    assert await send(process.url, later) == {2}
    await arrives(target, expected(later))
    assert await held(*target) == expected(later)
