"""The journal in one SQLite file: nothing to install, one process serves it."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar, cast

import apsw

from odoorway.errors import JournalUnavailable
from odoorway.journal import forget, read, seen, write
from odoorway.journal.caps import cap_event, cap_flaw, cap_rejection, cap_settlement
from odoorway.journal.connect import (
    CHECKPOINT_PAGES,
    connect_reader,
    connect_writer,
    create_private,
    pragmas,
    refuse_unsafe,
)
from odoorway.journal.found import (
    Beat,
    Chosen,
    DeadLetter,
    EventFilter,
    EventPage,
    Flow,
    HistoryPage,
    Problem,
    Rhythm,
    Took,
)
from odoorway.journal.history import history
from odoorway.journal.keeping import Forgotten, Sweep
from odoorway.journal.lock import FileLock
from odoorway.journal.migrate import migrate, require_current
from odoorway.journal.port import MAX_BYTES, Appended, Binding, Limits, Stats
from odoorway.journal.reader import Reader
from odoorway.journal.search import search
from odoorway.journal.writer import GroupCommit
from odoorway.model.delivery import Attempt, Delivery, Leased, Planned, Settlement, State
from odoorway.model.event import Event, Flaw, Rejection
from odoorway.model.standing import Standing

T = TypeVar("T")
PATIENCE: Final = 1.0  # seconds for a question of a person


class SqliteJournal:
    """The Journal port on SQLite: WAL, ``synchronous=FULL``, group commit.

    Three threads have a connection each: one writes, one reads for the engine, one for people. So
    no listing delays an append or a delivery.
    """

    def __init__(
        self,
        writer: GroupCommit,
        engine: Reader,
        people: Reader,
        lock: FileLock | None,
        limits: Limits,
    ) -> None:
        self._writer, self._engine, self._people = writer, engine, people
        self._lock = lock
        self._limits = limits
        self._append = partial(write.append, limits=limits)
        self._closed = False
        self._folder: Path | None = None  # goes with the journal

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        limits: Limits | None = None,
        serve: bool = True,
        at: Callable[[str], None] = lambda _: None,
        checkpoint_pages: int = CHECKPOINT_PAGES,
    ) -> Self:
        """Open the journal at *path*; blocks while it migrates.

        With ``serve`` this process becomes the one that serves the file, which is made and
        migrated as needed. Without, it works beside that process (to list, to replay) on a
        journal that exists and is up to date. Where it serves, a person's question is given up
        after a second.

        Args:
            path: the file; its folder exists.
            limits: how much is kept, by default ``Limits()``.
            serve: take the lock and migrate.
            at: told ``before-commit`` and ``after-commit`` around commits that append.
            checkpoint_pages: how many pages the WAL takes before it is folded in.

        Raises:
            JournalLocked: another process serves the file.
            JournalUnavailable: it cannot be opened, is newer than the program, or the SQLite
                library is one that can corrupt it.
        """
        refuse_unsafe(apsw.sqlite_lib_version())
        file = Path(path)
        with ExitStack() as opened:
            lock = _claim(file, serve=serve)
            if lock:
                opened.callback(lock.close)
            try:
                connection = connect_writer(file, checkpoint_pages=checkpoint_pages)
                opened.callback(connection.close)
                (migrate if serve else require_current)(connection)
                engine = connect_reader(file)
                opened.callback(engine.close)
                people = connect_reader(file)
            except apsw.Error as error:
                raise JournalUnavailable(f"cannot open journal {file}: {error}") from error
            opened.pop_all()
        patience = PATIENCE if serve else None
        return cls(
            GroupCommit(connection, at),
            Reader(engine, "journal-engine"),
            Reader(people, "journal-people", patience=patience),
            lock,
            limits or Limits(),
        )

    @classmethod
    def temporary(
        cls, *, limits: Limits | None = None, at: Callable[[str], None] = lambda _: None
    ) -> Self:
        """Open a journal in a private folder of its own, which closing it removes."""
        folder = Path(tempfile.mkdtemp(prefix="odoorway-"))
        try:
            journal = cls.open(folder / "journal.db", limits=limits, at=at)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        journal._folder = folder  # noqa: SLF001 - one of its own kind
        return journal

    async def append(
        self, event: Event, planned: Sequence[Planned], flaw: Flaw | None = None
    ) -> Appended:
        """See ``Journal.append``."""
        arrival = write.Arrival(cap_event(event, self._limits), planned, cap_flaw(flaw))
        return cast("Appended", await self._writer.append(self._append, arrival))

    async def reject(self, rejection: Rejection) -> None:
        """See ``Journal.reject``."""
        capped = cap_rejection(rejection, self._limits)
        await self._writer.do(partial(write.reject, rejection=capped, limits=self._limits))

    async def lease(
        self,
        destination: str,
        owner: str,
        *,
        limit: int,
        now: float,
        until: float,
        max_bytes: int = MAX_BYTES,
        only_alone: bool = False,
    ) -> Sequence[Leased]:
        """See ``Journal.lease``."""
        return await self._writer.do(
            lambda db: write.lease(
                db, destination, owner, limit, max_bytes, now, until, only_alone=only_alone
            )
        )

    async def renew(self, owner: str, deliveries: Sequence[int], until: float) -> Sequence[int]:
        """See ``Journal.renew``."""
        return await self._writer.do(lambda db: write.renew(db, owner, deliveries, until))

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Sequence[int]:
        """See ``Journal.settle``."""
        capped = [cap_settlement(settlement, self._limits) for settlement in settlements]
        return await self._writer.do(lambda db: write.settle(db, owner, capped))

    async def release(self) -> int:
        """See ``Journal.release``."""
        return await self._writer.do(write.release)

    async def redate(self, destination: str, now: float) -> int:
        """See ``Journal.redate``."""
        return await self._writer.do(lambda db: write.redate(db, destination, now))

    async def replay(
        self, event_id: str, planned: Sequence[Planned], now: float, *, only_dead: bool = False
    ) -> Sequence[int]:
        """See ``Journal.replay``."""
        return await self._writer.do(
            lambda db: write.replay(db, event_id, planned, now, only_dead=only_dead)
        )

    async def give_up(self, event_id: str, now: float, reason: str) -> int:
        """See ``Journal.give_up``."""
        return await self._writer.do(lambda db: write.give_up(db, event_id, now, reason))

    async def wake(self, event_id: str, now: float) -> int:
        """See ``Journal.wake``."""
        return await self._writer.do(lambda db: write.wake(db, event_id, now))

    async def next_due(self, destination: str) -> float | None:
        """See ``Journal.next_due``."""
        return await self._engine.ask(lambda db: read.next_due(db, destination))

    async def events(self, *, limit: int = 50, before: str | None = None) -> Sequence[Event]:
        """See ``Journal.events``."""
        return await self._people.ask(lambda db: read.events(db, limit, before))

    async def event(self, event_id: str) -> Event | None:
        """See ``Journal.event``."""
        return await self._people.ask(lambda db: read.event(db, event_id))

    async def deliveries(
        self,
        *,
        event_id: str | None = None,
        state: State | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[Delivery]:
        """See ``Journal.deliveries``."""
        return await self._people.ask(
            lambda db: read.deliveries(db, event_id, state, limit, before)
        )

    async def delivery(self, delivery_id: int) -> Delivery | None:
        """See ``Journal.delivery``."""
        return await self._people.ask(lambda db: read.delivery(db, delivery_id))

    async def attempts(self, delivery_id: int) -> Sequence[Attempt]:
        """See ``Journal.attempts``."""
        return await self._people.ask(lambda db: read.attempts(db, delivery_id))

    async def rejections(self, *, limit: int = 50) -> Sequence[Rejection]:
        """See ``Journal.rejections``."""
        return await self._people.ask(lambda db: read.rejections(db, limit))

    async def stats(self) -> Stats:
        """See ``Journal.stats``."""
        return await self._people.ask(read.stats)

    async def standing(self, destination: str) -> Standing:
        """See ``Journal.standing``."""
        return await self._engine.ask(lambda db: read.standing(db, destination))

    async def note_breaker(self, standing: Standing) -> None:
        """See ``Journal.note_breaker``."""
        await self._writer.do(lambda db: write.note_breaker(db, standing))

    async def pause(self, destination: str, now: float, *, paused: bool) -> None:
        """See ``Journal.pause``."""
        await self._writer.do(lambda db: write.pause(db, destination, now, paused=paused))

    async def destinations(self) -> Sequence[str]:
        """See ``Journal.destinations``."""
        return await self._people.ask(read.destinations)

    async def bound(self, destination: str, xids: Sequence[str]) -> Mapping[str, int]:
        """See ``Journal.bound``."""
        return await self._engine.ask(lambda db: read.bound(db, destination, xids))

    async def bind(self, destination: str, bindings: Sequence[Binding]) -> None:
        """See ``Journal.bind``."""
        await self._writer.do(lambda db: write.bind(db, destination, bindings))

    async def unbind(self, destination: str, xids: Sequence[str]) -> None:
        """See ``Journal.unbind``."""
        await self._writer.do(lambda db: write.unbind(db, destination, xids))

    async def search(
        self, wanted: EventFilter, *, limit: int = 50, before: int | None = None
    ) -> EventPage:
        """See ``Journal.search``."""
        return await self._people.ask(
            lambda db: search(db, wanted, limit, before, self._people.spent)
        )

    async def history(self, wanted: EventFilter, *, after: int = 0, limit: int) -> HistoryPage:
        """See ``Journal.history``."""
        return await self._people.ask(lambda db: history(db, wanted, after, limit))

    async def dead_letters(
        self, chosen: Chosen, *, limit: int = 100, after: int = 0, last: int | None = None
    ) -> Sequence[DeadLetter]:
        """See ``Journal.dead_letters``."""
        return await self._people.ask(lambda db: read.dead_letters(db, chosen, limit, after, last))

    async def count_dead(self, chosen: Chosen) -> int:
        """See ``Journal.count_dead``."""
        return await self._people.ask(lambda db: read.count_dead(db, chosen))

    async def problems(self, *, long_ago: float = 0.0) -> Sequence[Problem]:
        """See ``Journal.problems``."""
        return await self._people.ask(lambda db: read.problems(db, long_ago))

    async def flows(self) -> Sequence[Flow]:
        """See ``Journal.flows``."""
        return await self._people.ask(read.flows)

    async def beats(self, since: float) -> Sequence[Beat]:
        """See ``Journal.beats``."""
        return await self._people.ask(lambda db: read.beats(db, int(since // 60)))

    async def rhythms(
        self, sources: Sequence[str], now: float, *, history: int
    ) -> Mapping[str, Rhythm]:
        """See ``Journal.rhythms``."""
        return await self._people.ask(lambda db: read.rhythms(db, sources, now, history))

    async def rejected_since(self, at: float) -> int:
        """See ``Journal.rejected_since``."""
        return await self._people.ask(lambda db: read.rejected_since(db, at))

    async def oldest(self) -> Mapping[tuple[str, str], float]:
        """See ``Journal.oldest``."""
        return await self._people.ask(read.oldest)

    async def note_latency(self, took: Sequence[Took], *, since: int) -> None:
        """See ``Journal.note_latency``."""
        await self._writer.do(lambda db: write.note_latency(db, took, since))

    async def latency(self, since: float, *, minutes: int) -> Sequence[Took]:
        """See ``Journal.latency``."""
        return await self._people.ask(lambda db: read.latency(db, int(since // 60), minutes))

    def group_size(self) -> float:
        """See ``Journal.group_size``."""
        return self._writer.group_size

    async def rejection(self, rejection_id: str) -> Rejection | None:
        """See ``Journal.rejection``."""
        return await self._people.ask(lambda db: read.rejection(db, rejection_id))

    async def forget(self, sweep: Sweep, *, limit: int) -> Forgotten:
        """See ``Journal.forget``."""
        return await self._writer.do(lambda db: forget.forget(db, sweep, limit))

    async def forget_lanes(self, until: float, *, limit: int) -> int:
        """See ``Journal.forget_lanes``."""
        return await self._writer.do(lambda db: forget.forget_lanes(db, until, limit))

    async def forget_rejections(self, until: float, *, limit: int) -> int:
        """See ``Journal.forget_rejections``."""
        return await self._writer.do(lambda db: forget.forget_rejections(db, until, limit))

    async def forget_beats(self, until: float, *, limit: int) -> int:
        """See ``Journal.forget_beats``."""
        return await self._writer.do(lambda db: forget.forget_beats(db, until, limit))

    async def touch(self) -> None:
        """See ``Journal.touch``."""
        await self._writer.do(write.touch)

    async def forget_keys(self, until: float, *, limit: int) -> int:
        """See ``Journal.forget_keys``."""
        return await self._writer.do(lambda db: seen.forget(db, until, limit))

    async def size(self) -> int:
        """See ``Journal.size``. The file itself is larger by the pages that are free again."""
        return await self._engine.ask(read.size)

    async def query(self, work: Callable[[apsw.Connection], T]) -> T:
        """Read with *work*; for parts of the journal that have a module of their own."""
        return await self._people.ask(work)

    async def change(self, work: Callable[[apsw.Connection], T]) -> T:
        """Write with *work* in one transaction; see ``query``."""
        return await self._writer.do(work)

    async def pragmas(self) -> Mapping[str, str | int]:
        """Return SQLite's settings as they are in force on the connection that writes."""
        return await self._writer.do(pragmas)

    async def close(self) -> None:
        """See ``Journal.close``. Closing again does nothing."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Close it from outside the event loop; blocks."""
        if self._closed:
            return
        self._closed = True
        self._people.close()
        self._engine.close()
        self._writer.close()  # last: the last connection folds the WAL into the file
        if self._lock:
            self._lock.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _claim(path: Path, *, serve: bool) -> FileLock | None:
    """Become the one that serves the file, or see that there is one to work beside."""
    if serve:
        lock = FileLock.take(path)
        create_private(path)
        return lock
    if not path.exists():
        raise JournalUnavailable(f"there is no journal at {path}: start `odoorway run` first")
    return None
