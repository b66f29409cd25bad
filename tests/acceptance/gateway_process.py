"""A real gateway in a real process, which tests send to, kill and start again.

Run as a program it serves hooks.py like ``odoorway run`` and kills itself with SIGKILL when it
has passed a named point a given number of times.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from odoorway.gateway import Gateway
from odoorway.model.source import SourceDefinition
from odoorway.sources import shopify, sign

from .orders import Order

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "examples" / "shopify" / "hooks.py"
SECRET = "a-secret-of-the-tests"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class GatewayProcess:
    """``hooks.py`` served by its own process on its own journal file."""

    def __init__(self, folder: Path, odoo_url: str, database: str, key: str, **settings: object):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.journal = folder / "journal.db"
        self.log = folder / "gateway.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ODOORWAY_")},
            "ODOORWAY_ODOO_URL": odoo_url,
            "ODOORWAY_ODOO_DATABASE": database,
            "ODOORWAY_ODOO_API_KEY": key,
            "ODOORWAY_JOURNAL": str(self.journal),
            "ODOORWAY_PORT": str(self.port),
            "ODOORWAY_CONSOLE_PORT": "0",
            "ODOORWAY_RETRY_BASE": "0.2",
            "ODOORWAY_LOG_FORMAT": "json",
            "SHOPIFY_SECRET": SECRET,
            **{f"ODOORWAY_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def start(self, *, die_at: str = "", passes: int = 1) -> None:
        """Start the process; it kills itself at the named point, when one is given."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "acceptance.gateway_process", die_at, str(passes)],
                cwd=self.folder,
                env={**self.env, "PYTHONPATH": str(ROOT / "tests")},
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool:
                try:
                    async with session.get(f"{self.url}/readyz") as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    assert self.process, "start it first"
                    assert self.process.poll() is None, self.log.read_text()[-3000:]
                    return False

            await eventually(answers)

    async def died(self) -> None:
        """Wait until the process has killed itself."""
        assert self.process
        await asyncio.wait_for(asyncio.to_thread(self.process.wait), 60)
        assert self.process.returncode == -signal.SIGKILL, self.log.read_text()[-3000:]

    def stop(self) -> int:
        """End it as an operator would; return its exit code."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.terminate()
        return self.process.wait(40)


async def send(url: str, orders: list[Order], *, together: int = 16) -> set[int]:
    """Send *orders*, some at a time; return the numbers of those answered 202."""
    acknowledged: set[int] = set()
    gate = asyncio.Semaphore(together)
    async with aiohttp.ClientSession() as session:

        async def one(order: Order) -> None:
            async with gate:
                if await post(session, url, order) == 202:
                    acknowledged.add(order.number)

        await asyncio.gather(*(one(order) for order in orders))
    return acknowledged


async def post(session: aiohttp.ClientSession, url: str, order: Order, secret: str = SECRET) -> int:
    """Send one order; return the status, or 0 when no answer came."""
    definition: SourceDefinition = shopify.source(secret=secret)
    body = order.body()
    headers = sign(
        definition,
        secret,
        body,
        topic="orders/create",
        event_id=f"order-{order.number}" + (f"-{order.revision}" if order.revision else ""),
        now=time.time(),
    )
    try:
        async with session.post(f"{url}/in/shop", data=body, headers=dict(headers)) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    """Return as soon as the (async) *check* is true; another process decides when that is."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - no event reaches us from another process
            await asyncio.sleep(0.02)


def _killer(point: str, passes: int) -> Callable[[str], None]:
    left = [passes]

    def at(passed: str) -> None:
        if passed == point:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    return at


async def _serve(point: str, passes: int) -> None:
    import importlib.util

    from odoorway import settings, wiring

    spec = importlib.util.spec_from_file_location("hooks", HOOKS)
    assert spec
    assert spec.loader
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    gateway: Gateway = hooks.gateway
    read = settings.read(os.environ)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with wiring.running(gateway, read, os.environ, at=_killer(point, passes)):
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
