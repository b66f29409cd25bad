"""Whichever Odoo answers: JSON-2 where the server has it, JSON-RPC elsewhere."""

import asyncio
from typing import Any

from odoorway.deliver.odoo.json2 import Json2
from odoorway.deliver.odoo.jsonrpc import JsonRpc, major, version_by_rpc, version_number
from odoorway.deliver.odoo.transport import Answer, Http, TransportFailure
from odoorway.deliver.outcome import Failure

JSON2_SINCE = 19
_REDIRECT, _UNKNOWN_PATH = 300, 404
_AWAY = (Failure.UNREACHABLE, Failure.EMPTY)


class AnyVersion:
    """Asks the server for its version before the first call, and keeps to what follows from it.

    It asks again after the server was away, or did not know the path: it may have been upgraded.
    """

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
            chosen = self._chosen
        if unclear or chosen is None:
            assert unclear  # noqa: S101 - one of the two is given
            return unclear
        try:
            answer = await chosen.call(model, method, **body)
        except TransportFailure as failed:
            if failed.kind in _AWAY:
                self._forget()
            raise
        if answer.status == _UNKNOWN_PATH:
            self._forget()
        return answer

    @property
    def http(self) -> Http:
        """Requests to the server, without credentials."""
        return self._http

    async def close(self) -> None:
        """Let the connections go."""
        for one in (self._json2, self._rpc, self._http):
            await one.close()

    def _forget(self) -> None:
        self._chosen = None
        self._rpc.forget()

    async def _choose(self) -> Answer | None:
        """Choose, or return the answer that tells nothing, which says what is wrong.

        A login is set for the older versions, so they are asked in their own way first: Odoo 14
        renders a whole page for a path it does not know, and may fail at it.
        """
        ways = (self._by_rpc, self._by_web) if self._login else (self._by_web, self._by_rpc)
        unclear: Answer | None = None
        for ask in ways:
            number, answer = await ask()
            if number:
                self._chosen = self._speaking(number)
                return None
            if answer.status >= _REDIRECT and answer.status != _UNKNOWN_PATH:
                return answer
            unclear = answer if answer.rpc else unclear
        return unclear

    def _speaking(self, number: int) -> Json2 | JsonRpc:
        if number >= JSON2_SINCE:
            return self._json2
        if not self._login:
            raise TransportFailure(Failure.NO_LOGIN, f"this is Odoo {number}")
        return self._rpc

    async def _by_rpc(self) -> tuple[int, Answer]:
        answer = await self._rpc.version()
        return major(answer), answer

    async def _by_web(self) -> tuple[int, Answer]:
        answer = await self._http.request("GET", "/web/version", what="the version")
        return _web_major(answer), answer


def _web_major(answer: Answer) -> int:
    """Return the major version that ``/web/version`` tells, 0 when it is no answer of Odoo's."""
    try:
        return (
            version_number(answer.returned()["version_info"][0]) if answer.status < _REDIRECT else 0
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return 0


async def server_version(http: Http) -> str:
    """Return the version of that server, like ``19.0``; nothing if it does not tell."""
    by_web = await http.request("GET", "/web/version", what="the version")
    if number := _web_major(by_web):
        return f"{number}.0"
    answer = await version_by_rpc(http)
    return f"{major(answer)}.0" if major(answer) else ""
