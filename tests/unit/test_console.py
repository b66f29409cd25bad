"""The console: what its pages show, who may see them, and that nothing hostile gets through."""

import asyncio
import re
import threading
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Literal

import httpx
import pytest
from argon2 import PasswordHasher
from console_desk import HOSTILE, PASSWORD, PLAN, Bench, event
from starlette.routing import Route

from odoorway.console import auth
from odoorway.console.auth import Sessions, hashed, hashed_token
from odoorway.console.secret_age import note_secrets, since
from odoorway.errors import JournalSlow
from odoorway.journal.accounts import Deed, Person, Role
from odoorway.journal.found import Took
from odoorway.model.delivery import State

PAGES = ["/", "/?range=7d", "/events", "/problems", "/sources", "/destinations", "/audit",
         f"/events/evt_{1:028}", f"/events/evt_{2:028}", f"/events/evt_{2:028}/dry-run",
         "/rejections/rej_1", "/events?state=dead", "/events?text=ada"]  # fmt: skip
ACTIONS = [f"/events/evt_{2:028}/replay", "/problems/replay", "/jobs/job_1/cancel",
           "/sources/shop/test", "/destinations/odoo/pause",
           "/destinations/odoo/resume"]  # fmt: skip


def csrf_of(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
    assert found, text
    return found[1]


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_lets_a_script_through(path: str) -> None:
    """Payloads, headers, topics, keys and details of a hostile platform are text."""
    bench = Bench()
    await bench.history()
    async with bench.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert HOSTILE not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?! src=\"/static/)|\son\w+=|style=", answer.text)


async def test_the_overview_says_what_needs_a_person() -> None:
    """All flows; then a dead letter, with its fix; then a paused destination."""
    bench = Bench()
    async with bench.client() as client:
        assert "nothing has arrived yet" in (await client.get("/")).text
        await bench.history()
        text = (await client.get("/")).text
        assert "Something needs you" in text
        assert "1 dead letter" in text
        assert "create it if it is missing" in text
        await bench.journal.pause("odoo", 5.0, paused=True)
        assert "odoo is paused by hand" in (await client.get("/")).text


async def test_from_a_dead_letter_to_its_replay() -> None:
    """The problem, its cause, the event with its attempt, and the button that mends it."""
    bench = Bench()
    await bench.history()
    async with bench.client() as client:
        problems = (await client.get("/problems")).text
        assert "A record that is referred to does not exist" in problems
        dead = f"/events/evt_{2:028}"
        assert dead in problems
        page = (await client.get(dead)).text
        assert "odoo.no-match" in page
        answer = await client.post(f"{dead}/replay", data={"csrf": csrf_of(page)})
        assert answer.status_code == 303
        assert "1 deliveries" in (await client.get(answer.headers["location"])).text
        assert "Nothing needs a person" not in (await client.get("/problems")).text
    assert bench.woken == 1
    assert (await bench.journal.stats()).deliveries[State.DEAD] == 0
    assert [one.action for one in await bench.accounts.deeds()] == ["replay"]


async def test_the_audit_log_is_for_administrators() -> None:
    """Who paused what, newest first; nobody else sees the page, or a way to it."""
    bench = Bench(login=True)
    await bench.people()
    for number in range(150):
        await bench.accounts.note(Deed(float(number), "ada", "pause", f"odoo {number}"))
    async with bench.client() as client:
        for role, status in (("viewer", 403), ("operator", 403), ("admin", 200)):
            headers = {"authorization": f"Bearer t-{role}"}
            answer = await client.get("/audit", headers=headers)
            assert answer.status_code == status
            assert ("odoo 149" in answer.text) is (status == 200)
            overview = (await client.get("/", headers=headers)).text
            assert ('href="/audit"' in overview) is (status == 200)
        assert "odoo 49" not in answer.text
        assert 'href="/audit?limit=200"' in answer.text
        assert "odoo 0<" in (await client.get("/audit?limit=200", headers=headers)).text
        assert (await client.get("/audit?limit=x", headers=headers)).status_code == 200


