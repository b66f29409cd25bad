"""The pages that show, and the forms that act."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from odoorway.console import view
from odoorway.console.charts import RANGES, chart
from odoorway.console.jobs import Chosen
from odoorway.console.sources import sample_of, steps
from odoorway.console.web import Web, back
from odoorway.deliver.odoo.about import About
from odoorway.journal.accounts import Person
from odoorway.journal.found import EventFilter
from odoorway.model.delivery import Planned, State
from odoorway.model.event import Event
from odoorway.telemetry import Histogram, quantile
from odoorway.transform.run import Commands, transform

_PAGE = 50
_FIELDS = ("source", "topic", "state", "ordering_key", "external_id", "text", "since", "until")


def routes(web: Web) -> list[Route]:
    """Return the routes of all pages and forms."""
    pages = Pages(web)
    return [
        Route("/", web.page(pages.overview)),
        Route("/events", web.page(pages.events)),
        Route("/events/{id}", web.page(pages.event)),
        Route("/events/{id}/dry-run", web.page(pages.dry_run)),
        Route("/events/{id}/replay", web.action(pages.replay), methods=["POST"]),
        Route("/problems", web.page(pages.problems)),
        Route("/problems/replay", web.action(pages.replay_group), methods=["POST"]),
        Route("/jobs/{id}/cancel", web.action(pages.cancel), methods=["POST"]),
        Route("/rejections/{id}", web.page(pages.rejection)),
        Route("/sources", web.page(pages.sources)),
        Route("/sources/{name}/test", web.action(pages.test), methods=["POST"]),
        Route("/destinations", web.page(pages.destinations)),
        Route("/destinations/{name}/pause", web.action(pages.pause), methods=["POST"]),
        Route("/destinations/{name}/resume", web.action(pages.resume), methods=["POST"]),
    ]


class Pages:
    """One method a page or form; each asks the journal and shows a template."""

    def __init__(self, web: Web) -> None:
        """Show what *web*'s desk holds."""
        self._web, self._desk = web, web.desk
        self._journal = web.desk.journal

    async def overview(self, request: Request, person: Person) -> Response:
        """Show whether orders flow, and what needs a person first."""
        now = self._desk.clock.now()
        stats = await self._journal.stats()
        standings = await standings_of(self._web)
        reasons = view.reasons(standings, await self._journal.problems(), stats, now)
        span = request.query_params.get("range", "1h")
        span = span if span in RANGES else "1h"
        bars, minutes = RANGES[span]
        beats = await self._journal.beats(now - bars * minutes * 60)
        return await self._web.show(
            request, person, "overview.html", title="Overview", reasons=reasons,
            health={**view.health(reasons, stats), "reasons": reasons}, range=span,
            ranges=list(RANGES), chart=chart(beats, span, now), tiles=_tiles(stats, now),
            flows=view.flow_rows(await self._journal.flows()),
        )  # fmt: skip

    async def events(self, request: Request, person: Person) -> Response:
        """Show the events that a filter finds."""
        given = {name: request.query_params.get(name, "") for name in _FIELDS}
        wrong = ""
        try:
            wanted = wanted_of(given)
            before = int(request.query_params.get("before") or 0) or None
        except ValueError as error:
            wanted, before, wrong = EventFilter(), None, f"The filter is wrong: {error}"
        page = await self._journal.search(wanted, limit=_PAGE, before=before)
        rows = [
            view.event_row(one, reversed(await self._journal.deliveries(event_id=one.id)))
            for one in page.events
        ]
        kept = {name: value for name, value in given.items() if value}
        more = f"/events?{urlencode({**kept, 'before': page.next})}" if page.next else ""
        searched = view.when(page.searched_to) if page.searched_to else ""
        return await self._web.show(
            request, person, "events.html", 400 if wrong else 200, title="Events", rows=rows,
            given=given, wrong=wrong, more=more, searched_to=searched, states=list(State),
            sources=sorted(self._desk.gateway.sources),
        )  # fmt: skip

    async def event(self, request: Request, person: Person) -> Response:
        """Show one event with all that became of it."""
        return await self._event(request, person, None)

    async def dry_run(self, request: Request, person: Person) -> Response:
        """Show the event, and what today's handlers would do with it."""
        event = await self._journal.event(request.path_params["id"])
        planned = [] if event is None else planned_today(self._web, event)
        return await self._event(request, person, planned)

    async def replay(self, request: Request, person: Person) -> Response:
        """Deliver an event again, on the routes it took."""
        event_id = request.path_params["id"]
        made = await replay_event(self._web, event_id, person)
        return back(f"/events/{event_id}", f"{made} deliveries will be made again")

    async def problems(self, request: Request, person: Person) -> Response:
        """Show dead letters and rejections by their cause."""
        found = [view.problem_view(one) for one in await self._journal.problems()]
        found.sort(key=lambda one: one["kind"])
        jobs = list(self._web.jobs.known.values())[-3:]
        return await self._web.show(
            request, person, "problems.html", title="Problems", problems=found, jobs=jobs
        )

    async def replay_group(self, request: Request, person: Person) -> Response:
        """Replay every dead letter of a group."""
        form = await request.form()
        chosen = Chosen(
            source=str(form.get("source", "")),
            destination=str(form.get("destination", "")),
            code=str(form.get("code", "")),
        )
        job = await self._web.jobs.start(chosen, person.name)
        await self._web.note(person, "replay", f"{job.id}: {job.text}, {job.total}")
        self._desk.wake()
        return back("/problems", f"{job.text}: {job.total} dead letters")

    async def cancel(self, request: Request, person: Person) -> Response:
        """Stop a bulk replay."""
        job_id = request.path_params["id"]
        self._web.jobs.cancel(job_id)
        await self._web.note(person, "cancel", job_id)
        return back("/problems", "The replay stops; what was replayed stays so")

    async def rejection(self, request: Request, person: Person) -> Response:
        """Show one refused request."""
        found = await self._journal.rejection(request.path_params["id"])
        if found is None:
            return await self._missing(request, person, "rejection")
        one = view.rejection_view(found, self._desk.masked)
        return await self._web.show(
            request, person, "rejection.html", title="Refused request", one=one
        )

    async def sources(self, request: Request, person: Person) -> Response:
        """Show each source with its endpoint."""
        shown = [await self._source(name) for name in self._desk.gateway.sources]
        return await self._web.show(request, person, "sources.html", title="Sources", sources=shown)

    async def test(self, request: Request, person: Person) -> Response:
        """Send a source its own recorded sample, signed."""
        name = request.path_params["name"]
        source = self._desk.gateway.sources.get(name)
        sample = sample_of(source.definition) if source else None
        if source is None or sample is None:
            return await self._missing(request, person, "sample of this source")
        topic, body = sample
        status = await send_test(
            self._desk.receiver, name, body, self._desk.test(name, topic, body)
        )
        await self._web.note(person, "test", f"{name} {topic}: {status}")
        return back("/sources", f"{name} answered the test {topic} with {status}")

    async def destinations(self, request: Request, person: Person) -> Response:
        """Show how each destination stands."""
        shown = await destinations_of(self._web)
        return await self._web.show(
            request, person, "destinations.html", title="Destinations", destinations=shown
        )

    async def pause(self, request: Request, person: Person) -> Response:
        """Deliver nothing more to a destination."""
        return await self._pause(request, person, paused=True)

    async def resume(self, request: Request, person: Person) -> Response:
        """Let a destination go on."""
        return await self._pause(request, person, paused=False)

    async def _pause(self, request: Request, person: Person, *, paused: bool) -> Response:
        name = request.path_params["name"]
        if not await set_paused(self._web, name, person, paused=paused):
            return await self._missing(request, person, "destination")
        return back("/destinations", f"{name} is {'paused' if paused else 'resumed'}")

    async def _event(
        self, request: Request, person: Person, planned: list[dict[str, str]] | None
    ) -> Response:
        event = await self._journal.event(request.path_params["id"])
        if event is None:
            return await self._missing(request, person, "event")
        return await self._web.show(
            request, person, "event.html", title=event.id, planned=planned,
            event=view.event_view(event, self._desk.masked),
            deliveries=await deliveries_of(self._web, event),
        )  # fmt: skip

    async def _missing(self, request: Request, person: Person, what: str) -> Response:
        detail = f"The journal has no such {what}; it may have been removed by age."
        return await self._web.show(
            request, person, "error.html", 404, title="Not found", detail=detail
        )

    async def _source(self, name: str) -> dict[str, Any]:
        source = self._desk.gateway.sources[name]
        last = await self._journal.search(EventFilter(source=name), limit=1)
        taken = [r for r in self._desk.gateway.routes.values() if r.source == name]
        sample = sample_of(source.definition)
        return {
            "name": name,
            "platform": source.definition.platform,
            "endpoint": f"{self._desk.receiver}/in/{name}",
            "last": view.when(last.events[0].received_at) if last.events else "",
            "topics": ", ".join(topic for route in taken for topic in route.topics),
            "steps": steps(source.definition, f"{self._desk.receiver}/in/{name}"),
            "sample": sample[0] if sample else "",
        }


