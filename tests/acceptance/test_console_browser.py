"""The console in a real browser: from a failing webhook to green, by keyboard too."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import aiohttp
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from odoorway.model.delivery import State

from .console_process import BROWSER, Console, demo_console, send

CHECKS = ",".join(
    f"{one}_conformance" for one in ("status_code", "content_type", "response_schema")
) + ",not_a_server_error"  # fmt: skip
PAGES = ["/", "/events", "/problems", "/sources", "/destinations", "/audit"]
REQUIRED = os.environ.get("REQUIRE_REAL_ODOO") == "1"  # as CI says it


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with demo_console(tmp_path) as served:
        yield served


@pytest.fixture
async def page(console: Console) -> AsyncIterator[Page]:
    """A page of Chromium that fails on every error of ours."""
    if not shutil.which("chromium"):
        assert not REQUIRED, "CI needs chromium: apt-get install chromium"
        pytest.skip("no chromium here: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**BROWSER)
        opened = await browser.new_page()
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        yield opened
        await browser.close()
        assert errors == []


def browser_of(page: Page) -> Browser:
    assert page.context.browser is not None
    return page.context.browser


async def test_from_a_failing_webhook_to_green(page: Page, console: Console) -> None:
    """The overview leads to the problem, that to its cause; after the fix everything flows."""
    await page.goto(console.url)
    await expect(page.get_by_role("heading", name="Something needs you")).to_be_visible()
    await page.get_by_role("link", name="See the problems").click()
    await page.get_by_role("link", name="Look at the newest").first.click()
    await expect(page.get_by_text("product.product with default_code = 'CUP'")).to_be_visible()
    await page.get_by_role("link", name="What would today's handlers do?").click()
    await expect(page.get_by_text("Nothing was written")).to_be_visible()
    await expect(page.get_by_text("the same as was sent")).to_be_visible()
    console.sandbox.create("product.product", {"name": "Cup", "default_code": "CUP"})
    await page.get_by_role("link", name="Problems").click()
    await page.get_by_role("button", name="Replay all 3").click()
    await expect(page.get_by_text("3 of 3, done")).to_be_visible()
    await page.get_by_role("link", name="Overview").click()
    await expect(page.get_by_role("heading", name="Everything flows")).to_be_visible()
    assert len(console.sandbox.records("sale.order")) == 24


async def test_by_keyboard_alone(page: Page, console: Console) -> None:
    """The same way with Tab, Enter and access keys only."""
    console.sandbox.create("product.product", {"name": "Cup", "default_code": "CUP"})
    await page.goto(console.url)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await press_until(page, "See the problems")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/problems")
    await press_until(page, "Replay all 3")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("3 of 3, done")).to_be_visible()
    await press_until(page, "Overview")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Everything flows")).to_be_visible()


async def press_until(page: Page, text: str) -> None:
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(
            "document.activeElement === document.body ? '' : document.activeElement.textContent"
        )
        if text in focused:
            return
    raise AssertionError(f"Tab never reaches {text!r}")


async def test_a_source_is_tested_from_its_page(page: Page, console: Console) -> None:
    """A signed sample goes through the endpoint; a destination is paused and resumed."""
    await page.goto(f"{console.url}/sources")
    await expect(page.get_by_label("Endpoint").first).to_have_value(f"{console.receiver}/in/shop")
    await page.get_by_role("button", name="Send a test").first.click()
    await expect(page.get_by_role("status")).to_contain_text("HTTP 202")
    await page.get_by_role("link", name="Destinations").click()
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("status")).to_contain_text("odoo is paused")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_role("status")).to_contain_text("odoo is resumed")


async def test_a_page_changes_by_itself(page: Page, console: Console) -> None:
    """An order that arrives stands on the open page, which nobody touched."""
    await page.goto(f"{console.url}/events")
    await expect(page.locator("tbody tr")).to_have_count(24)
    async with aiohttp.ClientSession() as session:
        await send(session, console.receiver, 99, "MUG")
    await expect(page.locator("tbody tr")).to_have_count(25, timeout=15_000)


async def test_each_page_works_without_scripts(console: Console, page: Page) -> None:
    """And says the same."""
    plain = await browser_of(page).new_context(java_script_enabled=False)
    still = await plain.new_page()
    for path in [*PAGES, console.dead_page]:
        answer = await still.goto(console.url + path)
        assert answer is not None
        assert answer.status == 200
        await expect(still.locator("main")).not_to_be_empty()
    await still.goto(console.url + console.dead_page)
    await still.get_by_role("button", name="Replay").click()
    await expect(still.get_by_role("status")).to_contain_text("1 deliveries will be made again")
    await plain.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_serious_fault_of_accessibility(
    page: Page, console: Console, scheme: Literal["light", "dark"]
) -> None:
    """axe-core looks at every page, light and dark."""
    context = await browser_of(page).new_context(color_scheme=scheme, bypass_csp=True)
    looked = await context.new_page()
    for path in [*PAGES, console.dead_page, f"{console.dead_page}/dry-run"]:
        await looked.goto(console.url + path)
        found = (await Axe().run(looked)).response["violations"]
        serious = [
            (path, one["id"], [node["html"][:200] for node in one["nodes"][:3]])
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]
        assert serious == []
    await context.close()


async def test_the_api_is_as_its_document_says(console: Console) -> None:
    """schemathesis: no 5xx, no undocumented status, no answer of another type."""
    words = [
        "run", f"{console.url}/api/v1/openapi.json", "--max-examples", "15", "--workers", "1",
        "--checks", CHECKS, "--suppress-health-check", "all",
    ]  # fmt: skip
    program = Path(sys.executable).parent / "schemathesis"
    running = await asyncio.create_subprocess_exec(
        program, *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()[-6000:]
    assert (await console.journal.stats()).deliveries[State.DELIVERED] >= 21
