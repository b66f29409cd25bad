"""Payloads deep, huge, doubled or no JSON at all: kept, told apart, shown, exported, delivered.

A shop's customer writes names, notes and ids, and the platform signs them.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acceptance.gateway_process import eventually
from odoorway import Forward, Gateway
from odoorway.journal.sqlite import SqliteJournal
from odoorway.outside import Unreadable, read_json
from served import Served, gateway_to, served, sink, told


def body(more: bytes, ident: bytes = b'"i"') -> bytes:
    return b'{"id": %s, "topic": "t", "key": "k", %s}' % (ident, more)


def nested(depth: int) -> bytes:
    return body(b'"v": ' + b"[" * depth + b"]" * depth)


BODIES = {
    "a hundred deep": nested(99),
    "a hundred and one deep": nested(100),
    "nine hundred deep": nested(900),
    "objects": body(b'"v": ' + b'{"a": ' * 900 + b"1" + b"}" * 900),
    "a hundred thousand deep": nested(100_000),
    "never closed": b"[" * 500_000,
    "a million lists": b"[" + b"[]," * 1_000_000 + b"[]]",
    "much white space": body(b'"v": [' + b"[" * 97 + b"1," * 4_000 + b"1" + b"]" * 97 + b"]"),
    "NUL in the id": body(b'"v": 1', rb'"a\u0000b"'),
    "NUL everywhere": rb'{"id": "\u0000", "topic": "\u0000", "key": "\u0000", "version": "\u0000"}',
    "NUL as a name": body(rb'"a\u0000": "\u0000"', b'"name"'),
    "half a character": body(rb'"v": "\udfff"', rb'"\ud800"'),
    "half a character in UTF-8": body(b'"v": "\xed\xa0\x80"'),
    "an endless number": body(b'"v": ' + b"9" * 5_000),
    "a long number as id": body(b'"v": 1', b"9" * 400),
    "an endless exponent": body(b'"v": 1e999999'),
    "no number": body(b'"v": NaN'),
    "infinity": body(b'"v": -Infinity'),
    "a name twice": body(b'"id": "second"'),
    "a mark of byte order": b"\xef\xbb\xbf" + body(b'"v": 1'),
    "UTF-16": '{"id": "u"}'.encode("utf-16"),
    "no UTF-8": body(b'"v": "\xff\xc0\xaf"'),
    "nothing": b"",
    "blanks": b" \n\t",
    "a scalar": b"1",
    "null": b"null",
    "a list": b"[]",
    "a long id": body(b'"v": 1', b'"' + b"x" * 100_000 + b'"'),
    "an id that is none": body(b'"v": 1', b"true"),
    "an object as id": body(b'"v": 1', b'{"a": 1}'),
    "a version without end": body(b'"version": ' + b"9" * 300),
    "ends of lines": body(b'"v": 1', b'"\xe2\x80\xa8"'),
    "names of Python's": body(b'"__proto__": 1, "__class__": 2, "{{7*7}}": "{0.__class__}"'),
}  # fmt: skip


@pytest.mark.parametrize("masked", ["", "email"])
async def test_every_body_is_kept_shown_and_done_with(tmp_path: Path, masked: str) -> None:
    """Nothing answers 5xx, no page and no command fails, and what comes after is delivered."""
    async with (
        sink() as destination,
        served(gateway_to(destination.url), tmp_path, masked=masked) as gateway,
    ):
        for name, one in BODIES.items():
            assert await gateway.send(one) == 202, name
            headers = {"X-Id": f"raw {name}", "X-Topic": "bytes"}
            assert await gateway.send(one, "raw", headers) == 202, name
            assert await gateway.post("/in/plain", one, **{"X-Sig": "0" * 64}) == 401, name
        assert await gateway.send(told(id="last", key="last")) == 202
        deliveries = await gateway.settled()
        assert {one.state for one in deliveries} <= {"delivered", "dead"}
        raw = sorted(sent for path, sent in destination.got if path == "/raw")
        assert raw == sorted(BODIES.values())  # as they came
        assert any(b'"last"' in sent for path, sent in destination.got)
        await _all_is_shown(gateway)
        assert "internal-error" not in gateway.log
    exported = await asyncio.to_thread(_run, tmp_path, "export", masked)
    lines = exported.splitlines()
    assert len(lines) == len(read_ids(lines)) > len(BODIES)
    if not masked:
        (tmp_path / "events.jsonl").write_text(exported)
        (tmp_path / "other").mkdir()
        await SqliteJournal.open(tmp_path / "other" / "journal.db").close()
        await asyncio.to_thread(_run, tmp_path / "other", "import", "", "../events.jsonl")
        again = await asyncio.to_thread(_run, tmp_path / "other", "export", "")
        assert read_ids(again.splitlines()) == read_ids(lines)


def read_ids(lines: list[str]) -> set[Any]:
    return {json.loads(line)["id"] for line in lines}  # a masked one is a level deeper


async def _all_is_shown(gateway: Served) -> None:
    """Look at every page there is of every event and rejection."""
    events = await gateway.journal.events(limit=200)
    for event in events:
        for page in ("/events/{}", "/events/{}/dry-run", "/api/v1/events/{}"):
            status, text = await gateway.get(page.format(event.id))
            assert status == 200, (page, event.body[:60])
            assert len(text) < 40 * len(event.body) + 700_000

    async def all_recorded() -> bool:
        return len(await gateway.journal.rejections(limit=200)) == len(BODIES)

    await eventually(all_recorded)
    for one in await gateway.journal.rejections(limit=200):
        for page in ("/rejections/{}", "/api/v1/rejections/{}"):
            assert (await gateway.get(page.format(one.id)))[0] == 200, one.body[:60]
    for page in ("/", "/events", "/problems", "/api/v1/events", "/api/v1/problems", "/metrics"):
        assert (await gateway.get(page))[0] == 200, page


def _run(folder: Path, command: str, masked: str, *words: str) -> str:
    journal = ["--journal", str(folder / "journal.db")]
    more = ["--masked", masked] if masked else []
    done = subprocess.run(
        [sys.executable, "-c", "from odoorway.cli.main import main; main()", command, *words,
         *journal, *more],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_all_readers_read_the_same(tmp_path: Path) -> None:
    """The handler, the identity, the page and the export: no two of them differ about a body."""
    seen: dict[str, Any] = {}

    def declare(gateway: Gateway) -> None:
        @gateway.sources["plain"].on("seen", destination="sink", name="seen")
        def one(payload: dict) -> Forward:
            return Forward("/seen", body=payload)

    payload = rb'{"id": "a\u0000\ud800", "topic": "seen", "key": "\ud83d\ude00", "n": 1.10}'
    async with sink() as destination:
        gateway = gateway_to(destination.url, declare=declare)
        async with served(gateway, tmp_path) as running:
            assert await running.send(payload) == 202
            await running.settled()
            (event,) = await running.journal.events(limit=2)
            _, page = await running.get(f"/api/v1/events/{event.id}")
    seen = {path: read_json(sent) for path, sent in destination.got}["/seen"]
    assert event.body == payload
    assert seen["id"] == event.idempotency_key == read_json(read_json(page)["pretty"])["id"]
    assert seen["id"] == r"a\u0000\ud800"


@pytest.mark.parametrize("depth", [101, 200, 900, 100_000])
def test_no_value_is_deeper_than_its_readers_walk(depth: int) -> None:
    with pytest.raises(Unreadable):
        read_json(b"[" * depth + b"]" * depth)
