"""Acknowledged webhooks a second: the gateway, the same server with no storage, an Odoo controller.

Rounds are interleaved and the medians are given as ratios. The gateway verifies a Shopify
signature, appends durably (SQLite, synchronous=FULL) with one delivery, and answers 202. The same
server with no storage differs only in its journal. A bare uvicorn with the HMAC alone shows the
limit of this machine, whose cores the load generator shares. The Odoo controller verifies nothing
and inserts one row. Nothing is delivered meanwhile: that is what deliver.py measures.
"""

import argparse
import asyncio
import base64
import hmac
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvloop
from load import Load, post_each, run

from odoorway import Gateway, Upsert
from odoorway.clock import SystemClock
from odoorway.journal.port import Appended
from odoorway.journal.sqlite import SqliteJournal
from odoorway.model.delivery import Planned
from odoorway.model.event import Event, Flaw
from odoorway.receive.app import ReceiveApp, ReceiveLimits
from odoorway.receive.server import build_server
from odoorway.receive.signature import Verifier
from odoorway.sources import shopify, sign

ROOT = Path(__file__).resolve().parents[1]
SECRET = "benchmark"
BODIES = 500
PORTS = {"sqlite": 18181, "none": 18182, "bare": 18183}


class NoJournal(SqliteJournal):
    """Stores nothing and says it did: what the server costs by itself."""

    async def append(
        self,
        event: Event,
        planned: Sequence[Planned],  # noqa: ARG002
        flaw: Flaw | None = None,  # noqa: ARG002
    ) -> Appended:
        """Return at once."""
        return Appended(event.id, duplicate=False)


def bodies() -> list[bytes]:
    """Return bodies of about 2.5 KB, each about another order."""
    filler = [{"id": n, "sku": f"SKU-{n}", "quantity": 1, "price": "9.95"} for n in range(40)]
    return [
        json.dumps(
            {"id": n, "name": f"#{n}", "updated_at": "2026-11-25T10:00:00Z", "line_items": filler}
        ).encode()
        for n in range(BODIES)
    ]


def gateway_requests() -> Callable[[], bytes]:
    """Return what makes the next signed request, each with an event id of its own."""
    definition = shopify.source(secret=SECRET)
    ready = []
    for body in bodies():
        headers = dict(
            sign(definition, SECRET, body, topic="orders/create", event_id="@@", now=time.time())
        )
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        text = f"POST /in/shop HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{head}\r\n"
        before, after = text.encode().split(b"@@")
        ready.append((before, after + body))
    numbers = itertools.count(time.time_ns())
    turn = itertools.cycle(ready)

    def make() -> bytes:
        before, after = next(turn)
        return before + b"%d" % next(numbers) + after

    return make


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Verify and answer, and nothing else: what uvicorn and one HMAC cost."""
    body = (await receive())["body"]
    wanted = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256"))
    given = dict(scope["headers"])[b"x-shopify-hmac-sha256"]
    status = 202 if hmac.compare_digest(wanted, given) else 401
    length = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": length})
    await send({"type": "http.response.body", "body": b""})


async def serve(kind: str, folder: Path, port: int) -> None:
    """Serve the receive path, as the gateway does, on that kind of journal."""
    gateway = Gateway()
    definition = shopify.source(secret=SECRET)

    @gateway.source("shop", definition).on("orders/create")
    def order(order: dict[str, Any]) -> Upsert:
        return Upsert("sale.order", ("order", order["id"]), {})

    sys.setswitchinterval(0.0005)  # as `odoorway run` does
    stores = kind == "sqlite"
    journal = SqliteJournal.open(folder / "journal.db") if stores else NoJournal.temporary()
    limits = ReceiveLimits()
    app = ReceiveApp(
        gateway, {"shop": Verifier(definition, (SECRET,))}, journal, SystemClock(), limits
    )
    served: Any = bare if kind == "bare" else app
    await build_server(served, "127.0.0.1", port, limits=limits, grace=5).serve()


async def ready(port: int) -> None:
    """Wait until a server listens."""
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise RuntimeError(f"nothing listens on port {port}")


async def measure(rounds: int, seconds: float, odoo_port: int | None) -> dict[str, list[Load]]:
    """Return each kind's rounds, interleaved."""
    found: dict[str, list[Load]] = {kind: [] for kind in (*PORTS, "odoo")}
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        servers = {
            kind: subprocess.Popen([sys.executable, __file__, "--serve", kind, folder, str(port)])
            for kind, port in PORTS.items()
        }
        try:
            await asyncio.gather(*map(ready, PORTS.values()))
            ours = gateway_requests()
            for _ in range(rounds):
                for kind, port in PORTS.items():
                    found[kind].append(
                        await run(port, ours, seconds=seconds, connections=64, wanted=b" 202")
                    )
                if odoo_port:
                    url = f"http://127.0.0.1:{odoo_port}/api/webhook/insert"
                    found["odoo"].append(
                        await post_each(url, bodies()[0], seconds=seconds, connections=4)
                    )
        finally:
            for server in servers.values():
                server.terminate()
                server.wait()
    return found


def report(found: dict[str, list[Load]]) -> None:
    """Print medians and ratios."""
    middle = {kind: statistics.median(r.rate for r in runs) for kind, runs in found.items() if runs}
    names = {
        "sqlite": "gateway, SQLite",
        "none": "same, no storage",
        "bare": "uvicorn and HMAC",
        "odoo": "Odoo controller",
    }
    print(f"{'':18}{'acks/s':>10}{'p50 ms':>10}{'p99 ms':>10}")
    for kind, rate in middle.items():
        p50, p99 = (statistics.median(getattr(r, p) for r in found[kind]) for p in ("p50", "p99"))
        print(f"{names[kind]:18}{rate:10,.0f}{p50:10.1f}{p99:10.1f}")
    pairs = zip(found["sqlite"], found["none"], strict=True)
    each = [a.rate / b.rate for a, b in pairs]
    print(f"\ngateway / no storage: {statistics.median(each):.2f}  (aim 0.45)")
    if "odoo" in middle:
        each = [a.rate / b.rate for a, b in zip(found["bare"], found["odoo"], strict=True)]
        print(f"uvicorn and HMAC / Odoo controller: {statistics.median(each):,.0f}")
        each = [a.rate / b.rate for a, b in zip(found["sqlite"], found["odoo"], strict=True)]
        print(f"gateway / Odoo controller: {statistics.median(each):,.0f}  (aim 100)")


def main() -> None:
    """Run it: `benchmarks/ingest.py [--rounds 5] [--seconds 3] [--no-odoo]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--no-odoo", action="store_true")
    parser.add_argument("--serve", nargs=3, metavar=("KIND", "FOLDER", "PORT"))
    given = parser.parse_args()
    if given.serve:
        kind, folder, port = given.serve
        return uvloop.run(serve(kind, Path(folder), int(port)))
    if given.no_odoo:
        return report(uvloop.run(measure(given.rounds, given.seconds, None)))
    sys.path.insert(0, str(ROOT / "scripts"))
    from real_odoo import RealOdoo  # noqa: PLC0415 - only where there is one

    addons = [ROOT / "scripts" / "real_odoo" / "addons"]
    with RealOdoo.start("odoorway_bench_in", addons=addons, install=["order_hook"]) as odoo:
        return report(uvloop.run(measure(given.rounds, given.seconds, odoo.port)))


if __name__ == "__main__":
    main()
