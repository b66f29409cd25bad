"""Who is asking: sessions, tokens, a trusted proxy's header; and that a form is ours."""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from starlette.requests import Request

from odoorway.console.desk import Desk
from odoorway.journal.accounts import Person, Role

SESSION, CSRF = "odoorway_session", "odoorway_csrf"
LIFE = 12 * 3600.0  # seconds a session lasts
_TRIES, _WINDOW = 5, 300.0  # failed logins from an address, and seconds they count
_HASHED_AT_ONCE = 2  # passwords; each takes a core for a quarter of a second, and 64 MiB
_HASHER = PasswordHasher()
ANYBODY = Person("", Role.ADMIN)  # on loopback, where no login is needed


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return _HASHER.hash(password)


def hashed_token(token: str) -> str:
    """Return what is kept of a token, which is random and long enough not to need salt."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(slots=True)
class Sessions:
    """Sessions of this process; a restart ends them.

    A session is of a person as they were when they logged in. What they may do, and whether they
    may still come in, is asked of the accounts at each request.
    """

    _open: dict[str, tuple[Person, float]] = field(default_factory=dict)
    _failed: dict[str, list[float]] = field(default_factory=dict)  # times, by address
    _hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HASHED_AT_ONCE))
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def begin(self, person: Person, now: float) -> str:
        """Return a new session's id; one from before the login is never used on."""
        self._open = {k: v for k, v in self._open.items() if v[1] > now}
        session = secrets.token_urlsafe(32)
        self._open[session] = person, now + LIFE
        return session

    def of(self, session: str, now: float) -> Person | None:
        """Return whose session that is, as they were when it began."""
        person, until = self._open.get(session, (None, 0.0))
        return person if now < until else None

    def end(self, session: str) -> None:
        """Forget a session."""
        self._open.pop(session, None)

    def csrf(self, seed: str) -> str:
        """Return what a form of that session, or of that visitor, has to carry."""
        return hmac.new(self._secret, seed.encode(), "sha256").hexdigest()

    def may_try(self, address: str, now: float) -> bool:
        """Tell whether a login may be tried from there, and count it as failed until it is not.

        It counts before it is known, since many may be under way at once. Names do not count:
        whoever knows one could keep its person out.
        """
        lately = {
            known: [at for at in times if at > now - _WINDOW]
            for known, times in self._failed.items()
            if times[-1] > now - _WINDOW
        }
        origin = _origin(address)
        may = len(lately.get(origin, ())) < _TRIES
        self._failed = lately | ({origin: [*lately.get(origin, ()), now]} if may else {})
        return may

    def worked(self, address: str) -> None:
        """Take back that the last try from there counts as failed."""
        times = self._failed.pop(_origin(address), [])
        if times[:-1]:
            self._failed[_origin(address)] = times[:-1]

    async def fits(self, person: Person | None, password: str) -> bool:
        """Like ``password_fits``, beside the loop that takes webhooks and few at once."""
        async with self._hashing:
            return await asyncio.to_thread(password_fits, person, password)


def _origin(address: str) -> str:
    """Return who stands for an address: of IPv6 anybody has as many as they want."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((given, 64), strict=False)) if given.version == 6 else address  # noqa: PLR2004


def password_fits(person: Person | None, password: str) -> bool:
    """Tell whether it is that person's password; takes as long for nobody."""
    if person is None or person.is_token:
        _HASHER.hash(password)  # costs what verifying costs, so a name's absence does not show
        return False
    try:
        return _HASHER.verify(person.secret, password)
    except Argon2Error:
        return False


async def who(request: Request, desk: Desk, sessions: Sessions) -> Person | None:
    """Return who is asking, or None when they have to log in."""
    now = desk.clock.now()
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await _by_token(desk, token, now)
    if not desk.login:
        return ANYBODY
    proxied = await _by_proxy(request, desk)
    return proxied or await _by_session(request, desk, sessions, now)


async def _by_session(
    request: Request, desk: Desk, sessions: Sessions, now: float
) -> Person | None:
    """Return whose session it is as they are today; one whose password changed logs in again."""
    session = request.cookies.get(SESSION, "")
    began = sessions.of(session, now)
    if began is None:
        return None
    today = next((one for one in await desk.accounts.people() if one.name == began.name), None)
    if today is None or today.is_token or today.secret != began.secret:
        sessions.end(session)
        return None
    return today


async def _by_token(desk: Desk, token: str, now: float) -> Person | None:
    given = hashed_token(token)
    for person in await desk.accounts.people():
        live = person.is_token and (person.expires is None or now < person.expires)
        if live and hmac.compare_digest(person.secret, given):
            return person
    return None


async def _by_proxy(request: Request, desk: Desk) -> Person | None:
    """Return the user that the trusted proxy names; who is not known may look."""
    if desk.proxy is None or request.client is None:
        return None
    header, trusted = desk.proxy
    name = request.headers.get(header, "")
    address = ipaddress.ip_address(request.client.host)
    if not name or address not in trusted:
        return None
    people = {one.name: one for one in await desk.accounts.people() if not one.is_token}
    return people.get(name, Person(name, Role.VIEWER))


def seed(request: Request) -> str:
    """Return what a visitor's forms are tied to: their session, or a cookie of their own."""
    return request.cookies.get(SESSION) or request.cookies.get(CSRF) or ""


def is_ours(request: Request, sessions: Sessions, given: str) -> bool:
    """Tell whether a form was made by us for this visitor, and sent from our own page."""
    mark = seed(request)
    origin = request.headers.get("origin")
    here = f"{request.url.scheme}://{request.headers.get('host', '')}"
    from_us = origin in {None, here} and request.headers.get("sec-fetch-site") != "cross-site"
    return bool(mark) and from_us and hmac.compare_digest(sessions.csrf(mark), given)
