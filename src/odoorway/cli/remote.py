"""A running gateway asked by its API, for commands that are given `--url`."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import aiohttp
import typer

from odoorway.cli.output import Exit, err, safe
from odoorway.deliver.reading import whole
from odoorway.outside import read_json
from odoorway.settings import Settings

_MOST = 64 << 20  # bytes of an answer: an event holds its body as text, twice
_PAGE = 200  # events the API gives at once, at most


class Remote:
    """Calls `/api/v1` of one console."""

    def __init__(self, url: str, token: str) -> None:
        """Take the console's address and an API token; on loopback it may be empty."""
        self._base = f"{url.rstrip('/')}/api/v1"
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def get(self, *path: str, **query: str) -> Any:
        """Return what a call answers; an error ends the command with a line."""
        return asyncio.run(self._call("GET", path, query, None))

    def post(self, *path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """Do something, and return what is answered."""
        return asyncio.run(self._call("POST", path, query, body))

    def events(self, limit: int, **narrowed: str) -> Iterator[dict[str, Any]]:
        """Yield up to *limit* events as the API lists them, page by page, the newest first."""
        asked = {**narrowed, "limit": str(min(limit, _PAGE))}
        left = limit
        while left > 0:
            page = self.get("events", **asked)
            yield from page["events"][:left]
            left -= len(page["events"])
            if page["next"] is None:
                return
            asked["cursor"] = str(page["next"])

    async def _call(
        self, method: str, path: tuple[str, ...], query: dict[str, str], body: Any
    ) -> Any:
        url = f"{self._base}/{'/'.join(quote(part, safe='') for part in path)}"
        wait = aiohttp.ClientTimeout(30)
        try:
            async with (
                aiohttp.ClientSession(headers=self._headers, timeout=wait) as session,
                session.request(
                    method, url, params=query, json=body, allow_redirects=False
                ) as answer,
            ):
                told = read_json(await whole(answer.content, _MOST))
                if answer.status >= 400:  # noqa: PLR2004 - the HTTP classes of errors
                    raise _refused(answer.status, told)
                return told
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            err.print(f"[bold red]error:[/] cannot reach {safe(self._base)}: {safe(error)}")
            raise typer.Exit(Exit.UNAVAILABLE) from None


def remote_of(settings: Settings) -> Remote | None:
    """Return whom the settings name, or None: then the journal is asked."""
    return Remote(settings.url, settings.token.get_secret_value()) if settings.url else None


def _refused(status: int, told: Any) -> typer.Exit:
    title = told.get("title", "") if isinstance(told, dict) else ""
    detail = told.get("detail", "") if isinstance(told, dict) else ""
    err.print(f"[bold red]error:[/] {status} {safe(title)} {safe(detail)}", soft_wrap=True)
    return typer.Exit(Exit.FAILED)