def wanted_of(given: dict[str, str]) -> EventFilter:
    """Return the filter of a form or a query.

    Raises:
        ValueError: a state or a time is none.
    """
    return EventFilter(
        source=given.get("source", ""),
        topic=given.get("topic", ""),
        state=State(given["state"]) if given.get("state") else None,
        since=_seconds(given.get("since", "")),
        until=_seconds(given.get("until", "")),
        ordering_key=given.get("ordering_key", ""),
        external_id=given.get("external_id", ""),
        text=given.get("text", ""),
    )


def _seconds(text: str) -> float | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _tiles(stats: Any, now: float) -> list[dict[str, Any]]:
    count = stats.deliveries
    waiting = count[State.PENDING] + count[State.LEASED]
    oldest = "" if stats.oldest_waiting is None else view.age(max(0.0, now - stats.oldest_waiting))
    return [
        {"name": "events", "value": stats.events, "href": "/events", "level": ""},
        {"name": "delivered", "value": count[State.DELIVERED], "href": "/events?state=delivered",
         "level": ""},
        {"name": "waiting", "value": waiting, "href": "/events?state=pending",
         "level": "warn" if waiting else ""},
        {"name": "oldest waits", "value": oldest or "none", "href": "/events?state=pending",
         "level": ""},
        {"name": "acknowledged, p95", "value": _seconds_shown(Histogram.ACK), "href": "/sources",
         "level": ""},
        {"name": "delivered, p95", "value": _seconds_shown(Histogram.ARRIVAL),
         "href": "/destinations", "level": ""},
        {"name": "dead letters", "value": count[State.DEAD], "href": "/problems",
         "level": "bad" if count[State.DEAD] else ""},
        {"name": "rejections", "value": stats.rejections, "href": "/problems", "level": ""},
    ]  # fmt: skip


