"""The faults of a run: chosen by its seed, each with what shows that it had an effect."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from acceptance.gateway_process import eventually
from hostility import HostileOdoo, HostileReceiver

from .disk import Disk
from .gateway import ChaosGateway, Sample
from .platform import Platforms

HOUR = 3600.0


Fault = Callable[[], Awaitable[tuple[str, int]]]  # tells what shows it, and how often it did


@dataclass
class Did:
    """One fault that was played."""

    kind: str
    at: float  # seconds since the run began
    lasted: float
    shown: str  # what shows it
    effects: int


@dataclass
class Chaos:
    """Plays faults on a gateway, and on what stands around it."""

    gateway: ChaosGateway
    odoo: HostileOdoo
    receiver: HostileReceiver
    platforms: Platforms
    disk: Disk | None
    draw: random.Random
    began: float = field(default_factory=time.monotonic)
    did: list[Did] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def on_the_gateway(self) -> dict[str, Fault]:
        """What is played in both halves; it leaves the process as it is."""
        always: dict[str, Fault] = {
            "gateway stopped beyond its lease": self._frozen,
            "clock an hour ahead, and back": lambda: self._moved(HOUR),
            "clock an hour behind, and back": lambda: self._moved(-HOUR),
        }
        return always | ({"disk full, and freed": self._full} if self.disk else {})

    @property
    def deadly(self) -> dict[str, Fault]:
        """What only the first half has: memory is compared within one process."""
        return {
            "gateway killed": self._killed,
            "gateway killed, its clock set back meanwhile": self._killed_and_set_back,
        }

    @property
    def around(self) -> dict[str, Fault]:
        """What is played on others meanwhile."""
        odoo = {"drop": "drops connections", "lost": "answers are lost", "hang": "hangs"}
        receiver = {
            "raise": "answers 500", "slow": "answers a byte a second", "drop": "hangs up",
            "large": "answers 5 MB",
        }  # fmt: skip
        return {
            "Odoo stopped and started": self._odoo_away,
            "handlers die": self._handlers_die,
            **{f"Odoo {word}": _moody(self, self.odoo, deed) for deed, word in odoo.items()},
            **{
                f"receiver {word}": _moody(self, self.receiver, deed)
                for deed, word in receiver.items()
            },
        }

    @property
    def wanted(self) -> list[str]:
        """Every kind that a run has to show."""
        return [*self.on_the_gateway, *self.deadly, *self.around]

    async def play(self, seconds: float) -> None:
        """Play all kinds at least once, in an order of the seed, for that long."""
        half = seconds / 2
        async with asyncio.TaskGroup() as group:
            meanwhile = group.create_task(self._deal(self.around, seconds))
            await self._deal(self.on_the_gateway | self.deadly, half)
            watching = group.create_task(self._watch())
            await self._deal(self.on_the_gateway, seconds)
            await meanwhile
            watching.cancel()

    async def _deal(self, kinds: dict[str, Fault], until: float) -> None:
        """Play whole decks of *kinds* until that time is over."""
        while True:
            for kind in self.draw.sample(sorted(kinds), len(kinds)):
                await asyncio.sleep(self.draw.uniform(0.2, 2.0))
                at = time.monotonic()
                shown, effects = await kinds[kind]()
                lasted = time.monotonic() - at
                self.did.append(Did(kind, at - self.began, lasted, shown, effects))
            if time.monotonic() - self.began >= until:
                return

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1)
            sample = self.gateway.sample()
            if sample:
                self.samples.append(sample)

    async def _killed(self) -> tuple[str, int]:
        self.gateway.kill()
        await asyncio.sleep(self.draw.uniform(0, 1.5))
        self.gateway.start()
        await self.gateway.ready()
        return "SIGKILL", 1

    async def _killed_and_set_back(self) -> tuple[str, int]:
        self.gateway.move(HOUR)
        await asyncio.sleep(self.draw.uniform(2, 4))
        self.gateway.kill()
        self.gateway.move(0)
        self.gateway.start()
        await self.gateway.ready()
        return "SIGKILL", 1

    async def _frozen(self) -> tuple[str, int]:
        """Stop it while Odoo works for it, for longer than a lease lasts."""
        with self.odoo.hold():
            await self._until(lambda: self.odoo.waiting > 0)
            under_way = self.odoo.waiting
            self.gateway.freeze()
        try:
            await asyncio.sleep(self.gateway.lease + 1.5)
        finally:
            self.gateway.thaw()
        return f"{under_way} calls of Odoo under way", under_way

    async def _moved(self, seconds: float) -> tuple[str, int]:
        """Move its clock and, after a while, back."""
        before = len(self.platforms.acknowledged)
        self.gateway.move(seconds)
        await asyncio.sleep(self.draw.uniform(3, 6))
        self.gateway.move(0)
        taken = len(self.platforms.acknowledged) - before
        return f"{taken} events taken meanwhile", taken

    async def _full(self) -> tuple[str, int]:
        """Fill the disk until webhooks are refused for it, and a while longer."""
        assert self.disk
        before = self.platforms.answers[503]
        self.platforms.large = True

        def refused() -> bool:
            assert self.disk
            self.disk.fill()
            return self.platforms.answers[503] > before

        try:
            await self._until(refused)
            await asyncio.sleep(self.draw.uniform(1, 4))
        finally:
            self.disk.free()
            self.platforms.large = False
        count = self.platforms.answers[503] - before
        return f"{count} webhooks answered 503", count

    async def _odoo_away(self) -> tuple[str, int]:
        """Take Odoo away until the gateway has met that, and a while longer."""
        before = self._unreachable()
        await self.odoo.cut()
        await self._until(lambda: self._unreachable() > before)
        await asyncio.sleep(self.draw.uniform(0, 4))
        await self.odoo.start()
        count = self._unreachable() - before
        return f"{count} calls refused", max(0, count)

    def _unreachable(self) -> int:
        """Return how many attempts, or questions of the breaker, found nobody there."""
        code = "code = 'odoo.unreachable'"
        ((tried,),) = rows(self.gateway.journal, f"SELECT count(*) FROM attempt WHERE {code}")
        asked = rows(self.gateway.journal, f"SELECT failures FROM destination WHERE {code}")
        return int(tried) + sum(int(one[0]) for one in asked)

    async def _until(self, seen: Callable[[], bool]) -> None:
        """Wait for an effect, also where another fault stops everything for longer than a lease."""

        async def check() -> bool:
            return seen()

        with contextlib.suppress(TimeoutError):  # then it had none, which is counted
            await eventually(check, self.gateway.lease + 60)

    async def _handlers_die(self) -> tuple[str, int]:
        trouble = self.gateway.folder / "handlers-die"
        trouble.touch()
        await asyncio.sleep(self.draw.uniform(3, 6))
        trouble.unlink()
        return "some handlers exit", 1


def _moody(chaos: Chaos, who: HostileOdoo | HostileReceiver, deed: str) -> Fault:
    """Return a fault in which a third of the calls are answered like that."""

    async def play() -> tuple[str, int]:
        before = who.done[deed]
        who.mood = lambda: deed if chaos.draw.random() < 0.35 else ""
        lasts = time.monotonic() + chaos.draw.uniform(3, 6)
        await chaos._until(lambda: time.monotonic() > lasts and who.done[deed] > before)
        who.mood = str
        count = who.done[deed] - before
        return f"{count} calls", count

    return play


def rows(journal: Path, text: str) -> list[Any]:
    """Ask the journal, as anybody may while the gateway serves."""
    db = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(5000)
    try:
        return db.execute(text).fetchall()
    finally:
        db.close()


def table(did: Sequence[Did]) -> str:
    """Return what was done, in order."""
    rows = [
        f"{one.at:7.1f} s  {one.lasted:6.1f} s  {one.kind:<46} {one.shown}"
        for one in sorted(did, key=lambda one: one.at)
    ]
    return "\n".join(rows)
