"""JSON-RPC and the choice of protocol, against servers that answer as each version does."""

import contextlib
import json

import pytest
from aiohttp import web

from odoorway.clock import SystemClock
from odoorway.deliver.odoo.anyversion import AnyVersion
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.jsonrpc import JsonRpc, arguments, major
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.deliver.odoo.transport import Answer, TransportFailure
from odoorway.deliver.outcome import Failure, judge_rpc
from odoorway.model.delivery import Outcome

KEY = "k3y-of-the-gateway"


class OldOdoo:
    """Answers `/jsonrpc` as an Odoo of that version does, and remembers what it was asked."""

    def __init__(self, version="14.0", results=None, web_version=404):
        self.info = [version if "~" in version else int(float(version)), 0, 0, "final", 0, ""]
        self.results, self.web_version = results or {}, web_version
        self.asked = []
        self.failing = 0

    def upgrade(self, version):
        number = int(float(version))
        self.info, self.web_version = [number, 0, 0, "final", 0, ""], 200 if number >= 19 else 404

    async def answer(self, request):
        if request.path == "/web/version":
            assert "Content-Type" not in request.headers  # Odoo 14 would read a body
            body = {"version_info": self.info} if self.web_version == 200 else "not found"
            return web.json_response(body, status=self.web_version)
        if request.path.startswith("/json/2/"):
            self.asked.append(request.path)
            return web.json_response("by json-2", status=200 if int(self.info[0]) >= 19 else 404)
        asked = (await request.json())["params"]
        self.asked.append((asked["service"], asked["method"], asked["args"]))
        if self.failing:
            return web.Response(status=self.failing, text="down")
        if self.info[0] == 20:
            return web.Response(status=404)  # Odoo 20 has no JSON-RPC any more
        envelope = {"jsonrpc": "2.0", "id": 1}
        return web.json_response(envelope | self._result(asked["method"], asked["args"]))

    def _result(self, method, args):
        if method == "version":
            return {"result": {"server_version_info": self.info}}
        if method == "authenticate":
            return {"result": 7 if args[1:3] == ["gateway", KEY] else False}
        return self.results.get(args[4], {"result": "by json-rpc"})


@contextlib.asynccontextmanager
async def asking(server, kind=AnyVersion, login="gateway", key=KEY):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = kind(f"http://127.0.0.1:{runner.addresses[0][1]}", "db", login, key)
    try:
        yield Odoo(client, SystemClock())
    finally:
        await client.close()
        await runner.cleanup()


async def test_a_call_is_made_as_the_user_with_the_ids_first():
    """The user is asked for once; named arguments stay named."""
    server = OldOdoo()
    async with asking(server, JsonRpc) as odoo:
        for _ in range(2):
            told = await odoo.ask("res.partner", "write", ids=[3], vals={"name": "ü"})
            assert told == "by json-rpc"
    assert [method for _, method, _ in server.asked] == [
        "version", "authenticate", "execute_kw", "execute_kw",
    ]  # fmt: skip
    call = ["db", 7, KEY, "res.partner", "write", [[3], {"name": "ü"}], {}]
    assert server.asked[-1] == ("object", "execute_kw", call)


@pytest.mark.parametrize(
    ("version", "told", "spoken"),
    [("14.0", 404, "rpc"), ("17.0", 404, "rpc"), ("18.0", 200, "rpc"), ("saas~18.2", 404, "rpc"),
     ("19.0", 200, "2"), ("19.0", 404, "2"), ("20.0", 200, "2")],
)  # fmt: skip
@pytest.mark.parametrize("login", ["", "gateway"])
async def test_the_protocol_follows_the_version(version, told, spoken, login):
    """JSON-2 from 19 on, JSON-RPC before, which needs a login; asked once."""
    server = OldOdoo(version, web_version=told)
    async with asking(server, login=login) as odoo:
        if spoken == "rpc" and not login:
            with pytest.raises(Unusable, match="this is Odoo 1"):
                await odoo.ask("m", "load")
            return
        for _ in range(2):
            assert await odoo.ask("m", "load") == f"by json-{spoken}"
    assert server.asked[-1] == server.asked[-2]


@pytest.mark.parametrize(("before", "after"), [("18.0", "20.0"), ("19.0", "18.0")])
async def test_an_upgraded_odoo_is_spoken_to_as_what_it_is_now(before, after):
    """One call finds a path that is not there any more; the next one asks for the version."""
    server = OldOdoo(before, web_version=404 if before < "19" else 200)
    async with asking(server) as odoo:
        spoken = await odoo.ask("m", "load")
        server.upgrade(after)
        with pytest.raises(Refused):
            await odoo.ask("m", "load")
        assert await odoo.ask("m", "load") != spoken


async def test_an_old_odoo_without_a_login_says_what_to_set():
    """And so does one that refuses it; both stop the destination."""
    for login, code in (("", "odoo.login-needed"), ("nobody", "odoo.bad-key")):
        async with asking(OldOdoo(), login=login) as odoo:
            with pytest.raises(Unusable) as raised:
                await odoo.ask("m", "load")
        verdict = raised.value.verdict
        assert (verdict.code, verdict.outcome) == (code, Outcome.RETRY)
        assert KEY not in str(verdict)


