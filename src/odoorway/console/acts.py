"""What pages and API have in common: asking the journal, and the few things that act."""

import difflib
from collections.abc import Iterator
from typing import Any

import aiohttp

from odoorway.console import view
from odoorway.console.secret_age import since
from odoorway.console.sources import sample_of, steps
from odoorway.console.units import when
from odoorway.console.web import Web
from odoorway.deliver.odoo.about import About
from odoorway.dispatch.handler_process import Task
from odoorway.gateway import Route
from odoorway.journal.accounts import Person
from odoorway.journal.found import Rhythm
from odoorway.model.delivery import Planned, State
from odoorway.model.event import Event, Flaw
from odoorway.model.mask import Mask
from odoorway.model.standing import Standing
from odoorway.receive.identity import Identified, identify
from odoorway.transform.run import Asks, Commands, Transformed

_LATELY = 5  # minutes over which a rate is told


async def standings_of(web: Web) -> list[Standing]:
    """Return how every destination stands: those declared, and those of the journal."""
    names = {*await web.desk.journal.destinations(), *web.desk.pace()} - {""}
    return [await web.desk.journal.standing(name) for name in sorted(names)]


async def destinations_of(web: Web) -> list[dict[str, Any]]:
    """Return every destination as it is shown."""
    waiting: dict[str, int] = {}
    for one in await web.desk.journal.flows():
        if one.state in {State.PENDING, State.LEASED}:
            waiting[one.destination] = waiting.get(one.destination, 0) + one.count
    pace = web.desk.pace()
    rates = await _rates(web)
    return [
        view.destination_view(
            one, waiting.get(one.name, 0), pace.get(one.name, (0, 0)),
            (rates.get(one.name, 0.0), web.desk.max_rate),
            web.desk.odoo_urls.get(one.name, ""), await _about(web, one.name),
        )
        for one in await standings_of(web)
    ]  # fmt: skip


async def _rates(web: Web) -> dict[str, float]:
    """Return how many deliveries a minute each destination took lately."""
    took = await web.desk.journal.latency(web.desk.clock.now() - _LATELY * 60, minutes=1)
    rates: dict[str, float] = {}
    for one in took:
        rates[one.destination] = rates.get(one.destination, 0.0) + one.count / _LATELY
    return rates


async def _about(web: Web, name: str) -> About:
    """Return what an Odoo tells of itself; one that fails is not asked as well."""
    ask = web.desk.about.get(name)
    standing = await web.desk.journal.standing(name)
    return await ask() if ask and not standing.failures else About()


async def deliveries_of(web: Web, event: Event) -> list[dict[str, Any]]:
    """Return an event's deliveries, the newest first."""
    found = await web.desk.journal.deliveries(event_id=event.id, limit=200)
    mask = Mask.of(web.desk.masked, event.body)
    return [
        view.delivery_view(
            one,
            await web.desk.journal.attempts(one.id),
            web.desk.odoo_urls.get(one.destination, ""),
            mask,
        )
        for one in found
    ]


async def replay_event(web: Web, event_id: str, person: Person, *, only_dead: bool = False) -> int:
    """Deliver an event again on the routes it took; return how many deliveries that makes.

    With *only_dead* on those where it is a dead letter.
    """
    desk = web.desk
    found = await desk.journal.deliveries(event_id=event_id, limit=1000)
    planned = {
        one.route: Planned(route=one.route, destination=one.destination)
        for one in found
        if one.route
    }
    if not planned:  # it took no route then; today there may be one
        event = await desk.journal.event(event_id)
        today = routes_today(web, event) if event else ()
        planned = {route.name: route.planned for route in today}
    made = await desk.journal.replay(
        event_id, [*planned.values()], desk.clock.now(), only_dead=only_dead
    )
    await web.note(person, "replay", event_id)
    desk.wake()
    return len(made)


async def give_up(web: Web, event_id: str, person: Person, reason: str) -> int:
    """Settle what waits of an event as skipped; return how many deliveries that are."""
    why = f"{person.name}: {reason.strip()[:500] or 'no reason given'}"
    done = await web.desk.journal.give_up(event_id, web.desk.clock.now(), why)
    if done:
        await web.note(person, "give up", f"{event_id} {reason.strip()[:200]}".rstrip())
        web.desk.wake()
    return done


