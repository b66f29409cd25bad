"""Whichever Odoo answers: JSON-2 where the server has it, JSON-RPC elsewhere."""

import asyncio
from typing import Any

from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.odoo.jsonrpc import JsonRpc, major
from odoorway.deliver.odoo.transport import Answer, Http, TransportFailure
from odoorway.deliver.outcome import Failure

JSON2_SINCE = 19
_UNKNOWN_PATH = 404


class AnyVersion:
    """Asks the server for its version before the first call, and keeps to what follows from it."""

    def __init__(self, url: str, database: str, login: str, secret: str, **limits: Any) -> None:
        """Take what either protocol needs; *login* may be empty where JSON-2 is spoken."""
        self._login = login
        self._json2 = Json2(url, database, secret, **limits)
        self._rpc = JsonRpc(url, database, login, secret, **limits)
        self._http = Http(url, **limits)
        self._choosing = asyncio.Lock()
        self._chosen: Json2 | JsonRpc | None = None

    def __repr__(self) -> str:
        return f"AnyVersion({self._chosen or self._json2!r})"

    async def call(self, model: str, method: str, **body: Any) -> Answer:
        """Call a method of a model with named arguments.

        Raises:
            TransportFailure: there was no answer, or an older Odoo needs a login.
        """
        async with self._choosing:
            unclear = None if self._chosen else await self._choose()
        if unclear or self._chosen is None:
            assert unclear  # noqa: S101 - one of the two is given
            return unclear
        return await self._chosen.call(model, method, **body)

    async def close(self) -> None:
        """Let the connections go."""
        for one in (self._json2, self._rpc, self._http):
            await one.close()

    async def _choose(self) -> Answer | None:
        """Choose, or return the answer that tells nothing, which says what is wrong."""
        told = await self._http.request("GET", "/web/version", what="the version")
        if _is_modern(told):
            self._chosen = self._json2
            return None
        if told.status != _UNKNOWN_PATH and not told.status < 300:  # noqa: PLR2004 - success
            return told
        older = await self._rpc.version()
        number = major(older)
        if not number:
            return older
        if number < JSON2_SINCE and not self._login:
            raise TransportFailure(Failure.NO_LOGIN, f"this is Odoo {number}")
        self._chosen = self._json2 if number >= JSON2_SINCE else self._rpc
        return None


def _is_modern(answer: Answer) -> bool:
    """Whether it is Odoo's own answer, of a version that has JSON-2."""
    try:
        info = answer.json()["version_info"]
        return answer.status < 300 and int(info[0]) >= JSON2_SINCE  # noqa: PLR2004 - success
    except (ValueError, KeyError, TypeError, IndexError):
        return False
