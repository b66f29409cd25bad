"""Do handlers slow acknowledgements? A handler that computes for 5 ms an event, run in four ways.

Requests are sent at a fixed pace and timed from the moment they were meant to go out. Each way is
compared with a handler that costs nothing, in the same interleaved round.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from ingest import SECRET, bodies, ready

from odoorway import Event, Gateway, Upsert
from odoorway.clock import SystemClock
from odoorway.commands import Find
from odoorway.deliver.port import Job, Verdict
from odoorway.dispatch.crossing import unpack
from odoorway.dispatch.dispatcher import Dispatcher
from odoorway.dispatch.handler_process import Task, answered
from odoorway.dispatch.handlers import HandlerProcesses, Handlers, HandlersHere
from odoorway.gateway import Route
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Outcome
from odoorway.receive.app import ReceiveApp, ReceiveLimits
from odoorway.receive.server import build_server
from odoorway.receive.signature import Verifier
from odoorway.sources import shopify, sign
from odoorway.transform.run import Transformed

ROOT = Path(__file__).resolve().parents[1]
WAYS = {"nothing": 18191, "processes": 18192, "threads": 18193, "loop": 18194}
BUSY = 0.005  # seconds of one run


class Swallow:
    """A destination that takes everything at once."""

    async def deliver(self, jobs: Sequence[Job]) -> Sequence[Verdict]:
        """Say that all is written."""
        return [Verdict(outcome=Outcome.DELIVERED)] * len(jobs)

    async def look_up(self, questions: Sequence[Sequence[Find]]) -> Sequence[Verdict]:
        """Nothing is asked here."""
        return [Verdict(outcome=Outcome.DELIVERED)] * len(questions)

    async def probe(self) -> Verdict:
        """Say that it works."""
        return Verdict(outcome=Outcome.DELIVERED)

    async def close(self) -> None:
        """Hold nothing."""


class HandlersInThreads:
    """What was not chosen: two threads of the gateway's own process."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        """Run the handlers of *routes*."""
        self._routes, self._pool = routes, ThreadPoolExecutor(2)

    async def run(self, tasks: Sequence[Task]) -> Sequence[Transformed]:
        """See ``Handlers.run``."""
        loop = asyncio.get_running_loop()
        work = partial(answered, self._routes)
        return [
            unpack(one)
            for one in await asyncio.gather(
                *(loop.run_in_executor(self._pool, work, task) for task in tasks)
            )
        ]

    async def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


RUNNERS: Mapping[str, Callable[[Mapping[str, Route]], Handlers]] = {
    "nothing": HandlerProcesses,
    "processes": HandlerProcesses,
    "threads": HandlersInThreads,
    "loop": HandlersHere,
}


async def serve(way: str, folder: Path, port: int) -> None:
    """Serve receiver and dispatcher as a gateway does, with handlers run that way."""
    busy = 0.0 if way == "nothing" else BUSY
    gateway = Gateway()
    definition = shopify.source(secret=SECRET)

    @gateway.source("shop", definition).on("orders/create")
    def order(order: dict[str, Any], event: Event) -> Upsert:
        until = time.thread_time() + busy
        while time.thread_time() < until:
            pass
        return Upsert("sale.order", ("order", event.id), {"name": order["name"]})

    sys.setswitchinterval(0.0005)  # as `odoorway run` does
    handlers = RUNNERS[way](gateway.routes)
    journal = SqliteJournal.open(folder / f"{way}.db")
    dispatcher = Dispatcher(
        "odoo", Swallow(), gateway.routes, journal, SystemClock(), owner="me", handlers=handlers
    )
    limits = ReceiveLimits()
    app = ReceiveApp(
        gateway, {"shop": Verifier(definition, (SECRET,))}, journal, SystemClock(), limits,
        on_append=dispatcher.wake,
    )  # fmt: skip
    dispatching = asyncio.create_task(dispatcher.run())
    await build_server(app, "127.0.0.1", port, limits=limits, grace=5).serve()
    dispatcher.stop()
    await dispatching
    await handlers.close()
    await journal.close()


async def paced(port: int, rate: float, count: int) -> list[float]:
    """Send *count* webhooks, *rate* a second; return how late each was acknowledged, in ms."""
    definition, body = shopify.source(secret=SECRET), bodies()[0]
    loop = asyncio.get_running_loop()
    began, late = loop.time(), []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(number: int) -> None:
            meant = began + number / rate
            await asyncio.sleep(meant - loop.time())
            headers = sign(
                definition, SECRET, body, topic="orders/create",
                event_id=f"{port}-{began}-{number}", now=time.time(),
            )  # fmt: skip
            url = f"http://127.0.0.1:{port}/in/shop"
            async with session.post(url, data=body, headers=dict(headers)) as answer:
                if answer.status != 202:
                    raise RuntimeError(await answer.text())
            late.append(1000 * (loop.time() - meant))

        await asyncio.gather(*(one(number) for number in range(count)))
    return sorted(late)


async def measure(rounds: int, rate: float, count: int) -> dict[str, list[list[float]]]:
    """Return the times of each way, round by round, interleaved."""
    found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        servers = [
            subprocess.Popen(
                [sys.executable, __file__, "--serve", way, folder, str(port)],
                stdout=subprocess.DEVNULL,
            )
            for way, port in WAYS.items()
        ]
        try:
            await asyncio.gather(*map(ready, WAYS.values()))
            for _ in range(rounds):
                for way, port in WAYS.items():
                    found[way].append(await paced(port, rate, count))
                    await asyncio.sleep(2)  # what is left of its handlers' work
        finally:
            for server in servers:
                server.terminate()
                server.wait()
    return found


def report(found: Mapping[str, list[list[float]]]) -> None:
    """Print medians, and each way beside a handler that costs nothing."""
    print(f"{'handlers in':14}{'p50 ms':>10}{'p99 ms':>10}{'p99 / nothing':>16}")
    for way, runs in found.items():
        p50 = statistics.median(one[len(one) // 2] for one in runs)
        p99s = [one[int(len(one) * 0.99)] for one in runs]
        base = [one[int(len(one) * 0.99)] for one in found["nothing"]]
        ratio = statistics.median(a / b for a, b in zip(p99s, base, strict=True))
        print(f"{way:14}{p50:10.1f}{statistics.median(p99s):10.1f}{ratio:16.2f}")


def main() -> None:
    """Run it: `benchmarks/handlers.py [--rounds 5] [--rate 100] [--count 1000]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--serve", nargs=3, metavar=("WAY", "FOLDER", "PORT"))
    given = parser.parse_args()
    if given.serve:
        way, folder, port = given.serve
        return uvloop.run(serve(way, Path(folder), int(port)))
    return report(uvloop.run(measure(given.rounds, given.rate, given.count)))


if __name__ == "__main__":
    main()
