"""Tells open pages that something changed, by server-sent events."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from odoorway.console.desk import Desk

_EVERY = 2.0  # seconds between two looks at the journal
_MOST = 50  # pages that listen at once
_LASTS = 600.0  # seconds; a page then connects anew


class Live:
    """One look at the journal serves every page that listens."""

    def __init__(self, desk: Desk) -> None:
        """Look at the journal of *desk*, and only while somebody listens."""
        self._desk = desk
        self._listening = 0
        self._seen: object = None
        self._at = 0.0

    async def stream(self, request: Request) -> StreamingResponse:
        """Return the stream of one page."""
        body = self._events(request)
        return StreamingResponse(body, 200, media_type="text/event-stream")

    async def _events(self, request: Request) -> AsyncIterator[str]:
        if self._listening >= _MOST:
            yield "retry: 60000\n\n"
            return
        self._listening += 1
        try:
            yield "retry: 3000\n\n"
            known = await self._now()
            for _ in range(int(_LASTS / _EVERY)):
                await asyncio.sleep(_EVERY)
                if await request.is_disconnected():
                    return
                seen = await self._now()
                yield "event: changed\ndata: 1\n\n" if seen != known else ": still here\n\n"
                known = seen
        finally:
            self._listening -= 1

    async def _now(self) -> object:
        """Return what tells whether anything changed, asked at most once a look."""
        now = self._desk.clock.now()
        if now - self._at >= _EVERY * 0.9:
            self._at = now
            stats = await self._desk.journal.stats()
            names = await self._desk.journal.destinations()
            standings = [await self._desk.journal.standing(name) for name in names]
            self._seen = (stats.events, stats.rejections, tuple(stats.deliveries.items()),
                          tuple(standings))  # fmt: skip
        return self._seen
