"""What every answer of the console has in common: templates, headers, and who may see it."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from odoorway import __version__
from odoorway.console import auth
from odoorway.console.auth import Sessions
from odoorway.console.desk import Desk
from odoorway.console.jobs import BulkReplays
from odoorway.console.units import age, within
from odoorway.journal.accounts import Deed, Person, Role
from odoorway.model.delivery import State

PAGES = (
    ("Overview", "/"), ("Events", "/events"), ("Problems", "/problems"), ("Sources", "/sources"),
    ("Destinations", "/destinations"),
)  # fmt: skip
_ADMINS = (("Audit", "/audit"),)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src"
        " 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
}
NOTICE = "odoorway_notice"
_NOTICE_LENGTH = 200  # characters
_NOTICES = 200  # that wait to be shown; each is shown once, to whom it is for
Work = Callable[[Request, Person], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Web:
    """Makes endpoints of functions that get the request and who is asking."""

    def __init__(self, desk: Desk, sessions: Sessions, jobs: BulkReplays) -> None:
        """Serve *desk*."""
        self.desk, self.sessions, self.jobs = desk, sessions, jobs
        self._notices: dict[str, str] = {}  # by what the cookie holds: a link says nothing here
        self._templates = Environment(
            loader=PackageLoader("odoorway.console"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters.update(age=age, within=within)
        self._templates.globals["static"] = lambda name: f"/static/{name}?v={__version__}"

    def page(self, work: Work, needed: Role = Role.VIEWER) -> Endpoint:
        """Return an endpoint that shows a page to who may see it."""

        async def endpoint(request: Request) -> Response:
            person = await auth.who(request, self.desk, self.sessions)
            if person is None:
                return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
            if not person.role.may(needed):
                return await self.show(request, person, "error.html", 403, **_FORBIDDEN)
            return await work(request, person)

        return endpoint

    def action(self, work: Work, needed: Role = Role.OPERATOR) -> Endpoint:
        """Return an endpoint that does what a form of ours asks for."""

        async def endpoint(request: Request) -> Response:
            form = await request.form()
            person = await auth.who(request, self.desk, self.sessions)
            if person is None:
                return RedirectResponse("/login", 303)
            if not auth.is_ours(request, self.sessions, str(form.get("csrf", ""))):
                return await self.show(request, person, "error.html", 403, **_NOT_OURS)
            if not person.role.may(needed):
                return await self.show(request, person, "error.html", 403, **_FORBIDDEN)
            return await work(request, person)

        return endpoint

    async def show(
        self, request: Request, person: Person | None, template: str, status: int = 200, **more: Any
    ) -> Response:
        """Return a page of *template*; a visitor without a session gets a cookie for its forms."""
        mark = auth.seed(request) or secrets.token_urlsafe(16)
        stats = None if person is None else await self.desk.journal.stats()
        told = {
            "pages": PAGES + (_ADMINS if person and person.role.may(Role.ADMIN) else ()),
            "here": request.url.path,
            "person": person,
            "csrf": self.sessions.csrf(mark),
            "may_act": person is not None and person.role.may(Role.OPERATOR),
            "notice": self._notices.pop(request.cookies.get(NOTICE, ""), ""),
            "problem_count": stats.deliveries[State.DEAD] if stats else 0,
            "version": __version__,
            "live_url": "/live" if person else "",
            "title": "Odoorway",
        }
        text = self._templates.get_template(template).render(**(told | more))
        answer = HTMLResponse(text, status)
        if not auth.seed(request):
            answer.set_cookie(auth.CSRF, mark, httponly=True, samesite="strict")
        if NOTICE in request.cookies:
            answer.delete_cookie(NOTICE, httponly=True, samesite="strict")
        return answer

    def back(self, path: str, notice: str) -> Response:
        """Return to a page and say there, once, what was done."""
        while len(self._notices) >= _NOTICES:
            del self._notices[next(iter(self._notices))]
        mark = secrets.token_urlsafe(16)
        self._notices[mark] = notice[:_NOTICE_LENGTH]
        answer = RedirectResponse(path, 303)
        answer.set_cookie(NOTICE, mark, max_age=60, httponly=True, samesite="strict")
        return answer

    async def note(self, person: Person, action: str, detail: str) -> None:
        """Write down who did what."""
        deed = Deed(self.desk.clock.now(), person.name or "local", action, detail)
        await self.desk.accounts.note(deed)


def problem(status: int, title: str, detail: str = "") -> Response:
    """Return an error for a program, as RFC 9457 has it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


_FORBIDDEN = {"title": "Not allowed", "detail": "Your role may look, and not do this."}
_NOT_OURS = {
    "title": "This form is out of date",
    "detail": "It was not made by this console for you. Open the page again and repeat.",
}