async def test_a_server_that_is_down_decides_nothing():
    """The next call asks for the version again."""
    for login, told, rpc in (("", 503, 0), ("", 404, 502), ("gateway", 404, 502)):
        server = OldOdoo("19.0", web_version=told)
        server.failing = rpc
        async with asking(server, login=login) as odoo:
            with pytest.raises(Unusable) as raised:
                await odoo.ask("m", "load")
            assert raised.value.verdict.code == "odoo.unavailable"
            server.web_version, server.failing = 200, 0
            assert await odoo.ask("m", "load") == "by json-2"


async def test_what_is_no_odoo_is_told_so():
    """A shop's page, or a JSON API of something else."""
    for body in ("<html>hello</html>", '{"hello": 1}', "[]", "7"):

        class Other(OldOdoo):
            async def answer(self, request, body=body):
                return web.Response(text=body, content_type="text/html")

        for login in ("", "gateway"):
            async with asking(Other(), login=login) as odoo:
                with pytest.raises(Unusable) as raised:
                    await odoo.ask("m", "load")
            assert raised.value.verdict.code == "odoo.not-odoo"


async def test_an_error_inside_200_is_an_error():
    """Odoo's own words decide, as they do by JSON-2."""
    data = {"name": "odoo.exceptions.AccessError", "message": "no", "debug": "", "arguments": []}
    fault = {"error": {"code": 200, "message": "Odoo Server Error", "data": data}}
    async with asking(OldOdoo(results={"load": fault})) as odoo:
        with pytest.raises(Refused) as raised:
            await odoo.ask("m", "load")
    assert raised.value.verdict.code == "odoo.access-denied"


def test_has_access_is_asked_as_that_version_knows_it():
    """Before 18 its name was another one."""
    body = {"operation": "create"}
    operation = {"operation": "create", "raise_exception": False}
    old: tuple[str, list[object], object] = ("check_access_rights", [], operation)
    assert arguments("has_access", body, 17) == old
    assert arguments("has_access", body, 18) == ("has_access", [[]], body)
    assert arguments("load", {"fields": []}, 14) == ("load", [], {"fields": []})


@pytest.mark.parametrize(
    "told", [None, {}, {"server_version_info": []}, {"server_version_info": ["x"]}, 5]
)
def test_an_answer_without_a_version_has_none(told):
    """Whatever it is."""
    assert major(Answer(200, {}, json.dumps({"result": told}).encode(), rpc=True)) == 0


def test_a_column_that_odoo_14_does_not_know_is_an_unknown_field():
    """It says so by a KeyError inside `load`; any other KeyError is Odoo's own trouble."""
    debug = (
        'File ".../odoo/models.py", line 999, in load\n'
        "    if isinstance(model_fields[field_path[0]], odoo.fields.Many2one):\n"
    )
    for text, code in ((debug, "odoo.unknown-field"), ("in write\n x", "odoo.server-error")):
        data = {"name": "builtins.KeyError", "message": "nofield", "debug": text}
        body = json.dumps({"error": {"message": "Odoo Server Error", "data": data}}).encode()
        assert judge_rpc(200, {}, body, now=0).code == code


# As Odoo 19, and the last one as 14, answered on `/jsonrpc` (name, message, code).
FAULTS = [
    ("odoo.exceptions.AccessDenied", "Access Denied", "odoo.bad-key"),
    ("builtins.TypeError", "BaseModel.create() missing 1 required positional argument: 'vals_list'",
     "odoo.server-error"),
    ("psycopg2.OperationalError", ('connection to server at "127.0.0.1", port 5432 failed: FATAL:'
     '  database "nosuchdb" does not exist\n'), "odoo.database-not-selected"),
    ("odoo.exceptions.ValidationError", ("The operation cannot be completed: Another model is using"
     " the record you are trying to delete."), "odoo.wrong-reference"),
    ("odoo.exceptions.MissingError", ("Record does not exist or has been deleted.\n"
     "(Record: probe.record(9999999,), User: 5)"), "odoo.no-match"),
    ("builtins.ValueError", "Wrong value for probe.record.state: 'bogus'", "odoo.invalid-value"),
    ("builtins.AttributeError", "The method 'probe.record.frob' does not exist",
     "odoo.unknown-model"),
    ("odoo.exceptions.UserError", "Object no.such doesn't exist", "odoo.unknown-model"),
    ("odoo.exceptions.AccessError", ("Private methods (such as 'probe.record._write') cannot be"
     " called remotely."), "odoo.access-denied"),
    ("builtins.AttributeError", "type object 'res.partner' has no attribute 'frob'",
     "odoo.unknown-model"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "message", "code"), FAULTS)
def test_each_recorded_fault_has_its_code(name, message, code):
    """What stops the destination blames it, and nothing else does."""
    error = {"code": 0, "message": "Odoo Server Error", "data": {"name": name, "message": message}}
    verdict = judge_rpc(200, {}, json.dumps({"id": 1, "error": error}).encode(), now=0)
    assert verdict.code == code
    assert verdict.blame_destination is (code in {"odoo.bad-key", "odoo.database-not-selected"})


@pytest.mark.parametrize("error", ["text", {}, {"data": 5}, []])
def test_a_fault_of_no_known_form_is_unexpected(error):
    """And no crash."""
    verdict = judge_rpc(200, {}, json.dumps({"error": error}).encode(), now=0)
    assert verdict.code == "odoo.unexpected-answer"


async def test_an_unreachable_server_is_unreachable():
    """Whichever protocol it would speak."""
    client = AnyVersion("http://127.0.0.1:1", "db", "", KEY)
    with pytest.raises(TransportFailure) as raised:
        await client.call("m", "load")
    await client.close()
    assert raised.value.kind is Failure.UNREACHABLE
    assert KEY not in repr(client)
