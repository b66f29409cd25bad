"""A connection that reads, in a thread of its own, and gives up what takes too long."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import apsw

from odoorway.errors import JournalSlow, JournalUnavailable
from odoorway.journal.connect import unavailable

T = TypeVar("T")
Spent = Callable[[], float]  # the share of a question's time that is gone, 0 where it has no limit
_STEPS: Final = 20_000  # of SQLite's machine between two looks at the clock: well under 1 ms


class Reader:
    """Answers one question after the other.

    With *patience*, one that takes longer than so many seconds is given up: those that wait
    behind it are answered, and whoever asked it can ask for less.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        name: str,
        *,
        patience: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = connection
        self._patience, self._now = patience, now
        self._began = 0.0
        self._thread = ThreadPoolExecutor(1, name)
        self._closed = False
        if patience is not None:
            connection.set_progress_handler(self._is_late, _STEPS)

    async def ask(self, question: Callable[[apsw.Connection], T]) -> T:
        """Return what *question* reads.

        Raises:
            JournalSlow: it took too long.
            JournalUnavailable: the journal cannot be read.
        """
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._answer, question)
        except apsw.InterruptError as error:
            raise JournalSlow(
                f"it took longer than {self._patience:g} s to read, and was given up so that"
                " others are answered: ask for less, by source, topic or time"
            ) from error
        except apsw.Error as error:
            raise unavailable(error) from error

    def spent(self) -> float:
        """Return the share of its time that the question under way has had; for itself to ask."""
        return (self._now() - self._began) / self._patience if self._patience else 0.0

    def close(self) -> None:
        """Let the question under way end, and close the connection. Blocks."""
        self._closed = True
        self._thread.shutdown()
        self._db.close()

    def _answer(self, question: Callable[[apsw.Connection], T]) -> T:
        self._began = self._now()
        return question(self._db)

    def _is_late(self) -> bool:
        return self.spent() > 1
