"""HTML in paths, headers, topics, ids, payloads, answers and links: on every page it is text."""

import re
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from served import gateway_to, served, sink, told

EVIL = (
    "<img src=x onerror=alert(1)>\"'><script>alert(2)</script></pre><svg/onload=alert(3)>"
    "{{7*7}}${7*7}javascript:alert(4)"
)
RAW = ("<img src=x", "<script>alert", "<svg/onload", "\"'><script", ">49<")
WANTED = {
    "content-security-policy": "default-src 'none'", "x-frame-options": "DENY",
    "x-content-type-options": "nosniff", "cache-control": "no-store",
    "referrer-policy": "same-origin",
}  # fmt: skip
FILTERS = (
    "source", "topic", "ordering_key", "external_id", "text", "since", "before", "state", "notice",
)  # fmt: skip


async def _answer(request: web.Request, _body: bytes) -> web.Response:
    return web.Response(status=400, text=f"<html>{EVIL}</html>", content_type="text/html")


async def test_every_page_shows_it_as_text(tmp_path: Path) -> None:
    async with sink() as erp, served(gateway_to(erp.url), tmp_path) as gateway:
        erp.answer = _answer
        await gateway.post(f"/in/{quote(EVIL, safe='')}", EVIL.encode(), **{"X-Evil": EVIL})
        await gateway.post("/in/shop", EVIL.encode(), **{"X-Shopify-Topic": EVIL})
        assert await gateway.send(f"no JSON {EVIL}".encode()) == 202
        body = told(id=EVIL, topic=EVIL, key=EVIL, version=EVIL, **{EVIL: EVIL})
        assert await gateway.send(body) == 202
        await gateway.settled()
        events = [one.id for one in await gateway.journal.events(limit=9)]
        refused = [one.id for one in await gateway.journal.rejections(limit=9)]
        pages = ["/", "/events", "/problems", "/sources", "/destinations", "/audit", "/nope"]
        pages += [f"/events/{one}{more}" for one in events for more in ("", "/dry-run")]
        pages += [f"/rejections/{one}" for one in refused]
        pages += [f"/events?{name}={quote(EVIL)}" for name in FILTERS]
        pages += [f"/problems?notice={quote(EVIL)}", f"/events/{quote(EVIL, safe='')}"]
        for page in pages:
            async with gateway.session.get(f"{gateway.console}{page}") as answer:
                text = await answer.text()
                assert answer.status < 500, page
                assert not [mark for mark in RAW if mark in text], page
                for name, start in WANTED.items():
                    assert answer.headers[name].startswith(start), (page, name)
                assert not re.search(r" style=|<script(?! src=\"/static/)", text), page
        for path in (*(f"/api/v1/events/{one}" for one in events), "/metrics"):
            async with gateway.session.get(f"{gateway.console}{path}") as answer:
                assert "html" not in answer.headers["content-type"]
        assert "alert" not in (await gateway.get("/metrics"))[1]


async def test_a_link_says_nothing_in_the_consoles_name(tmp_path: Path) -> None:
    """What an action did is told once, to whom it was done; a cookie of one's own tells nothing."""
    async with sink() as erp, served(gateway_to(erp.url), tmp_path) as gateway:
        assert await gateway.send(told()) == 202
        (one,) = await gateway.settled()
        assert "call 0900" not in (await gateway.get("/problems?notice=call+0900"))[1]
        gateway.session.cookie_jar.update_cookies({"odoorway_notice": "call 0900"})
        assert "call 0900" not in (await gateway.get("/problems"))[1]
        page = f"/events/{one.event_id}"
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', (await gateway.get(page))[1])
        assert found
        form = {"csrf": found[1]}
        async with gateway.session.post(f"{gateway.console}{page}/replay", data=form) as answer:
            assert "1 deliveries will be made again" in await answer.text()
            assert "notice" not in answer.url.query
        assert "will be made again" not in (await gateway.get(page))[1]
