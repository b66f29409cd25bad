"""Secrets, and payload fields that are masked, never leave: pages, API, metrics, logs, exports."""

import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from odoorway.sources import shopify, sign
from odoorway.testing import SandboxOdoo

from .gateway_process import eventually, free_port
from .test_cli import Shell

SECRETS = {
    "the source's secret": "shhh-source-1f0e",
    "the API key of Odoo": "shhh-odoo-key-2a9b",
    "a password": "shhh-password-3c7d",
    "the address of alerts": "shhh-alerts-4e5f",
    "the authorization header": "shhh-authorization-5b6a",
    "the cookie header": "shhh-cookie-6d8c",
    "the x-api-key header": "shhh-x-api-key-7f2e",
    "a masked field": "shhh-ada@example.com",
    "a masked field of a refused request": "shhh-refused@example.com",
}
HOOKS = """
from odoorway import Gateway, Upsert, find
from odoorway.sources import shopify

gateway = Gateway()
shop = gateway.source("shop", shopify.source(secret="env:SHOPIFY_SECRET"))
away = gateway.odoo("away", url="http://127.0.0.1:9", database="x", api_key="env:AWAY_KEY")


@shop.on("orders/create")
def order(body: dict) -> Upsert:
    customer = Upsert("res.partner", ("customer", body["id"]), {
        "name": "Ada", "email": body["email"],
    })
    sku = body["line_items"][0]["sku"]
    line = Upsert("sale.order.line", ("line", body["id"]), {
        "product_id": find("product.product", default_code=sku),
    })
    return Upsert("sale.order", ("order", body["id"]), {
        "partner_id": customer, "order_line": [line],
    })


@shop.on("orders/create", destination=away)
def elsewhere(body: dict) -> Upsert:
    return Upsert("res.partner", ("elsewhere", body["id"]), {"email": body["email"]})


@shop.on("orders/broken")
def broken(body: dict) -> Upsert:
    return Upsert("res.partner", ("x", 1), {"name": body["there is no such key"]})
"""


class Site:
    """A gateway in a process of its own, with secrets everywhere, and all that it ever shows."""

    def __init__(self, folder: Path, sandbox: SandboxOdoo, log_format: str) -> None:
        (folder / "hooks.py").write_text(HOOKS)
        self.receiver, self.console = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.shell = Shell(
            folder,
            ODOORWAY_ODOO_URL=sandbox.url,
            ODOORWAY_ODOO_DATABASE=sandbox.database,
            ODOORWAY_ODOO_API_KEY=SECRETS["the API key of Odoo"],
            AWAY_KEY=SECRETS["the API key of Odoo"],
            SHOPIFY_SECRET=SECRETS["the source's secret"],
            ODOORWAY_ALERTS=f"json://ops:{SECRETS['the address of alerts']}@127.0.0.1:9/",
            ODOORWAY_MASKED="email, contact_email",
            ODOORWAY_PORT=self.receiver.rsplit(":", 1)[1],
            ODOORWAY_CONSOLE_PORT=self.console.rsplit(":", 1)[1],
            ODOORWAY_CONSOLE_LOGIN="always",
            ODOORWAY_LOG_FORMAT=log_format,
            ODOORWAY_LOG_PAYLOADS="true",
        )
        self.shown: dict[str, str] = {}
        self.secrets = dict(SECRETS)

    async def send(self, topic: str, body: bytes, secret: str = "") -> int:
        """Send an event as a platform would, with credentials that it has no business to send."""
        definition = shopify.source(secret="x")
        secret = secret or SECRETS["the source's secret"]
        name = str(len(self.secrets))
        headers = sign(definition, secret, body, topic=topic, event_id=name, now=time.time())
        self.secrets[f"the signature of {topic} {name}"] = _signature(headers)
        credentials = {
            "authorization": f"Bearer {SECRETS['the authorization header']}",
            "cookie": f"session={SECRETS['the cookie header']}",
            "x-api-key": SECRETS["the x-api-key header"],
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.receiver}/in/shop", data=body, headers={**headers, **credentials}
            ) as answer,
        ):
            self.shown[f"answer to {topic} {name}"] = str(answer.headers) + await answer.text()
            return answer.status

    async def log_in(self, session: aiohttp.ClientSession) -> None:
        """Log in as ada by the form."""
        async with session.get(f"{self.console}/login") as page:
            (csrf,) = re.findall(r'name="csrf" value="([^"]+)"', await page.text())
        form = {"csrf": csrf, "name": "ada", "password": SECRETS["a password"]}
        async with session.post(f"{self.console}/login", data=form) as answer:
            assert answer.status == 200
            assert answer.url.path == "/"
        cookies = {one.key: one.value for one in session.cookie_jar}
        self.secrets["the session"] = max(cookies.values(), key=len)

    async def walk(self, session: aiohttp.ClientSession) -> None:
        """Look at every page that a link leads to."""
        to_do = ["/", "/metrics", "/events?text=shhh-ada", "/events?state=dead"]
        while to_do:
            path = to_do.pop()
            if path not in self.shown:
                async with session.get(self.console + path) as answer:
                    assert answer.status == 200, path
                    text = self.shown[path] = str(answer.headers) + await answer.text()
                links = re.findall(r'href="(/[^"]*)"', text)
                to_do += [link.replace("&amp;", "&") for link in links if "static" not in link]

    async def call(self, session: aiohttp.ClientSession) -> None:
        """Make every call of the API that only reads."""
        base = f"{self.console}/api/v1"
        async with session.get(f"{base}/openapi.json") as answer:
            paths = json.loads(await answer.text())["paths"]
        async with session.get(f"{base}/events?limit=200") as answer:
            events = json.loads(await answer.text())["events"]
        async with session.get(f"{base}/problems") as answer:
            problems = json.loads(await answer.text())["problems"]
        ids = {"events": [one["id"] for one in events], "replays": []}
        ids["rejections"] = [one["example"] for one in problems if one["kind"] == "rejection"]
        assert len(events) == 4
        assert len(ids["rejections"]) == 1
        for path in (path for path, calls in paths.items() if "get" in calls):
            kind = path.split("/")[3]
            for one in ids[kind] if "{id}" in path else [""]:
                url = self.console + path.replace("{id}", one)
                async with session.get(url) as answer:
                    assert answer.status == 200, url
                    self.shown[url] = await answer.text()

    async def listen(self, session: aiohttp.ClientSession) -> None:
        """Read what comes first over the stream that keeps pages alive."""
        async with session.get(f"{self.console}/live") as answer:
            self.shown["/live"] = str(answer.headers) + str(await answer.content.readany())

    def type(self, *words: str, code: int = 0) -> str:
        """Run a command, and keep what it showed."""
        self.shown[" ".join(words)] = self.shell.run(*words, code=code)
        return self.shown[" ".join(words)]