async def try_now(web: Web, event_id: str, person: Person) -> int:
    """Let what waits of an event be tried now; return how many deliveries that are."""
    done = await web.desk.journal.wake(event_id, web.desk.clock.now())
    if done:
        await web.note(person, "try now", event_id)
        web.desk.wake()
    return done


async def set_paused(web: Web, name: str, person: Person, *, paused: bool) -> bool:
    """Pause or resume a destination; tell whether there is one of that name."""
    if name not in {one.name for one in await standings_of(web)}:
        return False
    await web.desk.journal.pause(name, web.desk.clock.now(), paused=paused)
    await web.note(person, "pause" if paused else "resume", name)
    web.desk.wake()
    return True


def read_again(web: Web, event: Event) -> Identified | None:
    """Return what today's source reads of an event; None when it is no longer declared."""
    source = web.desk.gateway.sources.get(event.source)
    return identify(source.definition.identity, event.headers, event.body) if source else None


def flaws_of(web: Web, event: Event) -> tuple[Flaw, ...]:
    """Return what an event's source declares today and the event lacks."""
    again = read_again(web, event)
    return again.flaws if again else ()


def routes_today(web: Web, event: Event) -> Iterator[Route]:
    """Return the routes that an event takes today, by its topic, or where to find it is today."""
    again = None if event.topic else read_again(web, event)
    return web.desk.gateway.routes_for(event.source, again.topic if again else event.topic)


async def planned_today(web: Web, event: Event) -> list[dict[str, str]]:
    """Return what today's handlers make of an event, and how that differs; nothing is written."""
    sent = {one["route"]: one["commands"] for one in reversed(await deliveries_of(web, event))}
    found = []
    mask = Mask.of(web.desk.masked, event.body)
    routes = list(routes_today(web, event))
    results = await web.desk.handlers.run([Task(route.name, event) for route in routes])
    for route, result in zip(routes, results, strict=True):
        text = _today(result, mask)
        before = sent.get(route.name, "")
        lines = difflib.unified_diff(
            before.splitlines(), text.splitlines(), "sent then", "today", lineterm="", n=2
        )
        difference = "\n".join(lines) if before else "nothing was sent then"
        found.append(
            {
                "route": f"{route.name} → {route.destination}",
                "text": text,
                "difference": difference or "the same as was sent",
            }
        )
    return found


def _today(result: Transformed, mask: Mask) -> str:
    if isinstance(result, Commands):
        return mask.commands(result.text)
    if isinstance(result, Asks):
        return mask.text(result.text)
    return f"{result.outcome} {result.code}\n{mask.text(result.detail)}"


async def sources_of(web: Web) -> list[dict[str, Any]]:
    """Return every source with its endpoint."""
    names = list(web.desk.gateway.sources)
    ages = await since(web.desk.accounts)
    rhythms = await web.desk.journal.rhythms(names, web.desk.clock.now(), history=0)
    return [_source(web, name, ages.get(name), rhythms.get(name)) for name in names]


def _source(
    web: Web, name: str, secret_since: float | None, rhythm: Rhythm | None
) -> dict[str, Any]:
    definition = web.desk.gateway.sources[name].definition
    taken = [one for one in web.desk.gateway.routes.values() if one.source == name]
    endpoint = f"{web.desk.receiver}/in/{name}"
    sample = sample_of(definition)
    return {
        "name": name,
        "platform": definition.platform,
        "secret_since": when(secret_since) if secret_since else "",
        "endpoint": endpoint,
        "last": when(rhythm.last) if rhythm else "",
        "topics": ", ".join(topic for route in taken for topic in route.topics),
        "steps": list(steps(definition, endpoint)),
        "sample": sample[0] if sample else "",
    }


async def try_source(web: Web, name: str, person: Person) -> tuple[str, str] | None:
    """Send a source its own recorded sample, signed; return its topic and what was answered."""
    source = web.desk.gateway.sources.get(name)
    sample = sample_of(source.definition) if source else None
    if sample is None:
        return None
    topic, body = sample
    status = await _send(web.desk.receiver, name, body, web.desk.test(name, topic, body))
    await web.note(person, "test", f"{name} {topic}: {status}")
    return topic, status


async def _send(receiver: str, name: str, body: bytes, headers: dict[str, str]) -> str:
    """Post a signed sample to an endpoint of our own; return what it answered."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
            session.post(f"{receiver}/in/{name}", data=body, headers=headers) as answer,
        ):
            return f"HTTP {answer.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"nothing: {error}"
