"""Platforms that send signed webhooks all the time, and again until they are answered 202."""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass

import aiohttp

from hostility import mark
from odoorway.sources import hmac, sign

from .gateway import SECRET

ORDERS, THINGS = 48, 10  # keys
HANDLERS = ("raise", "loop", "exit", "os-exit", "kill", "segfault", "allocate", "hang", "skip")
POISON = ("hang", "drop", "raise")  # what Odoo does when it reads of them
GUILTY = (*(("handler", deed) for deed in HANDLERS), *(("odoo", deed) for deed in POISON))
_PATIENCE = 4.0  # seconds for an answer
_DEFINITION = hmac.source(
    secret=SECRET, header="X-Signature", event_id="header:X-Event", topic="header:X-Topic"
)


@dataclass(frozen=True)
class Sent:
    """One webhook."""

    source: str
    key: str
    rev: int
    topic: str = "orders/updated"
    mark: str = ""
    padding: int = 0  # bytes

    @property
    def ident(self) -> str:
        return f"{self.source}-{self.key}-{self.rev}"

    def body(self) -> bytes:
        text = {"id": self.key, "rev": self.rev, "mark": self.mark, "padding": "x" * self.padding}
        return json.dumps(text).encode()


class Platforms:
    """Everybody who sends; what was answered 202 is in ``acknowledged``."""

    def __init__(self, url: str, draw: random.Random) -> None:
        self.acknowledged: dict[str, Sent] = {}
        self.answers: Counter[int] = Counter()  # by status; 0 is none
        self.large = False  # bodies, so that a full disk is noticed
        self._url, self._draw = url, draw
        self._revs: Counter[str] = Counter()
        self._stopping = asyncio.Event()
        self._guilty = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self) -> None:
        """Send until stopped, then until all was answered 202."""
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        connector = aiohttp.TCPConnector(limit=48)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._shop(session))
                    group.create_task(self._guilty_ones(session))
                    for number in range(THINGS):
                        group.create_task(self._in_turn(session, f"thing{number}"))
                await asyncio.gather(*self._sending)
            finally:
                for one in self._sending:
                    one.cancel()

    def stop_the_guilty(self) -> None:
        """Send nothing more that is a dead letter only after a minute or two."""
        self._guilty.set()

    def stop(self) -> None:
        self._guilty.set()
        self._stopping.set()

    async def _shop(self, session: aiohttp.ClientSession) -> None:
        """Send changes of orders as they happen, whether or not the last one was taken."""
        while await self._goes_on(self._stopping, 0.13):
            key = f"{self._draw.randrange(ORDERS):02}order"
            topic = "orders/flaky" if key < "06" else "orders/updated"
            one = self._next("shop", key, topic)
            for _ in range(2 if self._draw.random() < 0.05 else 1):
                self._send(session, one)

    async def _guilty_ones(self, session: aiohttp.ClientSession) -> None:
        """Send what kills handlers, and what Odoo cannot digest."""
        while True:
            for who, deed in self._draw.sample(GUILTY, len(GUILTY)):
                if not await self._goes_on(self._guilty, 4.0):
                    return
                key = f"99{who}-{deed}-{len(self._revs)}"
                topic = f"orders/{deed}" if who == "handler" else "orders/updated"
                said = mark(deed) if who == "odoo" else ""
                self._send(session, self._next("shop", key, topic, said))

    async def _in_turn(self, session: aiohttp.ClientSession, key: str) -> None:
        """Send what happens to one thing, each when the last was taken."""
        while await self._goes_on(self._stopping, 2.0):
            await self._until_taken(session, self._next("plain", key, "things/changed"))

    async def _goes_on(self, ended: asyncio.Event, seconds: float) -> bool:
        """Wait about that long; return whether it goes on."""
        try:
            async with asyncio.timeout(self._draw.uniform(0, seconds)):
                await ended.wait()
        except TimeoutError:
            return True
        return False

    def _next(self, source: str, key: str, topic: str, mark: str = "") -> Sent:
        self._revs[key] += 1
        large = self._draw.random() < (0.5 if self.large else 0.03)
        return Sent(source, key, self._revs[key], topic, mark, 60_000 if large else 100)

    def _send(self, session: aiohttp.ClientSession, one: Sent) -> None:
        task = asyncio.create_task(self._until_taken(session, one))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _until_taken(self, session: aiohttp.ClientSession, one: Sent) -> None:
        wait = 0.05
        while (status := await self._post(session, one)) != 202:
            assert status in {0, 429, 503}, f"{one.ident} was answered {status}"
            await asyncio.sleep(self._draw.uniform(wait / 2, wait))
            wait = min(1.0, wait * 2)
        self.acknowledged[one.ident] = one

    async def _post(self, session: aiohttp.ClientSession, one: Sent) -> int:
        status = await post(session, self._url, one)
        self.answers[status] += 1
        return status


async def post(session: aiohttp.ClientSession, url: str, one: Sent) -> int:
    """Send it once, signed; return the status, 0 for none."""
    body = one.body()
    headers = sign(_DEFINITION, SECRET, body, topic=one.topic, event_id=one.ident, now=time.time())
    try:
        async with session.post(f"{url}/in/{one.source}", data=body, headers=headers) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0