async def test_a_group_is_replayed_with_progress() -> None:
    """All dead letters of one cause, by one button; others stay."""
    bench = Bench()
    await bench.history()
    async with bench.client() as client:
        page = (await client.get("/problems")).text
        form = {"csrf": csrf_of(page), "source": "shop", "code": "odoo.no-match"}
        answer = await client.post("/problems/replay", data=form)
        assert answer.status_code == 303
        job: dict[str, Any] = {"ended": False}
        async with asyncio.timeout(10):
            while not job["ended"]:
                job = (await client.get("/api/v1/replays/job_1")).json()
                await asyncio.sleep(0.005)  # lets the job go on; no decision rests on the time
        assert (job["done"], job["total"], job["error"]) == (1, 1, "")
        missed = (await client.post("/api/v1/replays", json={"code": "odoo.timeout"})).json()
        assert missed["total"] == 0


async def test_a_source_shows_since_when_it_has_its_secret() -> None:
    """The start that first saw it: neither the next start nor ten thousand deeds change it."""
    bench = Bench()
    for now, mark in ((1.0, "a"), (2.0, "b"), (3.0, "b")):
        await note_secrets(bench.accounts, {"shop": mark}, now)
    await asyncio.gather(
        *(bench.accounts.note(Deed(4.0, "ada", "login", "")) for _ in range(10_001))
    )
    assert await since(bench.accounts) == {"shop": 2.0}
    await note_secrets(bench.accounts, {"shop": "b"}, 5.0)
    assert await since(bench.accounts) == {"shop": 2.0}
    told = [one.at for one in await bench.accounts.deeds(10_100) if one.action == "secret"]
    assert told == [2.0, 1.0]
    async with bench.client() as client:
        assert "1970-01-01 00:00:02" in (await client.get("/sources")).text


async def test_links_lead_into_odoo_and_nowhere_else() -> None:
    """A written record is a link to it."""
    bench = Bench()
    await bench.history()
    async with bench.client() as client:
        page = (await client.get(f"/events/evt_{1:028}")).text
    assert "https://odoo.example.com/web#id=7&amp;model=sale.order" in page


async def test_masked_fields_are_hidden_everywhere() -> None:
    """In the console and the API, pretty and raw."""
    bench = Bench(masked=("EMAIL",))
    await bench.history()
    async with bench.client() as client:
        for path in (f"/events/evt_{1:028}", f"/api/v1/events/evt_{1:028}"):
            assert "ada@example.com" not in (await client.get(path)).text
        assert "alert" not in (await client.get("/api/v1/rejections/rej_1")).json()["body"]


