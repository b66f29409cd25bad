"""Odoo 14 to 18 by JSON-RPC, called as JSON-2 is; it still works on 19 and ends with 20."""

import asyncio
from typing import Any

from odoorway.deliver.odoo.transport import SHORT, Answer, Http, TransportFailure, needed
from odoorway.deliver.outcome import Failure

HAS_ACCESS = 18  # the first version whose models know `has_access`


class JsonRpc:
    """Calls methods of one Odoo database as a user with an API key or a password."""

    def __init__(self, url: str, database: str, login: str, secret: str, **limits: Any) -> None:
        """Take Odoo's address without a path; *limits* are those of ``Http``."""
        self._database, self._login, self._secret = database, login, secret
        self._http = Http(url, **limits)
        self._entering = asyncio.Lock()
        self._uid = 0
        self._major = 0

    def __repr__(self) -> str:
        return f"JsonRpc({self._http.url!r}, {self._database!r}, {self._login!r})"

    async def call(self, model: str, method: str, **body: Any) -> Answer:
        """Call a method of a model with named arguments; ``ids`` and ``context`` among them.

        Raises:
            TransportFailure: there was no answer, or too large a one, or the login is refused.
        """
        async with self._entering:
            refused = None if self._uid else await self._enter()
        if refused:
            return refused
        name, args, named = arguments(method, body, self._major)
        given = [self._database, self._uid, self._secret, model, name, args, named]
        what, most = f"{model}.{method}", needed(method, body)
        return await _post(self._http, "object", "execute_kw", given, what=what, most=most)

    def forget(self) -> None:
        """Ask for the version and log in again before the next call."""
        self._uid = 0

    async def version(self) -> Answer:
        """Ask for the server's version, for which it wants no login."""
        return await version_by_rpc(self._http)

    @property
    def http(self) -> Http:
        """Requests to the server, without credentials."""
        return self._http

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()

    async def _enter(self) -> Answer | None:
        """Become the user; return the answer that prevented it, if one did."""
        answer = await self.version()
        self._major = major(answer)
        if not self._major:
            return answer
        given = [self._database, self._login, self._secret, {}]
        answer = await _post(self._http, "common", "authenticate", given, what="the login")
        uid = result(answer)
        if uid is False:
            detail = f"Odoo {self._major} refuses user {self._login!r}, or this key"
            raise TransportFailure(Failure.DENIED, detail)
        if not isinstance(uid, int):
            return answer
        self._uid = uid
        return None


async def version_by_rpc(http: Http) -> Answer:
    """Ask a server for its version, for which it wants no login."""
    return await _post(http, "common", "version", [], what="the version")


async def _post(  # noqa: PLR0913 - the parts of one call
    http: Http, service: str, method: str, args: list[Any], *, what: str, most: int = SHORT
) -> Answer:
    params = {"service": service, "method": method, "args": args}
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    return await http.request("POST", "/jsonrpc", body, what=what, rpc=True, most=most)


def arguments(
    method: str, body: dict[str, Any], major: int
) -> tuple[str, list[Any], dict[str, Any]]:
    """Return the method's name on that version, its positional and its named arguments.

    A method that runs on records takes their ids first, one of the model takes none. Pure.
    """
    named = {name: value for name, value in body.items() if name != "ids"}
    if method == "has_access" and major < HAS_ACCESS:
        return "check_access_rights", [], {**named, "raise_exception": False}
    if method == "default_get":  # 19 calls its argument otherwise than 18
        return method, [named.pop("fields")], named
    if method == "create":  # models and versions name its argument, and that of `write`, freely
        return method, [named.pop("vals_list")], named
    if method == "write":
        return method, [body["ids"], named.pop("vals")], named
    if method == "has_access":
        return method, [[]], named
    return method, [body["ids"]] if "ids" in body else [], named


def result(answer: Answer) -> Any:
    """Return the result of a JSON-RPC answer, None when it has none."""
    try:
        return answer.returned()
    except (ValueError, KeyError, TypeError):
        return None


def major(answer: Answer) -> int:
    """Return the server's major version as ``common.version`` tells it, 0 when it does not."""
    told = result(answer)
    parts = told.get("server_version_info") if isinstance(told, dict) else None
    return version_number(parts[0]) if parts else 0


def version_number(first: object) -> int:
    """Return the major version; Odoo's own cloud writes ``saas~18.2`` where others write 18."""
    digits = str(first).rpartition("~")[2].partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdecimal() else 0
