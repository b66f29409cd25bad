"""Handlers run outside the gateway, in processes that they may block, fill or kill.

A handler that loops, sleeps, exits or kills its process costs itself alone: its task is answered
with what happened, the tasks behind it go to another worker, and the worker is replaced.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from odoorway.dispatch.crossing import unpack
from odoorway.dispatch.handler_process import (
    FORK,
    LENGTH,
    MOST,
    PID,
    WAIT,
    HandlerLimits,
    Task,
    answered,
    nursery,
)
from odoorway.gateway import Route
from odoorway.model.delivery import Outcome
from odoorway.telemetry import Log, log
from odoorway.transform.run import Settled, Transformed

_CHUNK_TASKS: Final = 16
_CHUNK_BYTES: Final = 256 << 10
_REST: Final = 1.0  # seconds before another try when no worker can be had


class Handlers(Protocol):
    """Who runs handlers."""

    async def run(self, tasks: Sequence[Task]) -> Sequence[Transformed]:
        """Return what became of each task, in order. Never raises for what a handler does."""
        ...

    async def close(self) -> None:
        """End what was started."""
        ...


class HandlersHere:
    """Runs handlers in this very process: for tests, where they are trusted."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        """Run the handlers of *routes*."""
        self._routes = routes

    async def run(self, tasks: Sequence[Task]) -> Sequence[Transformed]:
        """See ``Handlers.run``."""
        return [unpack(answered(self._routes, task)) for task in tasks]

    async def close(self) -> None:
        """See ``Handlers.close``."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    task: Task
    answer: asyncio.Future[Transformed]

    def settle(self, result: Transformed) -> None:
        if not self.answer.done():
            self.answer.set_result(result)


