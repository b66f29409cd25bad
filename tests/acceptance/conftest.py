"""An Odoo to write to: the sandbox, or a real one with products to sell."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from odoorway.testing import SandboxOdoo

from .gateway_process import GatewayProcess

SKUS = [f"SKU-{n}" for n in range(1, 21)]


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxOdoo]:
    """A sandbox Odoo with the products that the orders name."""
    async with SandboxOdoo() as odoo:
        for sku in SKUS:
            odoo.create("product.product", {"name": sku, "default_code": sku})
        yield odoo


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Make gateway processes; they are ended with the test."""
    made: list[GatewayProcess] = []

    def make(url: str, database: str, key: str, **settings: object) -> GatewayProcess:
        made.append(GatewayProcess(tmp_path, url, database, key, **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()
