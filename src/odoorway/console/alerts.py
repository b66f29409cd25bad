"""What nobody should have to look for: rules over the journal, told once, and again when over."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from odoorway.clock import Clock
from odoorway.console.units import age
from odoorway.deliver.odoo.about import About
from odoorway.diagnose.catalog import CATALOG
from odoorway.errors import JournalUnavailable
from odoorway.journal.found import Problem, Rhythm
from odoorway.journal.port import Journal, Stats
from odoorway.model.standing import Standing
from odoorway.outside import printable
from odoorway.telemetry import Log, log

EVERY = 30.0  # seconds between two looks
_FAILING = 120.0  # seconds a destination may fail before somebody is told
_HISTORY = 200  # gaps between a source's events, which tell how long it is silent at times
_FEWEST = 10  # of them; fewer do not tell what is usual
_LEAST_SILENCE = 3600.0  # seconds; less is never worth an alert
_RECENT, _BEFORE = 600.0, 3600.0  # seconds over which rejections are compared
_MANY, _TIMES = 10, 5.0  # so many rejections at least, and so many times as often as before
_SOON = 14 * 86400.0  # seconds before a key's end at which somebody is told
_FREE_SHARE, _FREE_BYTES = 0.05, 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that needs a person; the key says what it is about."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the rules look at, of one moment."""

    now: float
    stats: Stats
    problems: Sequence[Problem]
    standings: Sequence[Standing]
    rhythms: Mapping[str, Rhythm] = field(default_factory=dict)  # by source
    rejected_lately: int = 0  # requests, in the last minutes
    rejected_before: int = 0  # in the rest of the hour
    key_ends: Mapping[str, float] = field(default_factory=dict)  # by destination, Unix seconds
    disk_free: int = 1 << 40  # bytes
    disk_size: int = 1 << 40


def alerts(seen: Seen, backlog: float) -> Iterator[Alert]:
    """Yield what needs a person now; *backlog* is the seconds that an event may wait. Pure."""
    for one in seen.problems:
        if one.kind == "dead":
            known = CATALOG.get(one.code)
            title, fix = (known.title, known.fix[0]) if known else (one.code, "")
            text = f"{one.count} dead letters of {one.source}: {title}. Fix: {fix}"
            yield Alert(f"dead {one.source} {one.destination} {one.code}", text)
        if one.kind == "breached":
            text = f"{one.count} of {one.source} are written, but not as the handler expected"
            yield Alert(f"breached {one.source} {one.destination}", text)
    yield from _waiting(seen, backlog)
    for standing in seen.standings:
        failing = standing.failures and seen.now - standing.changed_at > _FAILING
        if failing and not standing.paused:
            known = CATALOG.get(standing.code or "")
            why = known.title if known else standing.code
            told = printable(standing.detail[:300])
            text = f"Nothing is delivered to {standing.name}: {why}. {told}"
            yield Alert(f"failing {standing.name}", text)
    for source, rhythm in seen.rhythms.items():
        yield from _silent(source, rhythm, seen.now)
    yield from _rejected(seen)
    for name, ends in seen.key_ends.items():
        if ends - seen.now < _SOON:
            text = f"An API key of the gateway's user at {name} ends in {age(ends - seen.now)}"
            yield Alert(f"key {name}", text)
    if seen.disk_free < max(_FREE_BYTES, seen.disk_size * _FREE_SHARE):
        free = seen.disk_free // (1024 * 1024)
        yield Alert(
            "disk", f"The journal's disk has {free} MiB left; without room nothing is taken"
        )


def _waiting(seen: Seen, backlog: float) -> Iterator[Alert]:
    oldest = seen.stats.oldest_waiting
    if oldest is not None and seen.now - oldest > backlog:
        yield Alert("backlog", f"The oldest event waits for {age(seen.now - oldest)}")


def _silent(source: str, rhythm: Rhythm, now: float) -> Iterator[Alert]:
    """Compare the silence with the longest that this source made lately."""
    silence = now - rhythm.last
    if rhythm.gaps >= _FEWEST and silence > max(_LEAST_SILENCE, 2 * rhythm.longest):
        usual = age(rhythm.longest)
        text = f"{source} is silent for {age(silence)}; its longest silence was {usual}"
        yield Alert(f"silent {source}", text)


def _rejected(seen: Seen) -> Iterator[Alert]:
    lately, usual = seen.rejected_lately, seen.rejected_before / (_BEFORE - _RECENT) * _RECENT
    if lately >= _MANY and lately > _TIMES * usual:
        yield Alert("rejections", f"{lately} requests were refused in ten minutes")


def changes(before: Mapping[str, Alert], now: Iterable[Alert]) -> tuple[list[Alert], list[Alert]]:
    """Return what began, and what is over. Pure."""
    current = {one.key: one for one in now}
    began = [one for key, one in current.items() if key not in before]
    return began, [one for key, one in before.items() if key not in current]


class Sender(Protocol):
    """Who tells people."""

    async def send(self, title: str, text: str) -> bool:
        """Tell them; return whether it went out."""
        ...


class Watch:
    """Looks again and again, and tells each thing once when it begins and once when it ends."""

    def __init__(  # noqa: PLR0913 - the composition root gives each part
        self,
        journal: Journal,
        sender: Sender,
        clock: Clock,
        *,
        sources: Sequence[str],
        backlog: float,
        folder: Path | None,
        names: Callable[[], Iterable[str]],
        about: Mapping[str, Callable[[], Awaitable[About]]],
    ) -> None:
        """Watch *journal*; *folder* is where its disk is, *names* are the destinations."""
        self._about = about
        self._journal, self._sender, self._clock = journal, sender, clock
        self._sources, self._backlog, self._folder, self._names = sources, backlog, folder, names
        self._told: dict[str, Alert] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.once()
            except JournalUnavailable as error:
                log(Log.JOURNAL_FAILED, error=str(error))
            await asyncio.sleep(EVERY)

    async def once(self) -> None:
        """Look now. What could not be sent is told at the next look."""
        now = {one.key: one for one in alerts(await self._seen(), self._backlog)}
        began, over = changes(self._told, now.values())
        if began and await self._tell("Odoorway needs you", began, Log.ALERT):
            self._told |= {one.key: one for one in began}
        if over and await self._tell("Odoorway: over", over, Log.ALERT_OVER):
            for one in over:
                del self._told[one.key]

    async def _tell(self, title: str, found: Sequence[Alert], event: Log) -> bool:
        text = "\n".join(f"- {one.text}" for one in found)
        sent = await self._sender.send(title, text)
        log(event if sent else Log.ALERT_UNSENT, alerts=[one.key for one in found])
        return sent

    async def _seen(self) -> Seen:
        now = self._clock.now()
        names = sorted({*self._names(), *await self._journal.destinations()})
        lately = await self._journal.rejected_since(now - _RECENT)
        disk = shutil.disk_usage(self._folder) if self._folder else None
        return Seen(
            now=now,
            stats=await self._journal.stats(),
            problems=await self._journal.problems(),
            standings=[await self._journal.standing(name) for name in names if name],
            rhythms=await self._journal.rhythms(self._sources, now, history=_HISTORY),
            rejected_lately=lately,
            rejected_before=await self._journal.rejected_since(now - _BEFORE) - lately,
            key_ends=await self._key_ends(),
            disk_free=disk.free if disk else 1 << 40,
            disk_size=disk.total if disk else 1 << 40,
        )

    async def _key_ends(self) -> dict[str, float]:
        told = {name: (await ask()).key_expires for name, ask in self._about.items()}
        return {name: ends for name, ends in told.items() if ends is not None}