def _seconds_shown(histogram: Histogram) -> str:
    """Return what nineteen of twenty stay under, since the gateway started."""
    at = quantile(histogram, 0.95)
    if at is None:
        return "none yet"
    return f"< {at * 1000:g} ms" if at < 1 else f"< {at:g} s" if at < float("inf") else "> 5 min"


async def standings_of(web: Web) -> list[Any]:
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
    return [
        view.destination_view(
            one, waiting.get(one.name, 0), pace.get(one.name, (0, 0)),
            web.desk.odoo_urls.get(one.name, ""), await _about(web, one.name),
        )
        for one in await standings_of(web)
    ]  # fmt: skip


async def _about(web: Web, name: str) -> About:
    """Return what an Odoo tells of itself; one that fails is not asked as well."""
    ask = web.desk.about.get(name)
    standing = await web.desk.journal.standing(name)
    return await ask() if ask and not standing.failures else About()


async def deliveries_of(web: Web, event: Event) -> list[dict[str, Any]]:
    """Return an event's deliveries, the newest first."""
    found = await web.desk.journal.deliveries(event_id=event.id, limit=200)
    return [
        view.delivery_view(
            one,
            await web.desk.journal.attempts(one.id),
            web.desk.odoo_urls.get(one.destination, ""),
        )
        for one in found
    ]


async def replay_event(web: Web, event_id: str, person: Person) -> int:
    """Deliver an event again on the routes it took; return how many deliveries that makes."""
    desk = web.desk
    found = await desk.journal.deliveries(event_id=event_id, limit=1000)
    planned = {
        one.route: Planned(route=one.route, destination=one.destination)
        for one in found
        if one.route
    }
    if not planned:  # it took no route then; today there may be one
        event = await desk.journal.event(event_id)
        today = desk.gateway.routes_for(event.source, event.topic) if event else ()
        planned = {route.name: route.planned for route in today}
    made = await desk.journal.replay(event_id, [*planned.values()], desk.clock.now())
    await web.note(person, "replay", event_id)
    desk.wake()
    return len(made)


async def set_paused(web: Web, name: str, person: Person, *, paused: bool) -> bool:
    """Pause or resume a destination; tell whether there is one of that name."""
    if name not in {one.name for one in await standings_of(web)}:
        return False
    await web.desk.journal.pause(name, web.desk.clock.now(), paused=paused)
    await web.note(person, "pause" if paused else "resume", name)
    web.desk.wake()
    return True


def planned_today(web: Web, event: Event) -> list[dict[str, str]]:
    """Return what today's handlers make of an event; nothing is written."""
    shown = []
    for route in web.desk.gateway.routes_for(event.source, event.topic):
        result = transform(route, event)
        text = (
            "\n".join(_command(one) for one in result.commands)
            if isinstance(result, Commands)
            else f"{result.outcome} {result.code}\n{result.detail}"
        )
        shown.append({"route": f"{route.name} → {route.destination}", "text": text})
    return shown


def _command(command: Any) -> str:
    from rich.pretty import pretty_repr  # noqa: PLC0415 - rich is slow to import

    return str(pretty_repr(command))


async def send_test(receiver: str, name: str, body: bytes, headers: dict[str, str]) -> str:
    """Post a signed sample to an endpoint of our own; return what it answered."""
    import aiohttp  # noqa: PLC0415 - only here

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
            session.post(f"{receiver}/in/{name}", data=body, headers=headers) as answer,
        ):
            return f"HTTP {answer.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"nothing: {error}"
