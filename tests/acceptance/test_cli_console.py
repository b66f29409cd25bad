"""People, tokens, export, import and replay by filter, as a user types them."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from odoorway import wiring
from odoorway.settings import Settings
from odoorway.testing import SandboxOdoo

from .console_process import demo_console, gateway_of
from .test_cli import Shell


@pytest.fixture
async def shell(tmp_path: Path) -> Shell:
    """A folder whose journal has a history: 21 delivered and three dead."""
    async with demo_console(tmp_path):
        pass
    return Shell(tmp_path, ODOORWAY_JOURNAL=str(tmp_path / "journal.db"))


async def test_people_and_tokens(shell: Shell, tmp_path: Path) -> None:
    """A token opens the API with its role, and no other does."""
    shell.run("user", "add", "ada", "--role", "admin", "--password", "long enough")
    assert "at least 10" in shell.run("user", "add", "bo", "--password", "short", code=2)
    token = shell.run("token", "add", "bot", "--role", "operator").strip()
    assert token.startswith("odw_")
    told = json.loads(shell.run("user", "list", "--json"))
    assert told == [
        {"name": "ada", "role": "admin", "token": False},
        {"name": "bot", "role": "operator", "token": True},
    ]
    async with SandboxOdoo() as sandbox:
        settings = Settings(
            journal=str(tmp_path / "journal.db"), port=0, console_port=0, odoo_url=sandbox.url,
            odoo_database="sandbox", odoo_api_key="sandbox-key", console_login="always",
        )  # fmt: skip
        async with (
            wiring.running(gateway_of(), settings, {}) as served,
            aiohttp.ClientSession() as session,
        ):
            for given, status in ((token, 200), (token + "x", 401), ("", 401)):
                headers = {"authorization": f"Bearer {given}"}
                url = f"{served.console}/api/v1/status"
                async with session.get(url, headers=headers) as answer:
                    assert answer.status == status
    shell.run("user", "remove", "bot")
    assert "nobody called" in shell.run("user", "remove", "bot", code=1)


async def test_export_and_import(shell: Shell, tmp_path: Path) -> None:
    """All that is known of each event; a second journal takes it as history, once."""
    lines = shell.run("export").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(events) == 24
    assert {d["state"] for one in events for d in one["deliveries"]} == {"delivered", "dead"}
    assert events[0]["deliveries"][0]["tried"]
    masked = shell.run("export", "--masked", "email", "--state", "dead")
    assert "ada@example.com" not in masked
    assert masked.count('"masked"') == 3
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(line for line in lines if line.startswith("{")))
    other = Shell(tmp_path, ODOORWAY_JOURNAL=str(tmp_path / "other.db"))
    assert "start `odoorway run` first" in other.run("import", str(file), code=4)
    again = shell.run("import", str(file))
    assert "0 events stored, 24 were there" in again
    alike = [{**events[0], "id": f"evt_{n}", "idempotency_key": "sha256:a"} for n in range(2)]
    file.write_text("\n".join(map(json.dumps, alike)))
    assert "2 events stored, 0 were there" in shell.run("import", str(file))
    assert "0 events stored, 2 were there" in shell.run("import", str(file))
    file.write_text(masked.splitlines()[0])
    assert "masked" in shell.run("import", str(file), code=1)
    file.write_text("{}")
    assert "line 1" in shell.run("import", str(file), code=1)


async def test_dead_letters_are_replayed_by_cause(shell: Shell) -> None:
    """Those of one diagnosis, and of no other; then there is nothing left to look at."""
    assert "0 deliveries" in shell.run("dead", "replay", "--code", "odoo.timeout")
    assert "3 deliveries" in shell.run("dead", "replay", "--code", "odoo.no-match")
    assert "No dead letters" in shell.run("dead", "list")
    shell.run("dead", "replay", code=2)


async def test_commands_by_the_api(tmp_path: Path) -> None:
    """Another machine's gateway: its status, pause, replay; what is refused says why."""
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    async with demo_console(tmp_path / "there") as console:
        shell = Shell(tmp_path / "here", ODOORWAY_URL=console.url)

        async def run(*words: str, code: int = 0) -> str:
            return await asyncio.to_thread(lambda: shell.run(*words, code=code))

        assert "delivering" in await run("status")
        await run("pause")
        assert "paused" in await run("status", code=1)
        assert "paused" in await run("status", "--json", code=1)
        await run("resume", "odoo")
        assert "404" in await run("pause", "nowhere", code=1)
        event_id = console.dead_page.rpartition("/")[2]
        listed = json.loads(await run("events", "list", "--limit", "10", "--json"))
        assert len(listed) == 10
        assert "orders/create" in await run("events", "list")
        dead = json.loads(await run("dead", "list", "--json"))
        assert [one["code"] for one in dead] == ["odoo.no-match"] * 3
        assert "Look whether the record" in await run("dead", "list")
        shown = await run("events", "show", event_id)
        assert "product.product with default_code = 'CUP'" in shown
        assert "x-shopify-topic" in shown
        assert json.loads(await run("events", "show", event_id, "--json"))["id"] == event_id
        assert "404" in await run("events", "show", "evt_0", code=1)
        console.sandbox.create("product.product", {"name": "Cup", "default_code": "CUP"})
        assert "1 deliveries" in await run("events", "replay", event_id)
        assert "2 dead letters" in await run("dead", "replay", "--code", "odoo.no-match")
        assert "cannot reach" in await run("status", "--url", "http://127.0.0.1:1", code=4)
