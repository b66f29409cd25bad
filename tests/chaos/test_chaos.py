"""Whatever happens: what was answered 202 arrives once, in order, or says why it does not."""

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acceptance.gateway_process import eventually
from hostility import HostileOdoo, HostileReceiver

from .disk import Disk, small_disk
from .faults import HOUR, Chaos, rows, table
from .gateway import ChaosGateway
from .judge import Ended, Settled, judged
from .platform import Platforms

SECONDS = float(os.environ.get("CHAOS_SECONDS", "50"))
SEED = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
LONG = 600  # from there on the lease is that of production
SETTLE = 240.0  # seconds at most until all that waits is settled
# What handlers and Odoo did to deliveries is read from the journal.
BY_CODE = ("handler.timeout", "handler.died", "handler.failed", "odoo.timeout")


@contextmanager
def gateway_on(folder: Path, *args: Any) -> Iterator[ChaosGateway]:
    made = ChaosGateway(folder, *args)
    try:
        yield made
    finally:
        if made.process and made.process.poll() is None:
            made.process.kill()
            made.process.wait()


@pytest.mark.chaos
async def test_chaos(tmp_path: Path, chaos_report: Callable[[str], None]) -> None:
    """Everything at once, by a seed; at the end each promise is looked at."""
    chaos_report(f"chaos: {SECONDS:g} s with CHAOS_SEED={SEED}")
    with small_disk(tmp_path / "disk", 96 + int(SECONDS * 0.6)) as disk:
        if disk is None:
            chaos_report("LEFT OUT: the disk is not filled, since no tmpfs can be mounted here")
        ended, chaos = await _run(tmp_path, disk)
    left = chaos.gateway.left()
    told = Counter(one.state for one in ended.deliveries)
    codes = Counter(one.code for one in ended.deliveries if one.state in {"dead", "skipped"})
    chaos_report(table(chaos.did))
    chaos_report(f"{len(ended.acknowledged)} events acknowledged; {dict(told)}; {dict(codes)}")
    chaos_report(f"answers {dict(chaos.platforms.answers)}; {_held(chaos)}")
    wrong = judged(ended, [*chaos.wanted, *BY_CODE])
    wrong += [f"a process was left behind: {one}" for one in left]
    assert not wrong, f"CHAOS_SEED={SEED}\n" + "\n".join(wrong[:40])


def _held(chaos: Chaos) -> str:
    rss = [one.rss / 1e6 for one in chaos.samples]
    fds = [one.descriptors for one in chaos.samples]
    if not rss:
        return "no samples"
    return f"{min(rss):.0f} to {max(rss):.0f} MB, {min(fds)} to {max(fds)} descriptors"


async def _run(folder: Path, disk: Disk | None) -> tuple[Ended, Chaos]:
    draw = random.Random(SEED)
    async with HostileOdoo() as odoo, HostileReceiver() as receiver:
        target = (odoo.url, odoo.database, odoo.api_key)
        lease = 60.0 if SECONDS >= LONG else 6.0
        with gateway_on(folder, target, receiver.url, lease) as gateway:
            if disk:
                gateway.journal = disk.path / "journal.db"
                gateway.env["ODOORWAY_JOURNAL"] = str(gateway.journal)
            gateway.start()
            await gateway.ready()
            platforms = Platforms(gateway.url, draw)
            chaos = Chaos(gateway, odoo, receiver, platforms, disk, draw)
            await _through(chaos)
            await _all_settled(gateway.journal)
            assert gateway.stop() == 0
            return _ended(chaos), chaos


async def _through(chaos: Chaos) -> None:
    """Send and play, until the last webhook was taken."""
    async with asyncio.TaskGroup() as group:
        group.create_task(chaos.platforms.send())
        playing = group.create_task(chaos.play(SECONDS))
        await asyncio.wait([playing], timeout=SECONDS * 0.6)
        chaos.platforms.stop_the_guilty()
        await playing
        chaos.platforms.stop()


async def _all_settled(journal: Path) -> None:
    """Wait until nothing waits and nothing is under way."""
    began = time.monotonic()
    try:
        await eventually(lambda: _nothing_waits(journal), SETTLE)
    except TimeoutError:
        waiting = rows(journal, "SELECT * FROM delivery WHERE state IN ('pending', 'leased')")
        pytest.fail(
            f"CHAOS_SEED={SEED}: after {time.monotonic() - began:.0f} s wait {waiting[:20]}"
        )


async def _nothing_waits(journal: Path) -> bool:
    await asyncio.sleep(0.5)
    return not rows(journal, "SELECT 1 FROM delivery WHERE state IN ('pending', 'leased') LIMIT 1")


_DELIVERIES = """
SELECT event.idempotency_key, event.id, state, coalesce(code, ''), detail, attempts
FROM event LEFT JOIN delivery ON delivery.event = event.seq
"""
_CODES = "SELECT code, count(*) FROM attempt WHERE code IS NOT NULL GROUP BY 1"
_DATED = "SELECT received_at FROM event"


def _ended(chaos: Chaos) -> Ended:
    journal = chaos.gateway.journal
    faults = Counter({one.kind: 0 for one in chaos.did})
    for one in chaos.did:
        faults[one.kind] += one.effects
    faults.update(dict(rows(journal, _CODES)))
    now = time.time()
    dated = [at - now for (at,) in rows(journal, _DATED)]
    if not any(at > HOUR / 2 for at in dated):
        faults["clock an hour ahead, and back"] = 0
    if not any(at < -HOUR for at in dated):
        faults["clock an hour behind, and back"] = 0
    return Ended(
        acknowledged=chaos.platforms.acknowledged,
        deliveries=[
            Settled(ident=i, event=e, state=s, code=c, detail=d, attempts=n)
            for i, e, s, c, d, n in rows(journal, _DELIVERIES)
        ],
        records=[row["client_order_ref"] for row in chaos.odoo.records("sale.order")],
        writes=[
            cell
            for model, loaded in chaos.odoo.written
            if model == "sale.order"
            for row in loaded
            for cell in row
            if isinstance(cell, str) and cell.count("|") == 2
        ],
        forwards=[(ident, body["id"], body["rev"]) for ident, body in chaos.receiver.took],
        samples=chaos.samples,
        faults=faults,
    )
