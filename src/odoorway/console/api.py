"""The API, `/api/v1`: everything that the pages can do, for programs."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from odoorway.console import auth, view
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
from odoorway.console.charts import RANGES
from odoorway.console.jobs import BulkReplay, rate_of
from odoorway.console.latency import noted
from odoorway.console.openapi import document
from odoorway.console.web import Web, problem
from odoorway.journal.accounts import Person, Role
from odoorway.journal.found import Chosen
from odoorway.outside import Unreadable, read_json

_MOST = 200  # events a page
_FIELDS = ("source", "topic", "state", "ordering_key", "external_id", "text", "since", "until")
_CHOSEN = {"source", "destination", "code", "topic", "since", "until", "rate"}
Work = Callable[[Request, Person], Awaitable[Any]]


class CallRefused(Exception):
    """A call that cannot be done; it becomes a problem+json."""

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        """Answer *status*."""
        super().__init__(title)
        self.status, self.title, self.detail = status, title, detail


def routes(web: Web) -> list[Route]:
    """Return the routes of the API."""
    api = Api(web)

    def read(path: str, work: Work) -> Route:
        return Route(f"/api/v1{path}", _endpoint(web, work, Role.VIEWER), methods=["GET"])

    def act(path: str, work: Work) -> Route:
        return Route(f"/api/v1{path}", _endpoint(web, work, Role.OPERATOR), methods=["POST"])

    return [
        Route("/api/v1/openapi.json", _document),
        read("/status", api.status),
        read("/events", api.events),
        read("/events/{id}", api.event),
        read("/events/{id}/dry-run", api.dry_run),
        act("/events/{id}/replay", api.replay),
        act("/events/{id}/give-up", api.give_up),
        act("/events/{id}/try-now", api.try_now),
        read("/problems", api.problems),
        read("/rejections/{id}", api.rejection),
        read("/sources", api.sources),
        act("/sources/{name}/test", api.test),
        read("/destinations", api.destinations),
        read("/history", api.history),
        act("/destinations/{name}/pause", api.pause),
        act("/destinations/{name}/resume", api.resume),
        read("/replays", api.replays),
        act("/replays", api.start),
        read("/replays/{id}", api.job),
        act("/replays/{id}/cancel", api.cancel),
        read("/audit", api.audit),
    ]


def _endpoint(web: Web, work: Work, needed: Role) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        person = await auth.who(request, web.desk, web.sessions)
        if person is None:
            answer = problem(401, "Who is asking?", "Send a token as Authorization: Bearer …")
            answer.headers["www-authenticate"] = "Bearer"
            return answer
        if not person.role.may(needed):
            return problem(403, "Not allowed", f"this needs the role {needed}")
        if request.method != "GET" and not person.is_token and not _from_here(request):
            return problem(403, "Not allowed", "a browser's request has to come from the console")
        try:
            return JSONResponse(
                await work(request, person), 202 if needed is Role.OPERATOR else 200
            )
        except CallRefused as refused:
            return problem(refused.status, refused.title, refused.detail)

    return endpoint


def _from_here(request: Request) -> bool:
    """Tell a program, or a page of ours, from a page elsewhere that uses a visitor's session."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    here = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return site in {None, "same-origin", "none"} and origin in {None, here}


async def _document(request: Request) -> Response:
    return JSONResponse(document(str(request.base_url).rstrip("/")))


