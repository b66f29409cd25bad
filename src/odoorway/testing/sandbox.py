"""A sandbox Odoo: JSON-2 over real HTTP, for demos and for users' own tests."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from aiohttp import web

from odoorway.outside import read_json
from odoorway.testing.sandbox_amounts import NotSupported
from odoorway.testing.sandbox_load import load
from odoorway.testing.sandbox_models import MODELS
from odoorway.testing.sandbox_store import OdooError, Row, Store

_NO_DATABASE = (
    "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected"
    " and the requested URL was not found in the server-wide controllers.</p>\n<p>Please verify"
    " the hostname, <a href=/web/login>login</a> and try again.</p>\n\n<!-- Alternatively, use the"
    " X-Odoo-Database header. -->\n"
)
_UNPROCESSABLE = "werkzeug.exceptions.UnprocessableEntity"


class SandboxOdoo:
    """An Odoo 19 as far as webhooks need one, in this process, forgotten when it ends.

    It answers for a small set of models, and is held to a real Odoo 19 by one contract suite.
    What it does not know it refuses with HTTP 501 and lists in ``unsupported``, so that no test
    passes on an invented answer. Use it as an async context manager; ``stop`` and ``start`` play
    an outage.
    """

    def __init__(self, database: str = "sandbox", api_key: str = "sandbox-key") -> None:
        """Answer for *database* to whoever has *api_key*."""
        self.database, self.api_key = database, api_key
        self.calls: list[tuple[str, str]] = []  # (model, method), as they came
        self.unsupported: list[str] = []
        self._store = Store()
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._open = asyncio.Event()
        self._open.set()
        self.waiting = 0  # requests taken and not yet answered
        self._failures: deque[str] = deque()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, on the same port as before, with the records kept."""
        app = web.Application(client_max_size=128 * 1024 * 1024)
        app.router.add_post("/json/2/{model}/{method}", self._json2)
        app.router.add_get("/web/version", _version)
        app.router.add_get("/web/health", _health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Be away: connections are refused."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    def create(self, model: str, values: Mapping[str, Any]) -> int:
        """Put a record there, for example a product to sell; return its id."""
        return self._store.create(model, values)

    def records(self, model: str) -> list[Row]:
        """Return all records of *model*, as ``search_read`` would."""
        return self._store.read(model, sorted(self._store.rows[model]), [])

    def fail_next(self, how: str, times: int = 1) -> None:
        """Fail the next calls: ``"lost"`` does the work and gives no answer, or a status."""
        if how != "lost" and not how.isdigit():
            raise ValueError(f"{how!r}: write 'lost' or a status like '503'")
        self._failures.extend([how] * times)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Take requests and answer none inside the block, as a busy Odoo does."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def _json2(self, request: web.Request) -> web.StreamResponse:
        failure = self._failures.popleft() if self._failures else ""
        if failure.isdigit():
            return web.Response(status=int(failure), text="provoked")
        self.waiting += 1
        try:
            await self._open.wait()
        finally:
            self.waiting -= 1
        answer = await self._answer(request)
        if failure == "lost":
            if request.transport:
                request.transport.abort()
            await asyncio.sleep(0)
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Odoo-Database") != self.database:
            return web.Response(status=404, text=_NO_DATABASE, content_type="text/html")
        try:
            self._authenticate(request)
            model, method = request.match_info["model"], request.match_info["method"]
            self.calls.append((model, method))
            return _json(self._call(model, method, _body(await request.read())))
        except OdooError as error:
            return _failed(error)
        except NotSupported as missing:
            self.unsupported.append(str(missing))
            return _failed(OdooError(501, "odoorway.testing.NotSupported", str(missing)))

    def _authenticate(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        scheme, _, key = given.partition(" ")
        name = "werkzeug.exceptions.Unauthorized"
        if scheme.lower() != "bearer":
            raise OdooError(
                401,
                name,
                "User not authenticated, use an API Key with a Bearer Authorization header.",
            )
        if key != self.api_key:
            raise OdooError(401, name, "Invalid apikey")

    def _call(self, model: str, method: str, body: dict[str, Any]) -> Any:
        if model == "res.users" and method == "context_get":
            return {"lang": "en_US", "tz": False, "uid": 2}
        if model == "ir.model.data":
            return self._external_ids(method, _Arguments(body))
        if model not in MODELS:
            raise OdooError(
                404, "werkzeug.exceptions.NotFound", f"the model '{model}' does not exist"
            )
        if method.startswith("_"):
            raise OdooError(
                403,
                "odoo.exceptions.AccessError",
                f"Private methods (such as '{model}.{method}') cannot be called remotely.",
            )
        known = getattr(self, f"_do_{method}", None)
        if known is None:
            raise NotSupported(f"the method {model}.{method}")
        before = self._store.snapshot()
        try:
            return known(model, _Arguments(body))
        except OdooError:
            self._store.restore(before)
            raise

    def _external_ids(self, method: str, given: "_Arguments") -> tuple[str, int]:
        """Answer as for a user of Sales: each may be asked about, none may be read."""
        if method != "check_object_reference":
            raise OdooError(
                403,
                "odoo.exceptions.AccessError",
                "You are not allowed to access 'Model Data' (ir.model.data) records.",
            )
        xid = f"{given.needed('module')}.{given.needed('xml_id')}"
        found = self._store.external.get(xid)
        if found is None:
            text = f"External ID not found in the system: {xid}"
            raise OdooError(500, "builtins.ValueError", text)
        return found

    def _do_load(self, model: str, given: "_Arguments") -> Any:
        return load(self._store, model, given.needed("fields"), given.needed("data"))

    def _do_create(self, model: str, given: "_Arguments") -> Any:
        values = given.needed("vals_list")
        if isinstance(values, list):
            return [self._store.create(model, one) for one in values]
        return self._store.create(model, values)

    def _do_write(self, model: str, given: "_Arguments") -> bool:
        self._store.write(model, given.ids, given.needed("vals"))
        return True

    def _do_unlink(self, model: str, given: "_Arguments") -> bool:
        self._store.unlink(model, given.ids)
        return True

    def _do_get_external_id(self, model: str, given: "_Arguments") -> dict[str, str]:
        named = self._store.external_ids(model)
        return {str(number): named.get(number, "") for number in given.ids}

    def _do_search(self, model: str, given: "_Arguments") -> list[int]:
        found = self._store.search(model, given.needed("domain"))
        return found[: given.get("limit") or None]

    def _do_search_count(self, model: str, given: "_Arguments") -> int:
        return len(self._store.search(model, given.needed("domain")))

    def _do_search_read(self, model: str, given: "_Arguments") -> list[Row]:
        found = self._store.search(model, given.get("domain") or [])
        return self._store.read(model, found[: given.get("limit") or None], given.get("fields"))

    def _do_read(self, model: str, given: "_Arguments") -> list[Row]:
        return self._store.read(model, given.ids, given.get("fields"))

    def _do_has_access(self, _model: str, given: "_Arguments") -> bool:
        given.needed("operation")
        return True

    def _do_fields_get(self, model: str, given: "_Arguments") -> dict[str, Any]:
        wanted = given.get("allfields") or ["id", *MODELS[model]]
        return {name: _described(model, name) for name in wanted if name in {"id", *MODELS[model]}}

    def _do_default_get(self, model: str, given: "_Arguments") -> Row:
        known = {name: MODELS[model].get(name) for name in given.needed("fields")}
        return {n: f.default for n, f in known.items() if f is not None and f.default is not False}

    def _do_action_confirm(self, model: str, given: "_Arguments") -> bool:
        orders = [self._store.rows[self._orders(model)][number] for number in given.ids]
        if any(order["state"] not in {"draft", "sent"} for order in orders):
            raise OdooError(
                422,
                "odoo.exceptions.UserError",
                "Some orders are not in a state requiring confirmation.",
            )
        for order in orders:
            order["state"] = "sale"
        return True

    def _orders(self, model: str) -> str:
        if model != "sale.order":
            raise NotSupported(f"the method {model}.action_confirm")
        return model


class _Arguments:
    """The named arguments of a call."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def needed(self, name: str) -> Any:
        if name not in self._body:
            raise OdooError(422, _UNPROCESSABLE, f"missing a required argument: '{name}'")
        return self._body[name]

    def get(self, name: str) -> Any:
        return self._body.get(name) or ([] if name == "fields" else None)

    @property
    def ids(self) -> list[int]:
        return list(self._body.get("ids", []))


def _described(model: str, name: str) -> dict[str, Any]:
    if name == "id":
        return {"type": "integer", "string": "ID", "required": False, "readonly": True}
    field = MODELS[model][name]
    told: dict[str, Any] = {
        "type": field.type,
        "string": field.string,
        "required": field.required,
        "readonly": field.readonly,
    }
    if field.relation:
        told["relation"] = field.relation
    if field.type == "float":
        told["digits"] = field.digits or False
    if field.currency_field:
        told["currency_field"] = field.currency_field
    if field.selection:
        told["selection"] = [list(pair) for pair in field.selection]
    return told


def _body(raw: bytes) -> dict[str, Any]:
    try:
        parsed = read_json(raw or b"{}")
    except ValueError as error:
        raise OdooError(
            400, "werkzeug.exceptions.BadRequest", f"could not parse the body as json: {error}"
        ) from None
    return parsed if isinstance(parsed, dict) else {}


_dumps: Callable[[Any], str] = json.dumps


def _json(value: Any, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, dumps=_dumps)


def _failed(error: OdooError) -> web.Response:
    coded = error.name.startswith("werkzeug")
    arguments: list[Any] = [error.message, error.status] if coded else [error.message]
    body = {
        "name": error.name,
        "message": error.message,
        "arguments": arguments,
        "context": {},
        "debug": "",
    }
    answer = _json(body, error.status)
    if error.status == 401:  # noqa: PLR2004
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _version(_: web.Request) -> web.Response:
    return _json({"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})


async def _health(_: web.Request) -> web.Response:
    return _json({"status": "pass"})