class HandlerProcesses:
    """Runs handlers in a few worker processes. Implements ``Handlers``.

    Make it before the process has threads: it forks.
    """

    def __init__(self, routes: Mapping[str, Route], limits: HandlerLimits | None = None) -> None:
        """Run the handlers of *routes* within *limits*; begins at once."""
        self._routes, self._limits = routes, limits or HandlerLimits()
        self._waiting: asyncio.Queue[list[_Asked]] = asyncio.Queue()
        self._tending: list[asyncio.Task[None]] = []
        self._nursery = _Nursery(routes, self._limits)

    async def run(self, tasks: Sequence[Task]) -> Sequence[Transformed]:
        """See ``Handlers.run``."""
        loop = asyncio.get_running_loop()
        while len(self._tending) < self._limits.processes:
            self._tending.append(asyncio.create_task(self._tend()))
        asked = [_Asked(task, loop.create_future()) for task in tasks]
        for chunk in _chunks(asked):
            self._waiting.put_nowait(chunk)
        return await asyncio.gather(*(one.answer for one in asked))

    async def close(self) -> None:
        """See ``Handlers.close``."""
        for one in self._tending:
            one.cancel()
        await asyncio.gather(*self._tending, return_exceptions=True)
        self._nursery.close()

    async def _tend(self) -> None:
        """Keep one worker at work for ever, whatever becomes of it."""
        while True:
            try:
                async with self._worker() as worker:
                    await self._feed(worker)
            except OSError as error:
                log(Log.HANDLERS_FAILED, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_REST)

    async def _feed(self, worker: "_Worker") -> None:
        """Give the worker what waits, until it ends; what it did not begin waits again."""
        while True:
            chunk = await self._waiting.get()
            left = chunk
            try:
                left = await worker.do(chunk)
            finally:
                left = [one for one in left if not one.answer.done()]
                if left:
                    self._waiting.put_nowait(left)
            if worker.ended:
                return

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator["_Worker"]:
        ours, theirs = socket.socketpair()
        try:
            pid = await self._nursery.fork(theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = _Worker(pid, reader, writer, self._nursery, self._limits.seconds)
        try:
            yield worker
        finally:
            writer.close()
            await worker.end()


class _Worker:
    """One process, and the tasks it was given."""

    def __init__(
        self,
        pid: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        nursery: "_Nursery",
        seconds: float,
    ) -> None:
        self._pid, self._reader, self._writer = pid, reader, writer
        self._nursery, self._seconds = nursery, seconds
        self.ended = False

    async def do(self, chunk: Sequence[_Asked]) -> list[_Asked]:
        """Answer the tasks; return those that were not begun, when the worker ended before."""
        frame = pickle.dumps([one.task for one in chunk], pickle.HIGHEST_PROTOCOL)
        self._writer.write(LENGTH.pack(len(frame)) + frame)
        for position, one in enumerate(chunk):
            try:
                async with asyncio.timeout(self._seconds):
                    result = await self._answer()
            except TimeoutError:
                one.settle(_too_slow(self._seconds))
                await self.end()
            except (OSError, EOFError, ValueError):
                one.settle(_died(await self.end()))
            else:
                if result is not None:
                    one.settle(result)
                    continue
                await self.end()
                return list(chunk[position:])
            return list(chunk[position + 1 :])
        return []

    async def end(self) -> int:
        """Have the process ended, and return how it did; again, 0."""
        if self.ended:
            return 0
        self.ended = True
        # One that is gone already keeps its own status; a live one gets no chance, nor does what
        # a handler forked: it stands in the worker's group.
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(self._pid, signal.SIGKILL)
        return await self._nursery.wait(self._pid)

    async def _answer(self) -> Transformed | None:
        """Return the next answer; None when the worker retires instead."""
        await self._writer.drain()
        (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        if not length:
            return None
        if length > MOST:
            raise ValueError("no answer of a handler is that long")
        return unpack(await self._reader.readexactly(length))


class _Nursery:
    """The process that forks workers; made anew when it is gone."""

    def __init__(self, routes: Mapping[str, Route], limits: HandlerLimits) -> None:
        self._routes, self._limits = routes, limits
        self._asking = asyncio.Lock()
        self._control, self._pid = self._begin()

    def _begin(self) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            try:
                nursery(theirs, self._routes, self._limits)
            finally:
                os._exit(1)
        theirs.close()
        return ours, pid

    async def fork(self, channel: socket.socket) -> int:
        """Return the id of a new worker on *channel*.

        Raises:
            OSError: none can be had now.
        """
        async with self._asking:
            try:
                return await asyncio.to_thread(self._ask, FORK, channel)
            except (OSError, EOFError):
                self._end()
                self._control, self._pid = self._begin()
                log(Log.HANDLERS_FAILED, error="the process that starts handlers was gone")
                return await asyncio.to_thread(self._ask, FORK, channel)

    async def wait(self, pid: int) -> int:
        """Return how that worker ended; 0 when nobody knows."""
        async with self._asking:
            try:
                return await asyncio.to_thread(self._ask, WAIT + PID.pack(pid), None)
            except (OSError, EOFError):
                return 0

    def close(self) -> None:
        """End it; the workers end as their channels close."""
        self._end()

    def _ask(self, message: bytes, channel: socket.socket | None) -> int:
        fds = [channel.fileno()] if channel else []
        socket.send_fds(self._control, [message.ljust(1 + PID.size)], fds)
        told = self._control.recv(PID.size, socket.MSG_WAITALL)
        if len(told) < PID.size:
            raise EOFError
        (number,) = PID.unpack(told)
        if number < 0 and channel:
            raise OSError(-number, os.strerror(-number))
        return int(number)

    def _end(self) -> None:
        self._control.close()
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def _chunks(asked: Sequence[_Asked]) -> Sequence[list[_Asked]]:
    """Return the tasks in few parts, each small enough to be begun soon."""
    chunks: list[list[_Asked]] = []
    size = 0
    for one in asked:
        size += len(one.task.event.body)
        if not chunks or len(chunks[-1]) == _CHUNK_TASKS or size > _CHUNK_BYTES:
            chunks.append([])
            size = len(one.task.event.body)
        chunks[-1].append(one)
    return chunks


def _too_slow(seconds: float) -> Transformed:
    text = f"the handler did not return within {seconds:g} s, and its process was ended"
    return Settled(Outcome.RETRY, "handler.timeout", text, alone=True)


def _died(status: int) -> Transformed:
    how = f"exit status {status}"
    if status < 0:
        with contextlib.suppress(ValueError):
            how = signal.Signals(-status).name
    text = f"the process of the handler ended while it ran ({how})"
    return Settled(Outcome.RETRY, "handler.died", text, alone=True)
