"""The console over a million events: how long its pages take, and what they cost the receiver.

Pages are asked of the application itself, over a journal in a file. The receiver's part is
appends a second with and without somebody who looks at the overview, which asks anew every two
seconds, interleaved.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import structlog
import uvloop

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "unit")]

from console_desk import PLAN, Bench, event  # noqa: E402

from odoorway.clock import SystemClock  # noqa: E402
from odoorway.console.jobs import RATES, BulkReplays  # noqa: E402
from odoorway.journal.found import Chosen, Took  # noqa: E402
from odoorway.journal.sqlite import SqliteJournal  # noqa: E402
from odoorway.model.delivery import Outcome, Settlement  # noqa: E402

PAGES = {
    "overview": "/?range=24h",
    "overview, seven days": "/?range=7d",
    "events, first page": "/events",
    "events of one source": "/events?source=shop",
    "events about one order": "/events?ordering_key=order/500000",
    "dead letters": "/events?state=dead",
    "text in the payload": "/events?text=nowhere-to-be-found",
    "problems": "/problems",
}
TIMES = 60
DEAD = 10_000


async def filled(journal: SqliteJournal, count: int) -> None:
    """Store *count* events of half a kilobyte; one in a thousand becomes a dead letter."""
    like = replace(event(1), body=b'{"id": 1, "note": "' + b"x" * 500 + b'"}')
    for start in range(0, count, 2000):
        batch = [_one(like, number) for number in range(start, min(count, start + 2000))]
        await asyncio.gather(*(journal.append(one, [PLAN]) for one in batch))
        leased = await journal.lease("odoo", "me", limit=2000, now=2e9, until=3e9)
        await journal.settle("me", [_settled(one.delivery.id) for one in leased])


def _one(like, number):
    return replace(
        like, id=f"evt_{number:028}", idempotency_key=str(number), body_hash=str(number),
        ordering_key=f"order/{number}", received_at=1.7e9 + number / 10,
    )  # fmt: skip


def _settled(delivery: int) -> Settlement:
    outcome = Outcome.DEAD if delivery % 1000 == 0 else Outcome.DELIVERED
    code = "odoo.no-match" if outcome is Outcome.DEAD else None
    return Settlement(delivery=delivery, outcome=outcome, at=1.75e9, seconds=0.1, code=code)


def _week(now: float) -> Iterator[Took]:
    """Yield a week of latencies: every minute two sources, each with two destinations."""
    for minute in range(int(now // 60) - 7 * 24 * 60, int(now // 60)):
        for source in ("shop", "crm"):
            for destination in ("", "odoo", "erp"):
                for bound in (0.005, 0.01, 0.05, 0.5):
                    yield Took(minute, source, destination, bound, 3)


async def pages(client: httpx.AsyncClient, paths: Mapping[str, str]) -> None:
    """Print how long each page takes."""
    for name, path in paths.items():
        took = []
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = await client.get(path)
            took.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, answer.text
        middle, worst = statistics.median(took), sorted(took)[int(TIMES * 0.95)]
        print(f"{name:26} median {middle:6.1f} ms   p95 {worst:6.1f} ms")


async def replayed(journal: SqliteJournal, client: httpx.AsyncClient, first: int) -> None:
    """Print what ten thousand dead letters cost: the page of problems, and their replay."""
    for start in range(first, first + DEAD, 2000):
        batch = [_one(event(1), number) for number in range(start, start + 2000)]
        await asyncio.gather(*(journal.append(one, [PLAN]) for one in batch))
        leased = await journal.lease("odoo", "me", limit=2000, now=2e9, until=3e9)
        died = [replace(_settled(one.delivery.id), outcome=Outcome.DEAD) for one in leased]
        await journal.settle("me", [replace(one, code="odoo.timeout") for one in died])
    await pages(client, {"problems, 10,000 dead letters": "/problems", "overview": "/"})
    jobs = BulkReplays(journal, SystemClock())
    began = time.perf_counter()
    job = await jobs.start(Chosen(code="odoo.timeout"), "benchmark", RATES[1])
    await jobs.idle()
    took = time.perf_counter() - began
    print(f"{job.done:,} of {job.total:,} dead letters replayed, {job.done / took:,.0f} a second")


async def cost(journal: SqliteJournal, client: httpx.AsyncClient, first: int) -> None:
    """Print what an open console costs the receiver."""
    ratios = []
    for turn in range(8):
        rates = {}
        for looking in (False, True) if turn % 2 else (True, False):
            looker = asyncio.create_task(_look(client)) if looking else None
            began = time.perf_counter()
            for _ in range(40):
                batch = [_one(event(1), first + n) for n in range(1000)]
                first += 1000
                await asyncio.gather(*(journal.append(one, [PLAN]) for one in batch))
            rates[looking] = 40_000 / (time.perf_counter() - began)
            if looker:
                looker.cancel()
        ratios.append(rates[True] / rates[False])
    print(f"appends with the overview open, of those without: {statistics.median(ratios):.3f}")


async def _look(client: httpx.AsyncClient) -> None:
    while True:
        await client.get("/")
        await asyncio.sleep(2.0)


async def main_(count: int) -> None:
    """Fill a journal, ask for pages, and measure what they cost."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        journal = SqliteJournal.open(Path(folder) / "journal.db")
        began = time.perf_counter()
        await filled(journal, count)
        await journal.note_latency(list(_week(time.time())), since=0)
        print(f"{count:,} events stored and settled in {time.perf_counter() - began:.0f} s")
        async with Bench(journal=journal).client() as client:
            await pages(client, PAGES)
            await replayed(journal, client, count)
            await cost(journal, client, count + DEAD)
        await journal.close()


def main() -> None:
    """Run it: `benchmarks/console.py [--events 1000000]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    uvloop.run(main_(parser.parse_args().events))


if __name__ == "__main__":
    main()
