"""uvicorn for the console: apart from the server of the webhooks, whose limits it needs not."""

import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


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
    return _Server(config)


class _Server(uvicorn.Server):
    """uvicorn's server, with signals left to the process that it is a part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Catch nothing."""
        yield
