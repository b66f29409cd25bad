"""The pages that show, and the forms that act."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from odoorway.console import view
from odoorway.console.acts import (
    deliveries_of,
    destinations_of,
    flaws_of,
    give_up,
    planned_today,
    replay_event,
    set_paused,
    sources_of,
    standings_of,
    try_now,
    try_source,
)
from odoorway.console.asked import before_of, chosen_of, wanted_of
from odoorway.console.charts import RANGES, flow_chart, latency_chart, trend
from odoorway.console.jobs import RATE, RATES, rate_of
from odoorway.console.latency import noted
from odoorway.console.units import age, when, within
from odoorway.console.web import Web
from odoorway.journal.accounts import Person, Role
from odoorway.journal.found import EventFilter, Took
from odoorway.journal.port import Stats
from odoorway.model.delivery import State

_PAGE = 50
_DEEDS, _MOST_DEEDS = 100, 10_000  # of the audit log: at first, and at all
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
        Route("/events/{id}/give-up", web.action(pages.give_up), methods=["POST"]),
        Route("/events/{id}/try-now", web.action(pages.try_now), methods=["POST"]),
        Route("/problems", web.page(pages.problems)),
        Route("/problems/replay", web.action(pages.replay_group), methods=["POST"]),
        Route("/jobs/{id}/cancel", web.action(pages.cancel), methods=["POST"]),
        Route("/rejections/{id}", web.page(pages.rejection)),
        Route("/sources", web.page(pages.sources)),
        Route("/sources/{name}/test", web.action(pages.test), methods=["POST"]),
        Route("/destinations", web.page(pages.destinations)),
        Route("/audit", web.page(pages.audit, Role.ADMIN)),
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
        since = now - bars * minutes * 60
        await noted(self._desk.latency)
        took = await self._journal.latency(since, minutes=minutes)
        charts = (
            flow_chart(await self._journal.beats(since), span, now),
            latency_chart((t for t in took if not t.destination), span, now, "Acknowledged"),
            latency_chart((t for t in took if t.destination), span, now, "Delivered"),
        )
        return await self._web.show(
            request, person, "overview.html", title="Overview", reasons=reasons,
            health={**view.health(reasons, stats), "reasons": reasons}, range=span,
            ranges=list(RANGES), charts=charts, tiles=_tiles(stats, took, now),
            flows=view.flow_rows(
                await self._journal.flows(), await self._journal.oldest(), took, now
            ),
        )  # fmt: skip

    async def events(self, request: Request, person: Person) -> Response:
        """Show the events that a filter finds."""
        given = {name: request.query_params.get(name, "") for name in _FIELDS}
        wrong = ""
        try:
            wanted = wanted_of(given)
            before = before_of(request.query_params.get("before", ""))
        except ValueError as error:
            wanted, before, wrong = EventFilter(), None, f"The filter is wrong: {error}"
        page = await self._journal.search(wanted, limit=_PAGE, before=before)
        rows = [
            view.event_row(one, reversed(await self._journal.deliveries(event_id=one.id)))
            for one in page.events
        ]
        kept = {name: value for name, value in given.items() if value}
        more = f"/events?{urlencode({**kept, 'before': page.next})}" if page.next else ""
        searched = when(page.searched_to) if page.searched_to else ""
        chosen = chosen_of(given) if wanted.state is State.DEAD and not _narrow(wanted) else None
        dead = await self._journal.count_dead(chosen) if chosen else 0
        return await self._web.show(
            request, person, "events.html", 400 if wrong else 200, title="Events", rows=rows,
            given=given, wrong=wrong, more=more, searched_to=searched, states=list(State),
            sources=sorted(self._desk.gateway.sources), dead=dead,
            rate=RATE, rates=RATES,
        )  # fmt: skip

    async def event(self, request: Request, person: Person) -> Response:
        """Show one event with all that became of it."""
        return await self._event(request, person, None)

    async def dry_run(self, request: Request, person: Person) -> Response:
        """Show the event, and what today's handlers would do with it."""
        event = await self._journal.event(request.path_params["id"])
        planned = [] if event is None else await planned_today(self._web, event)
        return await self._event(request, person, planned)

    async def replay(self, request: Request, person: Person) -> Response:
        """Deliver an event again, on the routes it took."""
        event_id = request.path_params["id"]
        made = await replay_event(self._web, event_id, person)
        return self._web.back(f"/events/{event_id}", f"{made} deliveries will be made again")

    async def give_up(self, request: Request, person: Person) -> Response:
        """Settle what waits of an event as skipped, for the reason given."""
        event_id = request.path_params["id"]
        reason = str((await request.form()).get("reason", ""))
        done = await give_up(self._web, event_id, person, reason)
        return self._web.back(f"/events/{event_id}", f"{done} deliveries are given up")

    async def try_now(self, request: Request, person: Person) -> Response:
        """Try what waits of an event now."""
        event_id = request.path_params["id"]
        done = await try_now(self._web, event_id, person)
        return self._web.back(f"/events/{event_id}", f"{done} deliveries are tried now")

    async def problems(self, request: Request, person: Person) -> Response:
        """Show dead letters and rejections by their cause."""
        now = self._desk.clock.now()
        found = [
            {**view.problem_view(one), "trend": trend(one.hours, now)}
            for one in await self._journal.problems(long_ago=now - view.LATE)
        ]
        found.sort(key=lambda one: ("dead", "breached", "waiting", "rejection").index(one["kind"]))
        jobs = list(self._web.jobs.known.values())[:-4:-1]
        return await self._web.show(
            request,
            person,
            "problems.html",
            title="Problems",
            problems=found,
            jobs=jobs,
            rate=RATE,
            rates=RATES,
        )

    async def replay_group(self, request: Request, person: Person) -> Response:
        """Replay every dead letter of a group."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            chosen, rate = chosen_of(form), rate_of(form.get("rate", ""))
        except ValueError as error:
            return self._web.back("/problems", f"Nothing is replayed: {error}")
        job = await self._web.jobs.start(chosen, person.name, rate)
        await self._web.note(person, "replay", f"{job.id}: {job.text}, {job.total}")
        return self._web.back("/problems", f"{job.text}: {job.total} dead letters")

    async def cancel(self, request: Request, person: Person) -> Response:
        """Stop a bulk replay."""
        job_id = request.path_params["id"]
        self._web.jobs.cancel(job_id)
        await self._web.note(person, "cancel", job_id)
        return self._web.back("/problems", "The replay stops; what was replayed stays so")

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
        shown = await sources_of(self._web)
        return await self._web.show(request, person, "sources.html", title="Sources", sources=shown)

    async def test(self, request: Request, person: Person) -> Response:
        """Send a source its own recorded sample, signed."""
        name = request.path_params["name"]
        sent = await try_source(self._web, name, person)
        if sent is None:
            return await self._missing(request, person, "sample of this source")
        topic, status = sent
        return self._web.back("/sources", f"{name} answered the test {topic} with {status}")

    async def destinations(self, request: Request, person: Person) -> Response:
        """Show how each destination stands."""
        shown = await destinations_of(self._web)
        return await self._web.show(
            request, person, "destinations.html", title="Destinations", destinations=shown
        )

    async def audit(self, request: Request, person: Person) -> Response:
        """Show who did what; administrators only."""
        text = request.query_params.get("limit", "")
        limit = max(1, min(_MOST_DEEDS, int(text))) if text.isascii() and text.isdigit() else _DEEDS
        deeds = await self._desk.accounts.deeds(limit)
        rows = [(when(one.at), one.who, one.action, one.detail) for one in deeds]
        more = f"/audit?limit={limit * 2}" if len(rows) == limit < _MOST_DEEDS else ""
        return await self._web.show(
            request, person, "audit.html", title="Audit", rows=rows, more=more
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
        return self._web.back("/destinations", f"{name} is {'paused' if paused else 'resumed'}")

    async def _event(
        self, request: Request, person: Person, planned: list[dict[str, str]] | None
    ) -> Response:
        event = await self._journal.event(request.path_params["id"])
        if event is None:
            return await self._missing(request, person, "event")
        return await self._web.show(
            request, person, "event.html", title=event.id, planned=planned,
            event=view.event_view(event, self._desk.masked, flaws_of(self._web, event)),
            deliveries=await deliveries_of(self._web, event),
        )  # fmt: skip

    async def _missing(self, request: Request, person: Person, what: str) -> Response:
        detail = f"The journal has no such {what}; it may have been removed by age."
        return await self._web.show(
            request, person, "error.html", 404, title="Not found", detail=detail
        )


def _narrow(wanted: EventFilter) -> bool:
    """Tell whether a filter asks for more than a bulk replay can be told."""
    return bool(wanted.ordering_key or wanted.external_id or wanted.text)


def _tiles(stats: Stats, took: Sequence[Took], now: float) -> list[dict[str, Any]]:
    count = stats.deliveries
    waiting = count[State.PENDING] + count[State.LEASED]
    oldest = "" if stats.oldest_waiting is None else age(max(0.0, now - stats.oldest_waiting))
    return [
        {"name": "events", "value": stats.events, "href": "/events", "level": ""},
        {"name": "delivered", "value": count[State.DELIVERED], "href": "/events?state=delivered",
         "level": ""},
        {"name": "waiting", "value": waiting, "href": "/events?state=pending",
         "level": "warn" if waiting else ""},
        {"name": "oldest waits", "value": oldest or "none", "href": "/events?state=pending",
         "level": ""},
        {"name": "acknowledged, p95", "value": within(view.p95(took, None, "")),
         "href": "/sources", "level": ""},
        {"name": "delivered, p95", "value": within(view.p95(took, None, None)),
         "href": "/destinations", "level": ""},
        {"name": "dead letters", "value": count[State.DEAD], "href": "/problems",
         "level": "bad" if count[State.DEAD] else ""},
        {"name": "rejections", "value": stats.rejections, "href": "/problems", "level": ""},
    ]  # fmt: skip
