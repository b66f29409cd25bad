"""`doctor probe` against a live Odoo 19: every provoked failure is found, its cause first."""

import datetime as dt
import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from odoorway.doctor.probe.request import Purpose, Target, sequence
from odoorway.doctor.probe.run import Probe, Report
from real_odoo import RealOdoo, nginx
from real_odoo.system import free_port

pytestmark = pytest.mark.odoo
ADDONS = Path(__file__).parent / "addons"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def odoo(real_odoo: RealOdoo) -> Iterator[RealOdoo]:
    """An Odoo with an addon whose routes fail on purpose."""
    name = f"odoorway_probe_{os.getpid()}"
    with RealOdoo.start(name, addons=[ADDONS], install=["probe_traps"]) as own:
        yield own


async def probed(
    url: str, *, limit: float = 20.0, anywhere: bool = False, **more: object
) -> Report:
    target = Target(url=url, **more)  # type: ignore[arg-type]  # the tests name its fields
    return await Probe(target, limit=limit, anywhere=anywhere, tell=lambda _: None).run()


def first(report: Report) -> str | None:
    return report.findings[0].diagnosis.code if report.findings else None


def rpc(**params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode()


ASKED = [  # the path, and what is found without a payload
    ("/traps/good", None),
    ("/traps/refuses", None),
    ("/traps/nope", "odoo.route-not-found"),
    ("/traps/Good", "odoo.route-not-found"),
    ("/traps//good", "odoo.route-not-found"),
    ("/not_installed/hook", "odoo.route-not-found"),
    ("/traps/get-only", "odoo.method-not-allowed"),
    ("/traps/put-only", "odoo.method-not-allowed"),
    ("/traps/methods-text", "odoo.methods-is-text"),
    ("/traps/csrf", "odoo.csrf"),
    ("/traps/csrf-typo", "odoo.csrf"),
    ("/traps/auth-user", "odoo.login-required"),
    ("/traps/auth-missing", "odoo.login-required"),
    ("/traps/bearer", "odoo.no-key"),
    ("/traps/bearer-csrf", "odoo.no-key"),
    ("/traps/rpc", "odoo.envelope-missing"),
    ("/traps/moved", "odoo.redirected"),
    ("/web/hook/00000000-0000-4000-8000-000000000000", "odoo.automation-unknown"),
]
SENT = [  # the path, the payload with its type, and what is found
    ("/traps/good", b'{"id": 1}', JSON, None),
    ("/traps/auth-user-rpc", rpc(), JSON, "odoo.login-required"),
    ("/traps/rpc", b'{"id": 1}', JSON, "odoo.envelope-missing"),
    ("/traps/rpc-needs", b'{"order": 1}', JSON, "odoo.envelope-missing"),
    ("/traps/rpc-needs", rpc(), JSON, "odoo.argument-missing"),
    ("/traps/rpc", b"order=1", FORM, "odoo.wrong-request-type"),
    ("/traps/rpc", b'{"id": ', JSON, "odoo.body-not-json"),
    ("/traps/rpc", b"[1, 2]", JSON, "odoo.body-not-an-object"),
    ("/traps/rpc", b'{"params": null}', JSON, "odoo.bad-envelope"),
    ("/traps/rpc", b'{"params": {"self": 1}}', JSON, "odoo.argument-self"),
    ("/traps/rpc-response", rpc(), JSON, "odoo.response-lost"),
    ("/traps/swallows", b"{}", JSON, "odoo.error-in-success"),
    ("/traps/limited", b"x" * 2000, JSON, "odoo.body-too-large"),
    ("/traps/conflict", b"{}", JSON, "odoo.refused-by-controller"),
    ("/traps/rpc-raises", rpc(kind="user"), JSON, "odoo.validation"),
    ("/traps/rpc-raises", rpc(kind="access"), JSON, "odoo.access-denied"),
    ("/traps/rpc-raises", rpc(kind="missing"), JSON, "odoo.no-match"),
    ("/traps/rpc-raises", rpc(kind="key"), JSON, "odoo.payload-key-missing"),
    ("/traps/rpc-raises", rpc(kind="null"), JSON, "odoo.null-value"),
    ("/traps/rpc-raises", rpc(kind="type"), JSON, "odoo.addon-error"),
    ("/traps/rpc-raises", rpc(kind="number"), JSON, "odoo.wrong-type"),
    ("/traps/rpc-raises", rpc(kind="selection"), JSON, "odoo.wrong-selection"),
    ("/traps/rpc-raises", rpc(kind="unknown-field"), JSON, "odoo.unknown-field"),
    ("/traps/rpc-raises", rpc(kind="unknown-model"), JSON, "odoo.unknown-model"),
    ("/traps/rpc-raises", rpc(kind="xmlid"), JSON, "odoo.unknown-xmlid"),
    ("/traps/rpc-raises", rpc(kind="singleton"), JSON, "odoo.singleton"),
    ("/traps/rpc-raises", rpc(kind="reference"), JSON, "odoo.wrong-reference"),
    ("/traps/rpc-raises", rpc(kind="required"), JSON, "odoo.missing-required"),
    ("/traps/rpc-raises", rpc(kind="acl"), JSON, "odoo.access-denied"),
    ("/traps/rpc-raises", rpc(kind="sql"), JSON, "odoo.sql-error"),
    ("/traps/rpc-raises", rpc(kind="read"), JSON, "odoo.no-match"),
    ("/traps/rpc-raises", rpc(kind="wrong-id"), JSON, "odoo.wrong-type"),
    ("/traps/http-raises?kind=validation", b"kind=validation", FORM, "odoo.validation"),
    ("/traps/http-raises", b"kind=acl", FORM, "odoo.access-denied"),
    ("/traps/http-raises", b"kind=required", FORM, "odoo.missing-required"),
]


@pytest.mark.parametrize(("path", "code"), ASKED)
async def test_without_a_payload(odoo: RealOdoo, path: str, code: str | None) -> None:
    """What the route itself does wrong is found by an empty request."""
    report = await probed(odoo.url + path)
    assert first(report) == code, report.findings
    assert report.version.startswith("19.0")


@pytest.mark.parametrize(("path", "payload", "headers", "code"), SENT)
async def test_with_a_payload(
    odoo: RealOdoo, path: str, payload: bytes, headers: dict[str, str], code: str | None
) -> None:
    """What the payload provokes is found from Odoo's answer."""
    report = await probed(odoo.url + path, payload=payload, headers=headers)
    assert first(report) == code, report.findings


async def test_a_500_without_its_log_is_a_guess(odoo: RealOdoo) -> None:
    """The page says nothing, so neither does the doctor with confidence."""
    report = await probed(f"{odoo.url}/traps/http-raises", payload=b"kind=key", headers=FORM)
    assert [one.level for one in report.findings] == ["guess", "guess"]


async def test_the_key_and_its_rights(odoo: RealOdoo) -> None:
    """A wrong key, a wrong database, and a model that the user may not write."""
    url = f"{odoo.url}/traps/good"
    assert first(await probed(url, key="wrong")) == "odoo.bad-key"
    fine = await probed(url, key=odoo.gateway_key, models=("sale.order", "res.partner"))
    assert fine.findings == []
    denied = await probed(url, key=odoo.gateway_key, models=("ir.model.access",))
    assert first(denied) == "odoo.access-denied"
    unknown = await probed(url, key=odoo.gateway_key, models=("no.such",))
    assert first(unknown) == "odoo.unknown-model"
    assert first(await probed(url, database="nowhere")) == "odoo.database-not-selected"


async def test_through_nginx(odoo: RealOdoo, tmp_path: Path) -> None:
    """Its redirect to https, its limit, an Odoo that is down, and a host it does not serve."""
    https, small, down, other, loop = (free_port() for _ in range(5))
    servers = f"""
    server {{ listen 127.0.0.1:{https}; return 301 {odoo.url}$request_uri; }}
    server {{ listen 127.0.0.1:{small}; client_max_body_size 1k;
              location / {{ proxy_pass {odoo.url}; }} }}
    server {{ listen 127.0.0.1:{down}; location / {{ proxy_pass http://127.0.0.1:9; }} }}
    server {{ listen 127.0.0.1:{other}; return 404; }}
    server {{ listen 127.0.0.1:{loop}; return 302 /again; }}
    """
    with nginx.serving(tmp_path, servers, loop):
        at = "http://127.0.0.1"
        report = await probed(f"{at}:{https}/traps/good")
        assert first(report) == "odoo.redirected"
        big: dict[str, Any] = {"payload": b"x" * 5000, "headers": JSON}
        assert first(await probed(f"{at}:{small}/traps/good", **big)) == "proxy.too-large"
        assert first(await probed(f"{at}:{small}/traps/csrf")) == "odoo.csrf"
        assert first(await probed(f"{at}:{down}/traps/good")) == "proxy.bad-gateway"
        assert first(await probed(f"{at}:{other}/traps/good")) == "probe.not-odoo"
        report = await probed(f"{at}:{loop}/traps/good")
        assert "odoo.redirected" in [one.diagnosis.code for one in report.findings]


async def test_networks_and_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, no such name, and each way a certificate is wrong."""
    assert first(await probed(f"http://127.0.0.1:{free_port()}/x")) == "network.refused"
    assert first(await probed("http://no-such-host.invalid/x")) == "network.dns"
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    for certificate, code in (
        (authority.issue_cert("127.0.0.1"), "probe.not-odoo"),
        (authority.issue_cert("127.0.0.1", not_after=past, not_before=past), "tls.expired"),
        (authority.issue_cert("other.example"), "tls.wrong-name"),
        (stranger.issue_cert("127.0.0.1"), "tls.untrusted"),
        (None, "tls.failed"),
    ):
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
        runner = web.AppRunner(web.Application())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        port = runner.addresses[0][1]
        assert first(await probed(f"https://127.0.0.1:{port}/x")) == code
        await runner.cleanup()


async def test_it_is_careful() -> None:
    """One request at a time, within its limit, no data unless given, no other host unasked."""
    seen: list[tuple[str, str, bytes]] = []
    busy = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal busy
        busy += 1
        assert busy == 1
        seen.append((request.method, request.path, await request.read()))
        busy -= 1
        if request.path == "/away":
            return web.Response(status=302, headers={"location": "http://localhost:1/x"})
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    report = await probed(f"{url}/away")
    assert "odoo.redirected" in [one.diagnosis.code for one in report.findings]
    assert all("localhost" not in one.ask.url for one in report.exchanges)
    assert [body for method, path, body in seen if path != "/jsonrpc"] == [b""] * (len(seen) - 1)
    late = await probed(f"{url}/x", limit=0.0)
    assert first(late) == "network.timeout"
    await runner.cleanup()


def test_the_sequence_can_be_shown_beforehand() -> None:
    """It is data: nothing is sent, and only --send carries a payload."""
    asks = list(sequence(Target(url="https://x/hook")))
    assert [ask.body for ask in asks if ask.purpose in {Purpose.ROUTE, Purpose.EMPTY}] == [b"", b""]
    quiet = list(sequence(Target(url="https://x/hook", may_post=False)))
    assert Purpose.EMPTY not in {ask.purpose for ask in quiet}


@pytest.mark.odoo14
@pytest.mark.parametrize(
    ("path", "payload", "code"),
    [
        ("/no/such/hook", None, "odoo.route-not-found"),
        ("/no/such/hook", b"{}", "odoo.route-not-found"),
        ("/web/session/modules", None, "odoo.login-required"),
        ("/web/session/modules", b"{}", "odoo.login-required"),
        ("/longpolling/poll", b'{"a": ', "odoo.body-not-json"),
        ("/web/login", b"{}", "odoo.wrong-request-type"),
        ("/longpolling/poll", b'{"channels": 1}', "odoo.envelope-missing"),
    ],
)
async def test_odoo_14(real_odoo_14, path: str, payload: bytes | None, code: str) -> None:
    """The same causes look otherwise on Odoo 14, and are found as well."""
    headers = JSON if payload else {}
    report = await probed(real_odoo_14.url + path, payload=payload, headers=headers)
    assert report.version.startswith("14.0"), report.exchanges
    assert first(report) == code, report.findings
