"""A real Odoo 19 where one can be had, and one loud line where it cannot."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from journals import close_all
from real_odoo import RealOdoo, fourteen, unavailable

settings.register_profile("odoorway", deadline=None)  # timings decide no test
settings.load_profile("odoorway")
REQUIRED = os.environ.get("REQUIRE_REAL_ODOO") == "1"


@pytest.fixture(autouse=True)
def journals_closed() -> Iterator[None]:
    """Close the journals that a test opened."""
    yield
    close_all()


@pytest.fixture(scope="session")
def real_odoo() -> Iterator[RealOdoo]:
    """A real Odoo 19 on a database of this session's own."""
    reason = unavailable()
    if reason:
        pytest.skip(f"no real Odoo 19 here: {reason}")
    with RealOdoo.start(f"odoorway_tests_{os.getpid()}") as odoo:
        yield odoo


@pytest.fixture(scope="session")
def real_odoo_14() -> Iterator[fourteen.Odoo14]:
    """A real Odoo 14 on a database of this session's own."""
    reason = fourteen.unavailable()
    if reason:
        pytest.skip(f"no real Odoo 14 here: {reason}")
    with fourteen.serving(f"odoorway_tests_14_{os.getpid()}") as odoo:
        yield odoo


def _left_out(config: pytest.Config, mark: str) -> tuple[int, int, str]:
    """Return how many tests with that mark ran, how many were skipped, and why."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    ran = [r for r in reporter.stats.get("passed", []) if mark in r.keywords]
    skipped = [r for r in reporter.stats.get("skipped", []) if mark in r.keywords]
    why = skipped[0].longrepr[2] if skipped else ""
    return len(ran), len(skipped), why


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say in one line which tests were left out."""
    for mark in ("odoo", "odoo14", "shared"):
        _, skipped, why = _left_out(config, mark)
        if skipped:
            line = f"LEFT OUT: {skipped} tests marked {mark!r} did not run: {why}"
            terminalreporter.write_line(line, red=True, bold=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a session that had to ask a real Odoo and did not."""
    if not REQUIRED or exitstatus:
        return
    ran, skipped, why = _left_out(session.config, "odoo")
    if skipped or not ran:
        print(f"\nREQUIRE_REAL_ODOO=1, and {ran} of its tests ran, {skipped} did not. {why}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
