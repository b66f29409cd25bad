"""uvicorn for the console: apart from the server of the webhooks, whose limits it needs not."""

import uvicorn
from starlette.types import ASGIApp

from odoorway.receive.server import EmbeddedServer


def console_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server that is not yet running."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        lifespan="on",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    return EmbeddedServer(config)