class Api:
    """One method a call; what it returns becomes JSON."""

    def __init__(self, web: Web) -> None:
        """Answer from *web*'s desk."""
        self._web, self._desk, self._journal = web, web.desk, web.desk.journal

    async def status(self, _request: Request, _person: Person) -> Any:
        """Return whether orders flow, and what needs a person."""
        now, stats = self._desk.clock.now(), await self._journal.stats()
        found = view.reasons(
            await standings_of(self._web), await self._journal.problems(), stats, now
        )
        oldest = stats.oldest_waiting
        return {
            "health": view.health(found, stats)["level"],
            "reasons": [{key: one[key] for key in ("level", "title", "detail")} for one in found],
            "events": stats.events,
            "rejections": stats.rejections,
            "deliveries": stats.deliveries,
            "oldest_waiting_seconds": None if oldest is None else max(0.0, now - oldest),
            "flows": [_finite(row) for row in await self._flows(now)],
        }

    async def _flows(self, now: float) -> list[dict[str, Any]]:
        await noted(self._desk.latency)
        took = await self._journal.latency(now - 3600, minutes=60)
        return view.flow_rows(await self._journal.flows(), await self._journal.oldest(), took, now)

    async def history(self, request: Request, _person: Person) -> Any:
        """Return what the charts of the overview show."""
        span = request.query_params.get("range", "1h")
        if span not in RANGES:
            raise CallRefused(400, "There is no such range", f"give one of {', '.join(RANGES)}")
        now, (bars, minutes) = self._desk.clock.now(), RANGES[span]
        since = now - bars * minutes * 60
        await noted(self._desk.latency)
        beats = await self._journal.beats(since)
        took = await self._journal.latency(since, minutes=minutes)
        return {
            "flow": [{"at": b.minute * 60, "what": b.what, "count": b.count} for b in beats],
            "latency": [_finite(row) for row in view.latency_rows(took)],
        }

    async def events(self, request: Request, _person: Person) -> Any:
        """Return a page of events, the newest first."""
        given = {name: request.query_params.get(name, "") for name in _FIELDS}
        try:
            wanted = wanted_of(given)
            limit = min(_MOST, max(1, int(request.query_params.get("limit", "50"))))
            before = before_of(request.query_params.get("cursor", ""))
        except (ValueError, OverflowError) as error:
            raise CallRefused(400, "The filter is wrong", str(error)) from None
        page = await self._journal.search(wanted, limit=limit, before=before)
        rows = [
            view.event_row(one, await self._journal.deliveries(event_id=one.id))
            for one in page.events
        ]
        return {"events": rows, "next": page.next, "searched_to": page.searched_to}

    async def event(self, request: Request, _person: Person) -> Any:
        """Return one event with its deliveries and attempts."""
        event = await self._known(request)
        shown = view.event_view(event, self._desk.masked, flaws_of(self._web, event))
        return {**shown, "deliveries": await deliveries_of(self._web, event)}

    async def dry_run(self, request: Request, _person: Person) -> Any:
        """Return what today's handlers would do; nothing is written."""
        return {"routes": await planned_today(self._web, await self._known(request))}

    async def replay(self, request: Request, person: Person) -> Any:
        """Deliver an event again."""
        event = await self._known(request)
        only_dead = request.query_params.get("only") == "dead"
        made = await replay_event(self._web, event.id, person, only_dead=only_dead)
        return {"deliveries": made}

    async def give_up(self, request: Request, person: Person) -> Any:
        """Settle what waits of an event as skipped."""
        event = await self._known(request)
        reason = request.query_params.get("reason", "")
        return {"deliveries": await give_up(self._web, event.id, person, reason)}

    async def try_now(self, request: Request, person: Person) -> Any:
        """Try what waits of an event now."""
        event = await self._known(request)
        return {"deliveries": await try_now(self._web, event.id, person)}

    async def problems(self, _request: Request, _person: Person) -> Any:
        """Return dead letters and rejections by cause."""
        long_ago = self._desk.clock.now() - view.LATE
        found = await self._journal.problems(long_ago=long_ago)
        return {"problems": [view.problem_view(one) for one in found]}

    async def rejection(self, request: Request, _person: Person) -> Any:
        """Return one refused request."""
        found = await self._journal.rejection(request.path_params["id"])
        if found is None:
            raise CallRefused(404, "There is no such rejection")
        return view.rejection_view(found, self._desk.masked)

    async def sources(self, _request: Request, _person: Person) -> Any:
        """Return every source with its endpoint."""
        return {"sources": await sources_of(self._web)}

    async def test(self, request: Request, person: Person) -> Any:
        """Send a source its own recorded sample, signed."""
        sent = await try_source(self._web, request.path_params["name"], person)
        if sent is None:
            raise CallRefused(404, "There is no such source, or no sample of its platform")
        return {"topic": sent[0], "answered": sent[1]}

    async def destinations(self, _request: Request, _person: Person) -> Any:
        """Return how each destination stands."""
        return {"destinations": await destinations_of(self._web)}

    async def pause(self, request: Request, person: Person) -> Any:
        """Deliver nothing more to a destination."""
        return await self._pause(request, person, paused=True)

    async def resume(self, request: Request, person: Person) -> Any:
        """Let a destination go on."""
        return await self._pause(request, person, paused=False)

    async def replays(self, _request: Request, _person: Person) -> Any:
        """Return the bulk replays of this process."""
        return {"replays": [_job(one) for one in self._web.jobs.known.values()]}

    async def start(self, request: Request, person: Person) -> Any:
        """Replay all dead letters of a filter."""
        chosen, rate = await _chosen(request)
        job = await self._web.jobs.start(chosen, person.name, rate)
        await self._web.note(person, "replay", f"{job.id}: {job.text}, {job.total}")
        return _job(job)

    async def job(self, request: Request, _person: Person) -> Any:
        """Return how far a bulk replay is."""
        return _job(self._job(request))

    async def cancel(self, request: Request, person: Person) -> Any:
        """Stop a bulk replay."""
        job = self._job(request)
        self._web.jobs.cancel(job.id)
        await self._web.note(person, "cancel", job.id)
        return _job(job)

    async def audit(self, _request: Request, person: Person) -> Any:
        """Return who did what; administrators only."""
        if not person.role.may(Role.ADMIN):
            raise CallRefused(403, "Not allowed", "this needs the role admin")
        deeds = await self._desk.accounts.deeds()
        return {
            "deeds": [
                {"at": one.at, "who": one.who, "action": one.action, "detail": one.detail}
                for one in deeds
            ]
        }

    async def _known(self, request: Request) -> Any:
        event = await self._journal.event(request.path_params["id"])
        if event is None:
            raise CallRefused(404, "There is no such event")
        return event

    def _job(self, request: Request) -> BulkReplay:
        job = self._web.jobs.known.get(request.path_params["id"])
        if job is None:
            raise CallRefused(404, "There is no such replay")
        return job

    async def _pause(self, request: Request, person: Person, *, paused: bool) -> Any:
        name = request.path_params["name"]
        if not await set_paused(self._web, name, person, paused=paused):
            raise CallRefused(404, "There is no such destination")
        return {"name": name, "paused": paused}


