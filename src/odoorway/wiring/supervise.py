"""Nothing dies silently: a part that ends is begun anew and counted, or ends the process."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from odoorway.errors import OdoorwayError
from odoorway.telemetry import Counter, Log, begin, count, log

_WITHIN: Final = 60.0  # seconds in which that many ends are too many
_PAUSE: Final = 1.0  # seconds before it is begun anew


class PartEnded(OdoorwayError):
    """A part of the gateway ended for good; the message says which, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that goes on for as long as the gateway serves."""

    name: str
    run: Callable[[], Coroutine[Any, Any, Any]]
    stop: Callable[[], None] | None = None  # asks it to finish; without, it is cancelled
    grace: float = 10.0  # seconds to finish in
    restarts: int = 5  # within a minute; one more end of the part ends the process


class Supervisor:
    """Keeps the parts of one gateway going until they are asked to finish."""

    def __init__(self, parts: Sequence[Part], *, pause: float = _PAUSE) -> None:
        """Keep *parts*; wait *pause* seconds before one is begun anew."""
        self._parts, self._pause = parts, pause
        self._stopping = False
        for part in parts:
            begin(Counter.RESTARTS, part.name)

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Run the parts inside the block; leaving it finishes them in order.

        Raises:
            PartEnded: one ended too often; what runs inside the block is cancelled.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._keep(part), name=part.name) for part in self._parts
                ]
                try:
                    yield
                finally:
                    self._stopping = True
                    for part, task in zip(self._parts, tasks, strict=True):
                        await _finish(part, task)
        except BaseExceptionGroup as ended:
            parts, others = ended.split(PartEnded)
            raise _first(parts or others or ended) from None

    async def _keep(self, part: Part) -> None:
        """Run *part*, again and again if it has to be."""
        ends: list[float] = []
        while True:
            why = await _ended(part)
            if self._stopping:
                return
            now = asyncio.get_running_loop().time()
            ends = [*(at for at in ends if now - at < _WITHIN), now]
            log(Log.PART_ENDED, part=part.name, why=why, again=len(ends) <= part.restarts)
            if len(ends) > part.restarts:
                raise PartEnded(f"{part.name} ended: {why.splitlines()[-1]}")
            count(Counter.RESTARTS, part.name)
            await asyncio.sleep(self._pause)


async def _ended(part: Part) -> str:
    """Run *part* until it ends; return why it did."""
    try:
        await part.run()
    except Exception:  # noqa: BLE001 - whatever it was, it is told, and the part begun anew
        return traceback.format_exc().rstrip()
    return "it returned"


async def _finish(part: Part, task: asyncio.Task[None]) -> None:
    if part.stop:
        part.stop()
        await asyncio.wait([task], timeout=part.grace)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait([task])


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the exception that a group of one, or the first of more, stands for."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
