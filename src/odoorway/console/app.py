"""The web application for operators; it listens on an address of its own."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from odoorway.console.metrics import Metrics
from odoorway.errors import JournalUnavailable

_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def build_app(metrics: Metrics) -> Starlette:
    """Return the application."""

    async def scrape(_: Request) -> Response:
        return Response(await metrics.text(), media_type=_EXPOSITION)

    async def unavailable(_: Request, error: Exception) -> Response:
        return JSONResponse({"title": "the journal is unavailable", "detail": str(error)}, 503)

    return Starlette(
        routes=[Route("/metrics", scrape)],
        exception_handlers={JournalUnavailable: unavailable},
    )