async def test_a_question_that_takes_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a page for people and as a problem for programs; the others are answered as ever."""

    async def slow(**_: object) -> None:
        raise JournalSlow("ask for less")

    bench = Bench()
    monkeypatch.setattr(bench.journal, "problems", slow)
    async with bench.client() as client:
        page = await client.get("/problems")
        assert (page.status_code, "ask for less" in page.text) == (503, True)
        assert "<h1>This takes too long</h1>" in page.text
        told = await client.get("/api/v1/problems")
        assert (told.status_code, told.json()["detail"]) == (503, "ask for less")
        assert (await client.get("/events")).status_code == 200


async def test_a_wrong_filter_says_what_is_wrong() -> None:
    """A state or a time that is none; the page still stands."""
    async with Bench().client() as client:
        for path in ("/events?state=nope", "/events?since=yesterday", "/events?before=x",
                     f"/events?before={10**20}", "/events?before=-1"):  # fmt: skip
            answer = await client.get(path)
            assert (answer.status_code, "The filter is wrong" in answer.text) == (400, True)
        assert (await client.get("/events/evt_nope")).status_code == 404
        assert (await client.get("/nowhere")).status_code == 404


async def test_without_a_session_there_is_nothing() -> None:
    """Every page leads to the login, every form and call is refused, metrics too."""
    bench = Bench(login=True)
    await bench.history()
    async with bench.client() as client:
        for path in [*PAGES, "/metrics", "/live"]:
            answer = await client.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login")
        for path in ACTIONS:
            assert (await client.post(path)).headers["location"] == "/login"
        for path in ("/status", "/events", "/problems", "/destinations", "/replays", "/audit"):
            answer = await client.get(f"/api/v1{path}")
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert (await client.post("/api/v1/replays", json={})).status_code == 401


async def test_logging_in_and_out() -> None:
    """A fresh session for who knows the password; gone after the logout."""
    bench = Bench(login=True)
    await bench.people()
    async with bench.client() as client:
        client.cookies.set("odoorway_session", "chosen-by-an-attacker")
        page = (await client.get("/login?next=/events")).text
        form = {"csrf": csrf_of(page), "name": "operator", "password": PASSWORD}
        answer = await client.post("/login?next=/events", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/events")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "chosen-by-an-attacker" not in cookie
        client.cookies.delete("odoorway_session", domain="console")
        client.cookies.set("odoorway_session", re.findall(r"session=([^;]+)", cookie)[0])
        page = (await client.get("/events")).text
        assert "operator" in page
        await client.post("/logout", data={"csrf": csrf_of(page)})
        assert (await client.get("/events")).status_code == 303


async def test_a_login_is_limited_and_leads_only_to_us() -> None:
    """Five failures, then a pause; a foreign address to go on to is ignored."""
    bench = Bench(login=True)
    await bench.people()
    async with bench.client() as client:
        form = {"csrf": csrf_of((await client.get("/login")).text), "name": "viewer"}
        there = await client.post("/login?next=//evil", data={**form, "password": PASSWORD})
        assert there.headers["location"] == "/"
        client.cookies.clear()
        form["csrf"] = csrf_of((await client.get("/login")).text)
        for _ in range(5):
            assert (await client.post("/login", data={**form, "password": "x"})).status_code == 401
        again = await client.post("/login", data={**form, "password": PASSWORD})
        assert again.status_code == 429
        forged = await client.post("/login", data={**form, "csrf": "0" * 64, "password": PASSWORD})
        assert forged.status_code == 403


def test_a_wrong_password_costs_the_same_whoever_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One hash for somebody, for nobody and for a token: an answer's time tells no names."""
    costs = []

    class Counting(PasswordHasher):
        def hash(self, *args: Any, **more: Any) -> str:
            costs.append("hash")
            return super().hash(*args, **more)

        def verify(self, *args: Any, **more: Any) -> Literal[True]:
            costs.append("verify")
            return super().verify(*args, **more)

    known = Person("ada", Role.VIEWER, hashed(PASSWORD))
    token = Person("ci", Role.VIEWER, hashed_token(PASSWORD), is_token=True)
    monkeypatch.setattr(auth, "_HASHER", Counting())
    for one in (known, None, token):
        assert not auth.password_fits(one, "wrong")
    assert costs == ["verify", "hash", "hash"]
    assert not auth.password_fits(token, PASSWORD)
    assert auth.password_fits(known, PASSWORD)


