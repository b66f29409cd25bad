"""Nothing dies silently: what ends is begun anew and counted, or ends the process."""

import asyncio

import pytest
import structlog

from odoorway.telemetry import REGISTRY
from odoorway.wiring.supervise import Part, PartEnded, Supervisor


def restarts(part: str) -> float:
    return REGISTRY.get_sample_value("odoorway_part_restarts_total", {"part": part}) or 0.0


async def test_a_part_that_ends_is_begun_anew_and_counted() -> None:
    """Whatever it raised, and also when it only returned; the log says why."""
    begun = asyncio.Event()
    turns = [0]

    async def odd() -> None:
        turns[0] += 1
        match turns[0]:
            case 1:
                raise MemoryError("no room")
            case 2:
                return
            case 3:
                raise RecursionError
        begun.set()
        await asyncio.Event().wait()

    before = restarts("odd")
    with structlog.testing.capture_logs() as logged:
        async with Supervisor([Part(name="odd", run=odd)], pause=0).going():
            await asyncio.wait_for(begun.wait(), 20)
    assert restarts("odd") - before == 3
    why = [line["why"] for line in logged if line["event"] == "gateway.part-ended"]
    assert "MemoryError: no room" in why[0]
    assert why[1] == "it returned"


async def test_one_that_ends_again_and_again_ends_the_process_with_its_reason() -> None:
    """The block is left, with the part's name and error, and the other parts are finished."""
    finished = []

    async def bad() -> None:
        raise ZeroDivisionError("a bug")

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            finished.append("other")

    parts = [Part(name="bad", run=bad, restarts=2), Part(name="other", run=other)]
    with pytest.raises(PartEnded, match="bad ended: ZeroDivisionError: a bug"):
        async with Supervisor(parts, pause=0).going():
            await asyncio.Event().wait()
    assert finished == ["other"]


async def test_parts_finish_in_order_and_one_that_does_not_is_cut_off() -> None:
    """Each is asked, given its grace, and cancelled if it has to be."""
    ended = []

    def part(name: str, *, heeds: bool) -> Part:
        asked = asyncio.Event()

        async def run() -> None:
            try:
                await asked.wait()
                if not heeds:
                    await asyncio.Event().wait()
            finally:
                ended.append(name)

        return Part(name=name, run=run, stop=asked.set, grace=0.05)

    parts = [part("first", heeds=True), part("stubborn", heeds=False), part("last", heeds=True)]
    async with Supervisor(parts).going():
        await asyncio.sleep(0)
    assert ended == ["first", "stubborn", "last"]


async def test_what_the_block_raises_is_raised_as_it_is() -> None:
    """No group of exceptions around it."""

    async def run() -> None:
        await asyncio.Event().wait()

    with pytest.raises(LookupError, match="mine"):
        async with Supervisor([Part(name="one", run=run)]).going():
            raise LookupError("mine")
