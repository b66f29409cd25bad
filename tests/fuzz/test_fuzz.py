"""Seconds of what `make fuzz` does for minutes: the corpus, and what Hypothesis makes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
SEEDS = {name: [one.read_bytes() for one in sorted((CORPUS / name).iterdir())] for name in TARGETS}
BYTES = st.binary(max_size=40)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_taken(name: str) -> None:
    """What was once found stays mended."""
    assert SEEDS[name]
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_made_of_it_is_taken_too(name: str, data: st.DataObject) -> None:
    """Cut, doubled, and with anything in between."""
    seed = data.draw(st.sampled_from(SEEDS[name]))
    at = data.draw(st.integers(0, len(seed)))
    until = data.draw(st.integers(at, len(seed)))
    between = data.draw(BYTES | st.sampled_from([seed[at:until] * 2, b"\\u0000", b"\\ud800"]))
    TARGETS[name](seed[:at] + between + seed[until:])
