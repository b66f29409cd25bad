"""The web application for operators; it listens on an address of its own."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from odoorway.console import auth, pages
from odoorway.console.api import routes as api_routes
from odoorway.console.auth import CSRF, SESSION, Sessions
from odoorway.console.desk import Desk
from odoorway.console.jobs import BulkReplays
from odoorway.console.live import Live
from odoorway.console.metrics import Metrics
from odoorway.console.web import HEADERS, Web, problem
from odoorway.errors import JournalSlow, JournalUnavailable
from odoorway.journal.accounts import Person
from odoorway.outside import read_host

_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
_STATIC = Path(__file__).parent / "static"


def build_app(desk: Desk, metrics: Metrics) -> Starlette:
    """Return the application: pages, API and metrics over one desk."""
    sessions, jobs = Sessions(), BulkReplays(desk.journal, desk.clock, desk.wake)
    web, live = Web(desk, sessions, jobs), Live(desk)

    async def scrape(_request: Request, _person: Person) -> Response:
        return Response(await metrics.text(), media_type=_EXPOSITION)

    async def listen(request: Request, _person: Person) -> Response:
        return await live.stream(request)

    async def unavailable(request: Request, error: Exception) -> Response:
        slow = isinstance(error, JournalSlow)
        title = "This takes too long" if slow else "The journal is unavailable"
        if request.url.path.startswith(("/api/", "/metrics", "/live")):
            return problem(503, title, str(error))
        return await web.show(request, None, "error.html", 503, title=title, detail=str(error))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await jobs.close()

    door = Door(web)
    app = Starlette(
        routes=[
            Route("/metrics", web.page(scrape)),
            Route("/live", web.page(listen)),
            Route("/login", door.ask),
            Route("/login", door.enter, methods=["POST"]),
            Route("/logout", door.leave, methods=["POST"]),
            *pages.routes(web),
            *api_routes(web),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={JournalUnavailable: unavailable},
        middleware=[Middleware(Guard, desk=desk)],
        lifespan=lifespan,
    )
    app.state.sessions = sessions
    return app


class Guard:
    """Adds the headers of every answer, and refuses to be called by a foreign name.

    A web page elsewhere can point a name of its own at this machine; without a login that page
    could then read ours.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        """Guard *app*."""
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self._is_known(scope):
            refused = PlainTextResponse("The console is not known by this name.", 421)
            await refused(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [
                    (name.encode(), value.encode())
                    for name, value in HEADERS.items()
                    if name.encode() not in known
                ]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _is_known(self, scope: Scope) -> bool:
        if not self._desk.hosts:
            return True
        given = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return read_host(given) in self._desk.hosts


class Door:
    """Logging in and out."""

    def __init__(self, web: Web) -> None:
        """Open sessions of *web*."""
        self._web = web

    async def ask(self, request: Request) -> Response:
        """Show the form."""
        return await self._web.show(request, None, "login.html", wrong="")

    async def enter(self, request: Request) -> Response:
        """Open a session for who knows the password; five failures of an address make a pause."""
        form = await request.form()
        sessions, desk = self._web.sessions, self._web.desk
        now = desk.clock.now()
        name, address = (
            str(form.get("name", ""))[:100],
            request.client.host if request.client else "",
        )
        if not auth.is_ours(request, sessions, str(form.get("csrf", ""))):
            return await self._again(request, "The form was out of date; please repeat.", 403)
        if not sessions.may_try(address, now):
            return await self._again(request, "Too many failures; wait five minutes.", 429)
        people = {one.name: one for one in await desk.accounts.people()}
        person = people.get(name)
        fits = await sessions.fits(person, str(form.get("password", "")))
        if person is None or not fits:
            return await self._again(request, "Name or password is wrong.", 401)
        sessions.worked(address)
        await self._web.note(person, "login", address)
        answer = RedirectResponse(_safe(request.query_params.get("next", "/")), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            SESSION, sessions.begin(person, now), max_age=int(auth.LIFE), httponly=True,
            samesite="strict", secure=secure,
        )  # fmt: skip
        answer.delete_cookie(CSRF)
        return answer

    async def leave(self, request: Request) -> Response:
        """End the session."""
        form = await request.form()
        if auth.is_ours(request, self._web.sessions, str(form.get("csrf", ""))):
            self._web.sessions.end(request.cookies.get(SESSION, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(SESSION)
        return answer

    async def _again(self, request: Request, wrong: str, status: int) -> Response:
        return await self._web.show(request, None, "login.html", status, wrong=wrong)


def _safe(path: str) -> str:
    """Return where to go after the login: a page of ours only."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