async def _chosen(request: Request) -> tuple[Chosen, float]:
    """Return the filter of a bulk replay, and its rate.

    Raises:
        CallRefused: the body is no JSON object, names something else, or a value is wrong.
    """
    try:
        body = await request.body()
        given = read_json(body) if body else {}
    except Unreadable as error:
        raise CallRefused(400, "The body is not JSON", str(error)) from None
    if not isinstance(given, dict) or not given.keys() <= _CHOSEN:
        raise CallRefused(
            400, "The filter is wrong", f"give an object of {', '.join(sorted(_CHOSEN))}"
        )
    rate = given.pop("rate", "")
    if not all(isinstance(one, str) for one in given.values()) or isinstance(rate, bool):
        raise CallRefused(400, "The filter is wrong", "all but the rate are texts")
    try:
        return chosen_of(given), rate_of(str(rate))
    except (ValueError, OverflowError) as error:
        raise CallRefused(400, "The filter is wrong", str(error)) from None


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """Return *row* without infinities, which JSON does not have."""
    return {key: None if one == math.inf else one for key, one in row.items()}


def _job(job: BulkReplay) -> dict[str, Any]:
    return {
        "id": job.id,
        "text": job.text,
        "total": job.total,
        "done": job.done,
        "rate": job.rate,
        "seconds_left": round(job.left, 1),
        "ended": job.ended,
        "cancelled": job.cancelled,
        "error": job.error,
    }