@pytest.fixture
async def site(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """A site whose gateway got a good, a dead, a broken, an unreadable and a refused event."""
    async with SandboxOdoo(api_key=SECRETS["the API key of Odoo"]) as sandbox:
        sandbox.create("product.product", {"name": "Mug", "default_code": "MUG"})
        site = Site(tmp_path, sandbox, getattr(request, "param", "json"))
        process = site.shell.start("run", "hooks.py")
        try:
            await eventually(lambda: _answers(site.receiver, process))
            await _happen(site)
            yield site
        finally:
            process.terminate()
            output, errors = process.communicate(timeout=60)
        site.shown["the log"] = output + errors
        assert "event.accepted" in site.shown["the log"]
        assert "payload" in site.shown["the log"]
        leaks(site)


def _signature(headers: Mapping[str, str]) -> str:
    return next(value for name, value in headers.items() if name.lower().endswith("hmac-sha256"))


async def _answers(url: str, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _happen(site: Site) -> None:
    def order(number: int, sku: str, email: str) -> bytes:
        line = {"id": number, "sku": sku}
        return json.dumps({"id": number, "email": email, "line_items": [line]}).encode()

    ada = SECRETS["a masked field"]
    assert await site.send("orders/create", order(1, "MUG", ada)) == 202
    assert await site.send("orders/create", order(2, "NONE", ada)) == 202
    assert await site.send("orders/broken", order(3, "MUG", ada)) == 202
    refused = order(4, "MUG", SECRETS["a masked field of a refused request"])
    assert await site.send("orders/create", refused, "another secret") == 401
    assert await site.send("orders/create", b"not json " + refused) == 202

    async def settled() -> bool:
        listed = json.loads(site.shell.run("events", "list", "--json"))
        states = sorted(d["state"] for e in listed for d in e["deliveries"])
        # What is no JSON fails in its handler for `away` too, unless a breaker rests it.
        dead = states.count("dead")
        return dead in (3, 4) and states[dead:] == ["delivered", *["pending"] * (6 - dead)]

    await eventually(settled)


def leaks(site: Site) -> None:
    """Fail with the place of each secret that was shown."""
    found = [
        (where, what)
        for where, text in site.shown.items()
        for what, secret in site.secrets.items()
        if secret in text
    ]
    assert found == []


async def test_nothing_shows_a_secret(site: Site) -> None:
    """Whatever an operator, a program or a shell may look at."""
    password = SECRETS["a password"]
    site.type("user", "add", "ada", "--role", "admin", "--password", password)
    token = site.shell.run("token", "add", "bot", "--role", "admin").strip()
    site.secrets["a token"] = token
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        await site.log_in(session)
        await site.walk(session)
        await site.listen(session)
    assert len([path for path in site.shown if path.startswith("/")]) > 15
    headers = {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        await site.call(session)
    for event in json.loads(site.type("events", "list", "--json")):
        site.type("events", "show", event["id"])
    site.type("events", "list")
    site.type("dead", "list")
    site.type("dead", "list", "--json")
    site.type("status", code=1)
    site.type("status", "--url", site.console, "--token", token, code=1)
    site.type("user", "list", "--json")
    assert '"orders/create"' in site.type("export")
    leaks(site)


@pytest.mark.parametrize("site", ["console"], indirect=True)
async def test_the_log_for_people_shows_none_either(site: Site) -> None:
    """Its end is looked at when the gateway has stopped."""
    assert site.shown
