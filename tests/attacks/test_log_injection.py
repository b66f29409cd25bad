"""What strangers and senders write stands in no log and on no terminal as they wrote it."""

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

from served import OBEYED, Served, gateway_to, printed, served, sink, told

EVIL = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m\r\nforged line\u202e\u2066\u200f\u2028"
    " [bold]x[/nope] \x00\x7f"
)
NO_SPACE = "\x1b[2J\x9b31m\u202e\x7f"  # a value with a space, the log's library quotes
COMMANDS = (["events", "list"], ["dead", "list"], ["status"])


async def _strangers(gateway: Served) -> None:
    """Write evil into paths, topics, ids, keys, bodies and headers."""
    for text in (EVIL, NO_SPACE):
        await gateway.post(f"/in/{quote(text, safe='')}", text.encode())
        await gateway.post(f"/{quote(text, safe='')}")
        body = told(id=text, topic=text, key=text + "key", version=text, note=text)
        assert await gateway.send(body) == 202
    raw = b'{"id": "raw", "topic": "t", "key": "k", "n": "\x7f\xc2\x9b\xe2\x80\xae"}'
    assert await gateway.send(raw) == 202
    await gateway.post("/in/shop", b"{}", **{"X-Shopify-Topic": "orders/\xe2\x9b31m [/nope]"})
    await gateway.settled()


@pytest.mark.parametrize("form", ["console", "json"])
async def test_no_log_line_obeys_a_sender(tmp_path: Path, form: str) -> None:
    """One line an event, whatever stands in it, in both renderers, payloads too."""
    async with sink() as destination:
        gateway = gateway_to(destination.url)
        async with served(gateway, tmp_path, log_format=form, log_payloads=True) as running:
            await _strangers(running)
    lines = running.log.splitlines()
    assert any("event.accepted" in line for line in lines)
    assert not [line for line in lines if OBEYED.search(line)]
    assert not [line for line in lines if line.startswith("forged")]
    marks = "event.", "request.", "delivery.", "gateway.", "destination."
    assert all(any(mark in line for mark in marks) for line in lines)


async def test_no_command_prints_what_a_terminal_obeys(tmp_path: Path) -> None:
    """Lists, one event whole, its JSON, and what is exported."""
    async with sink() as destination, served(gateway_to(destination.url), tmp_path) as running:
        await _strangers(running)
        events = await running.journal.events(limit=10)
    assert len(events) == 3
    shown = [["events", "show", one.id] for one in events]
    listed = [*COMMANDS, *shown, *([*one, "--json"] for one in (*COMMANDS, *shown)), ["export"]]
    for words in listed:
        text = await asyncio.to_thread(printed, tmp_path, words)
        assert not OBEYED.search(text.replace("\n", "")), words
        assert not [one for one in text.splitlines() if one.strip().startswith("forged")], words
