"""How often SQLite should fold its WAL into the journal: the price in latency, and in disk.

Rounds are interleaved. Each appends events of 2.5 KB, 64 at a time, to a journal file of its
own, and prints appends a second, the 50th and 99th percentile of one append, the longest, and
how large the WAL grew. "in the background" means that the writer never folds: a thread with a
connection of its own does, twice a second, without making anybody wait (PASSIVE).
"""

import argparse
import asyncio
import hashlib
import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import uvloop

from odoorway.journal.connect import CHECKPOINT_PAGES
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Planned
from odoorway.model.event import Event, new_id

ROOT = Path(__file__).resolve().parents[1]
NEVER = 0
PAGES = (250, 1_000, 4_000, 16_000, NEVER)
TOGETHER = 64
PLANNED = (Planned(route="order", destination="odoo"),)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to; times in ms, size in MiB."""

    rate: float
    p50: float
    p99: float
    longest: float
    wal: float


def event(number: int) -> Event:
    """Return an event of about 2.5 KB, about one of 5,000 orders."""
    now = time.time()
    body = (b"%d" % number).ljust(2_500, b".")
    return Event(
        id=new_id("evt", now),
        source="shop",
        topic="orders/create",
        idempotency_key=str(number),
        ordering_key=f"orders/{number % 5_000}",
        version=None,
        received_at=now,
        headers=(("content-type", "application/json"),),
        body=body,
        body_hash=hashlib.sha256(body).hexdigest(),
    )


@contextmanager
def background(path: Path) -> Iterator[None]:
    """Checkpoint beside the writer until the block ends."""
    done = threading.Event()

    def serve() -> None:
        connection = apsw.Connection(str(path))
        while not done.wait(0.5):
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def nothing(_path: Path) -> Iterator[None]:
    """Leave checkpointing to the writer."""
    yield


async def one(pages: int, seconds: float) -> Round:
    """Append for that long and return what it came to."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        path = Path(folder) / "journal.db"
        journal = SqliteJournal.open(path, checkpoint_pages=pages)
        times: list[float] = []
        largest = 0
        numbers = itertools.count()
        end = time.perf_counter() + seconds

        async def sender() -> None:
            nonlocal largest
            while (began := time.perf_counter()) < end:
                number = next(numbers)
                await journal.append(event(number), PLANNED)
                times.append(time.perf_counter() - began)
                if number % 500 == 0:
                    largest = max(largest, Path(f"{path}-wal").stat().st_size)

        with background(path) if pages == NEVER else nothing(path):
            await asyncio.gather(*(sender() for _ in range(TOGETHER)))
        await journal.close()
    times.sort()
    middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    return Round(len(times) / seconds, 1e3 * middle, 1e3 * late, 1e3 * times[-1], largest / 2**20)


async def measure(rounds: int, seconds: float) -> None:
    """Run the rounds and print the medians."""
    found: dict[int, list[Round]] = {pages: [] for pages in PAGES}
    for _ in range(rounds):
        for pages, so_far in found.items():
            so_far.append(await one(pages, seconds))
    base = statistics.median(r.p99 for r in found[CHECKPOINT_PAGES])
    print(
        f"{'pages of 8 KiB':18}{'acks/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'ratio':>7}"
        f"{'longest ms':>12}{'WAL MiB':>9}"
    )
    for pages, all_of_it in found.items():
        rate, p50, p99, longest, wal = (
            statistics.median(getattr(r, name) for r in all_of_it)
            for name in ("rate", "p50", "p99", "longest", "wal")
        )
        name = "in the background" if pages == NEVER else f"{pages:,}"
        mark = "  chosen" if pages == CHECKPOINT_PAGES else ""
        print(
            f"{name:18}{rate:8,.0f}{p50:8.1f}{p99:8.1f}{p99 / base:7.2f}{longest:12.0f}"
            f"{wal:9.0f}{mark}"
        )


def main() -> None:
    """Run it: `benchmarks/checkpoint.py [--rounds 3] [--seconds 8]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    given = parser.parse_args()
    uvloop.run(measure(given.rounds, given.seconds))


if __name__ == "__main__":
    main()
