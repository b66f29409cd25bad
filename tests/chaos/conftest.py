"""What a chaos run did is told at the end of the session, with its seed."""

from collections.abc import Callable

import pytest

_TOLD = pytest.StashKey[list[str]]()


@pytest.fixture
def chaos_report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell a line now, where output is shown, and at the end of the session."""
    told = request.config.stash.setdefault(_TOLD, [])

    def tell(text: str) -> None:
        print(text, flush=True)
        told.append(text)

    return tell


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which seed it was and what was done."""
    for text in config.stash.get(_TOLD, []):
        terminalreporter.write_line(text, red=text.startswith("LEFT OUT"))
