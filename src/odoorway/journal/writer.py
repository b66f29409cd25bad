"""Group commit: one thread writes, and operations that come together share a commit."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, cast

import apsw

from odoorway.errors import JournalUnavailable
from odoorway.journal.connect import unavailable

T = TypeVar("T")
MAX_BATCH: Final = 512  # operations in a commit; bounds how long the first of them waits
_STORE_FAILS = (
    apsw.FullError,
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.NoMemError,
)


GroupWork = Callable[[apsw.Connection, Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One item of work for the writer, and who waits for it.

    ``many`` does the items of neighbours that share it at once, and returns a result an item;
    a JournalFull among them is a refusal, which undoes nothing.
    """

    many: GroupWork
    item: Any
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    appends: bool

    def resolve(self, result: Any) -> None:
        """Tell who waits, if anybody still does. Runs in that one's loop."""
        if self.future.done():
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class GroupCommit:
    """Runs operations in its own thread; each is answered only after its COMMIT.

    ``at`` is told ``before-commit`` and ``after-commit`` around commits that append an event.
    """

    def __init__(self, connection: apsw.Connection, at: Callable[[str], None]) -> None:
        self._db = connection
        self._at = at
        self._queue: SimpleQueue[Operation | None] = SimpleQueue()
        self._closed = False
        self.group_size = 0.0  # appends that share a commit, on average of the last ones
        self._thread = threading.Thread(target=self._serve, name="journal-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run *work* in a transaction, shared with others, and return when it is committed.

        Raises:
            JournalUnavailable: nothing of it is known to be stored.
        """
        return cast("T", await self._do(_each, work, appends=False))

    async def append(self, many: GroupWork, item: Any) -> Any:
        """Like ``do``, with the items of all who come meanwhile given to *many* together."""
        return await self._do(many, item, appends=True)

    async def _do(self, many: GroupWork, item: Any, *, appends: bool) -> Any:
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._queue.put(Operation(many, item, future, loop, appends))
        return await future

    def close(self) -> None:
        """Finish what was handed over, end the thread and close the connection. Blocks."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        going = True
        while going:
            batch, going = self._take()
            if batch:
                _answer(batch, self._results(batch))
        self._db.close()

    def _take(self) -> tuple[Sequence[Operation], bool]:
        """Wait for an operation, then take all that came meanwhile; False ends the thread."""
        batch: list[Operation] = []
        operation = self._queue.get()
        while operation is not None:
            batch.append(operation)
            if len(batch) == MAX_BATCH:
                return batch, True
            try:
                operation = self._queue.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _results(self, batch: Sequence[Operation]) -> list[Any]:
        """Return a result or an exception an operation; nothing ends the thread."""
        try:
            results = self._commit(batch)
        except BaseException as error:  # noqa: BLE001 - without this thread nothing is stored
            return [_broken(error) for _ in batch]
        if len(results) != len(batch):
            wrong = RuntimeError(f"{len(batch)} operations had {len(results)} results")
            return [_broken(wrong) for _ in batch]
        return results

    def _commit(self, batch: Sequence[Operation]) -> list[Any]:
        """Return a result or an exception an operation, in order.

        When one raises, the batch is halved until that one is alone: the others are stored, in
        few commits. A store that fails would fail for each, so that is not tried.
        """
        try:
            return self._transact(batch)
        except _STORE_FAILS as error:
            return [unavailable(error) for _ in batch]
        except Exception as error:  # noqa: BLE001 - whoever asked for it gets it
            if len(batch) > 1:
                half = len(batch) // 2
                return self._commit(batch[:half]) + self._commit(batch[half:])
            return [unavailable(error) if isinstance(error, apsw.Error) else error]

    def _transact(self, batch: Sequence[Operation]) -> list[Any]:
        at = self._at if any(operation.appends for operation in batch) else _nowhere
        self._db.execute("BEGIN IMMEDIATE")
        try:
            results = [
                result
                for many, group in groupby(batch, attrgetter("many"))
                for result in many(self._db, [operation.item for operation in group])
            ]
            at("before-commit")
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        at("after-commit")
        self._learn(sum(operation.appends for operation in batch))
        return results

    def _learn(self, appends: int) -> None:
        """Let each commit that appends count for a sixteenth of the average."""
        if appends:
            self.group_size += (appends - self.group_size) / (16 if self.group_size else 1)

    def _roll_back(self) -> None:
        """Undo; SQLite has done so itself after some failures."""
        with suppress(apsw.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _broken(error: BaseException) -> JournalUnavailable:
    """Return what a bug of the writer means for who waits: nothing is known to be stored."""
    return JournalUnavailable(f"the journal cannot do it: {type(error).__name__}: {error}")


def _each(db: apsw.Connection, works: Sequence[Callable[[apsw.Connection], Any]]) -> Sequence[Any]:
    return [work(db) for work in works]


def _answer(batch: Sequence[Operation], results: Sequence[Any]) -> None:
    """Hand the results over, waking each loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Operation, Any]]] = {}
    for operation, result in zip(batch, results, strict=True):
        by_loop.setdefault(operation.loop, []).append((operation, result))
    for loop, answers in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: Sequence[tuple[Operation, Any]]) -> None:
    for operation, result in answers:
        operation.resolve(result)


def _nowhere(point: str) -> None:
    """Pass a crash point by."""
