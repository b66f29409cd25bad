"""Memory while very many deliveries wait: appended to a journal whose destination is down.

Prints the resident size as the backlog grows, and what leasing a batch costs at its end.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import structlog
import uvloop

from odoorway.clock import SystemClock
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Planned
from odoorway.model.event import Event, new_id

ROOT = Path(__file__).resolve().parents[1]
PLAN = [Planned(route="r", destination="odoo")]
BODY = b'{"id": 1, "line_items": [' + b'{"sku": "A", "quantity": 1},' * 40 + b"{}]}"
_TOGETHER = 500


def event(number: int, now: float) -> Event:
    """Return an event of about a kilobyte; ten share an ordering key."""
    return Event(
        id=new_id("evt", now),
        source="shop",
        topic="orders/create",
        idempotency_key=str(number),
        ordering_key=str(number // 10),
        version=None,
        received_at=now,
        headers=(),
        body=BODY,
        body_hash=str(number),
    )


def resident() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(count: int, folder: Path) -> None:
    """Append *count* events, and lease from behind them."""
    journal = SqliteJournal.open(folder / "journal.db")
    clock = SystemClock()
    began = time.perf_counter()
    for start in range(0, count, _TOGETHER):
        now = clock.now()
        await asyncio.gather(
            *(journal.append(event(n, now), PLAN) for n in range(start, start + _TOGETHER))
        )
        done = start + _TOGETHER
        if done % (count // 10) == 0:
            rate = done / (time.perf_counter() - began)
            print(f"{done:>9,} waiting  {resident():6.1f} MiB resident  {rate:7,.0f} appends/s")
    for _ in range(3):
        began = time.perf_counter()
        now = clock.now()
        leased = await journal.lease("odoo", "benchmark", limit=200, now=now, until=now + 60)
        spent = (time.perf_counter() - began) * 1000
        print(f"lease of {len(leased)}: {spent:.1f} ms, {resident():.1f} MiB resident")
    await journal.close()


def main() -> None:
    """Run it: `benchmarks/waiting.py [--count 1000000]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        uvloop.run(measure(given.count, Path(folder)))


if __name__ == "__main__":
    main()
