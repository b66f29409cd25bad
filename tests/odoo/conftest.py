"""A real Odoo 19 of each test's own, and gateways that write to it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acceptance.gateway_process import GatewayProcess
from real_odoo import RealOdoo

Make = Callable[..., GatewayProcess]


@pytest.fixture
def odoo(real_odoo: RealOdoo) -> Iterator[RealOdoo]:
    """A real Odoo of this test's own, so that it can be stopped and counted."""
    with RealOdoo.start(f"odoorway_test_orders_{os.getpid()}") as own:
        yield own


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Make]:
    """Make gateway processes; they are ended with the test."""
    made: list[GatewayProcess] = []

    def make_one(url: str, database: str, key: str, **settings: object) -> GatewayProcess:
        made.append(GatewayProcess(tmp_path, url, database, key, **settings))
        return made[-1]

    yield make_one
    for one in made:
        one.stop()