async def test_nobody_is_kept_out_by_strangers() -> None:
    """Five failures elsewhere do not keep somebody out whose name is known; many at once count."""
    bench = Bench(login=True)
    await bench.people()
    form = {"name": "viewer", "password": "wrong"}

    async def tried(address: str, **given: str) -> int:
        transport = httpx.ASGITransport(app=bench.app, client=(address, 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            csrf = csrf_of((await client.get("/login")).text)
            return (await client.post("/login", data={**form, **given, "csrf": csrf})).status_code

    answers = await asyncio.gather(*(tried("10.0.0.9") for _ in range(8)))
    assert sorted(answers) == [401] * 5 + [429] * 3
    for number in range(6):
        assert await tried(f"fe80::{number}") == (401 if number < 5 else 429)
    assert await tried("10.0.0.8", password=PASSWORD) == 303
    assert [await tried("10.0.0.8") for _ in range(6)] == [401] * 5 + [429]


def test_failed_logins_are_forgotten() -> None:
    """After five minutes, also those of addresses that never come again."""
    sessions = Sessions()
    for number in range(1_000):
        sessions.may_try(f"10.0.{number // 256}.{number % 256}", 0.0)
    assert sessions.may_try("10.9.9.9", 301.0)
    assert len(sessions._failed) == 1


async def test_a_password_is_hashed_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop takes webhooks: a quarter of a second of hashing is not its work."""
    threads = []

    def fits(*_: object) -> bool:
        threads.append(threading.current_thread())
        return False

    monkeypatch.setattr(auth, "password_fits", fits)
    await Sessions().fits(None, "x")
    assert threads != [threading.current_thread()]


async def test_roles() -> None:
    """A viewer looks, an operator acts, an administrator reads the audit log."""
    bench = Bench(login=True)
    await bench.people()
    await bench.history()
    async with bench.client() as client:

        def token(role: str) -> dict[str, str]:
            return {"authorization": f"Bearer t-{role}"}

        pause = "/api/v1/destinations/odoo/pause"
        assert (await client.get("/api/v1/status", headers=token("viewer"))).status_code == 200
        assert (await client.post(pause, headers=token("viewer"))).status_code == 403
        assert (await client.post(pause, headers=token("operator"))).status_code == 202
        assert (await client.get("/api/v1/audit", headers=token("operator"))).status_code == 403
        deeds = (await client.get("/api/v1/audit", headers=token("admin"))).json()["deeds"]
        assert [(one["who"], one["action"]) for one in deeds] == [("operator-token", "pause")]
        assert (await client.get("/api/v1/status", headers=token("nobody"))).status_code == 401


@pytest.mark.parametrize("path", ACTIONS)
async def test_no_form_of_a_stranger_is_taken(path: str) -> None:
    """Without our mark, with a stranger's origin, or from another site: nothing is done."""
    bench = Bench()
    await bench.history()
    async with bench.client() as client:
        page = (await client.get(f"/events/evt_{2:028}")).text
        good = csrf_of(page)
        for data, headers in (
            ({}, {}),
            ({"csrf": "0" * 64}, {}),
            ({"csrf": good}, {"origin": "https://evil.example"}),
            ({"csrf": good}, {"sec-fetch-site": "cross-site"}),
        ):
            assert (await client.post(path, data=data, headers=headers)).status_code == 403
        evil = {"origin": "https://evil.example"}
        assert (await client.post("/api/v1/replays", headers=evil)).status_code == 403
    assert await bench.accounts.deeds() == []


async def test_a_foreign_name_for_this_machine_is_refused() -> None:
    """DNS rebinding: without a login the console answers to its own names only."""
    async with Bench().client() as client:
        assert (await client.get("/", headers={"host": "evil.example"})).status_code == 421


async def test_a_token_ends_and_a_viewer_may_not_act() -> None:
    """An expired token is nobody's; a password is no token; a viewer's form is refused."""
    bench = Bench(login=True)
    await bench.people()
    await bench.history()
    old = Person("old", Role.ADMIN, hashed_token("t-old"), 1.0, is_token=True)
    await bench.accounts.put(old)
    await bench.accounts.put(Person("odd", Role.ADMIN, hashed_token("t-odd")))
    async with bench.client() as client:
        for token in ("t-old", "t-odd"):
            headers = {"authorization": f"Bearer {token}"}
            assert (await client.get("/api/v1/status", headers=headers)).status_code == 401
        viewer = Person("v", Role.VIEWER)
        await bench.accounts.put(viewer)
        session = bench.sessions().begin(viewer, bench.desk.clock.now())
        client.cookies.set("odoorway_session", session)
        page = (await client.get("/destinations")).text
        assert '<form method="post" action="/destinations' not in page
        for path in ACTIONS:
            form = {"csrf": bench.sessions().csrf(session)}
            assert (await client.post(path, data=form)).status_code == 403, path


@pytest.mark.parametrize("gone", ["removed", "demoted", "another password", "a token now"])
async def test_who_may_no_longer_come_in_is_out_at_once(gone: str) -> None:
    """A session is no more than its person is today; nobody waits for it to end."""
    bench = Bench(login=True)
    ada = Person("ada", Role.ADMIN, "secret")
    await bench.accounts.put(ada)
    session = bench.sessions().begin(ada, bench.desk.clock.now())
    async with bench.client(cookies={"odoorway_session": session}) as client:
        assert (await client.get("/audit")).status_code == 200
        form = {"csrf": bench.sessions().csrf(session)}
        if gone == "removed":
            await bench.accounts.remove("ada")
        else:
            role = Role.VIEWER if gone == "demoted" else ada.role
            secret = "other" if gone == "another password" else ada.secret
            again = Person("ada", role, secret, is_token=gone == "a token now")
            await bench.accounts.put(again)
        refused = 403 if gone == "demoted" else 303
        assert (await client.get("/audit")).status_code == refused
        await client.post("/destinations/odoo/pause", data=form)
        assert (await client.get("/")).status_code == (200 if gone == "demoted" else 303)
    assert not (await bench.journal.standing("odoo")).paused


async def test_a_trusted_proxy_names_the_user() -> None:
    """Its header counts from its network only; who is not known may look."""
    trusted, elsewhere = (("x-user", ip_network(one)) for one in ("127.0.0.0/8", "10.0.0.0/8"))
    for proxy, status in ((trusted, 200), (elsewhere, 303)):
        async with Bench(login=True, proxy=proxy).client(headers={"x-user": "ada"}) as client:
            assert (await client.get("/")).status_code == status


async def test_the_api_pages_through_events() -> None:
    """By its cursor, and every wrong filter is a problem+json."""
    bench = Bench()
    await bench.history()
    async with bench.client() as client:
        first = (await client.get("/api/v1/events?limit=2")).json()
        rest = (await client.get(f"/api/v1/events?limit=2&cursor={first['next']}")).json()
        assert [one["id"][-1] for one in first["events"] + rest["events"]] == ["3", "2", "1"]
        for query in ("state=x", "since=x", "limit=x", "cursor=x", "cursor=99999999999999999999"):
            answer = await client.get(f"/api/v1/events?{query}")
            assert answer.status_code == 400, query
            assert answer.headers["content-type"] == "application/problem+json"
        document = (await client.get("/api/v1/openapi.json")).json()
        routes = [one for one in bench.app.routes if isinstance(one, Route)]
        served = {one.path for one in routes if one.path.startswith("/api/v1")}
        assert set(document["paths"]) == served - {"/api/v1/openapi.json"}


async def test_the_examples_of_the_api_are_like_its_answers() -> None:
    """What the description shows has the fields that an answer has, no more and no fewer."""
    bench = Bench()
    await bench.history()
    await bench.accounts.note(Deed(1.0, "ada", "pause", "odoo"))
    now = bench.desk.clock.now()
    await bench.journal.note_latency([Took(int(now // 60), "shop", "odoo", 0.5, 1)], since=0)
    await bench.journal.append(replace(event(9), received_at=now), [PLAN])
    async with bench.client() as client:
        paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
        await client.post("/api/v1/replays", json={"code": "odoo.timeout"})
        ids = {"events": f"evt_{2:028}", "rejections": "rej_1", "replays": "job_1"}
        looked_at = 0
        for path, calls in paths.items():
            if "get" in calls:
                told = calls["get"]["responses"]["200"]["content"]["application/json"]["example"]
                answer = await client.get(path.replace("{id}", ids.get(path.split("/")[3], "")))
                assert answer.status_code == 200
                assert _shape(told) == _shape(answer.json()), path
                looked_at += 1
    assert looked_at > 9


def _shape(value: object) -> object:
    """Return the names in *value*; a list is as its first item, a text or number is nothing."""
    match value:
        case dict():
            return {key: _shape(inner) for key, inner in value.items()}
        case [first, *_]:
            return [_shape(first)]
    return None
