"""The command line, as a user types it, in real processes."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from odoorway.testing import SandboxOdoo

from .gateway_process import ROOT, eventually, free_port
from .orders import Order, make

HOOKS = ROOT / "examples" / "shopify" / "hooks.py"


class Shell:
    """Runs odoorway in a folder of its own, with a clean environment."""

    def __init__(self, folder: Path, **variables: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ODOORWAY_")}
        self.folder = folder
        self.env = {**kept, "COLUMNS": "80", "SHOPIFY_SECRET": "s", **variables}

    def run(self, *words: str, code: int = 0) -> str:
        """Return what it printed; fails when it does not end with that exit code."""
        done = subprocess.run(
            [sys.executable, "-c", "from odoorway.cli.main import main; main()", *words],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", "from odoorway.cli.main import main; main()", *words],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def connected(shell: Shell, odoo: SandboxOdoo, port: int) -> None:
    shell.env |= {
        "ODOORWAY_ODOO_URL": odoo.url,
        "ODOORWAY_ODOO_DATABASE": odoo.database,
        "ODOORWAY_ODOO_API_KEY": odoo.api_key,
        "ODOORWAY_PORT": str(port),
        "ODOORWAY_CONSOLE_PORT": "0",
    }


def saved(shell: Shell, order: Order, name: str = "order.json") -> str:
    (shell.folder / name).write_bytes(order.body())
    return name


def test_init_writes_what_works_and_overwrites_nothing(shell: Shell) -> None:
    """Its test passes as it stands, and its hooks.py is the example of the README."""
    shell.run("init")
    assert (shell.folder / "hooks.py").read_text() == HOOKS.read_text()
    assert (shell.folder / ".env").stat().st_mode & 0o077 == 0
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=shell.folder,
        env=shell.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in tested.stdout, tested.stdout + tested.stderr
    (shell.folder / "hooks.py").write_text("mine = 1\n")
    assert "kept" in shell.run("init")
    assert (shell.folder / "hooks.py").read_text() == "mine = 1\n"


def test_try_shows_commands_calls_and_errors(shell: Shell) -> None:
    """And asks and writes nothing."""
    words = ["try", str(HOOKS), saved(shell, make(1)[0]), "--source", "shop", "--topic"]
    assert "client_order_ref" in shell.run(*words, "orders/create")
    assert "order_line/product_uom_qty" in shell.run(*words, "orders/create", "--explain")
    told = json.loads(shell.run(*words, "orders/create", "--json"))
    assert told["sale_order"]["commands"][0]["model"] == "sale.order"
    assert "no route" in shell.run(*words, "orders/paid", code=3)
    (shell.folder / "bad.json").write_text('{"id": "x"}')
    words[2] = "bad.json"
    assert "line_items" in shell.run(*words, "orders/create", code=1)


def test_a_flag_may_stand_in_the_environment(shell: Shell) -> None:
    """As settings may, so that a container needs no command line."""
    shell.env |= {"ODOORWAY_JSON": "1", "ODOORWAY_TRY_SOURCE": "shop"}
    shell.env["ODOORWAY_TRY_TOPIC"] = "orders/create"
    told = shell.run("try", str(HOOKS), saved(shell, make(1)[0]))
    assert "sale.order" in json.dumps(json.loads(told))
    shell.env["ODOORWAY_TRY_EXPLANE"] = "1"
    told = shell.run("events", "list", code=3)
    assert "did you mean ODOORWAY_TRY_EXPLAIN" in " ".join(told.split())


def test_wrong_hooks_are_told_with_file_and_line(shell: Shell) -> None:
    """Never a traceback."""
    (shell.folder / "hooks.py").write_text("from odoorway import Gateway\n1 / 0\n")
    assert re.search(r"hooks\.py:2 ZeroDivisionError", shell.run("check", "hooks.py", code=3))
    (shell.folder / "hooks.py").write_text("x = 1\n")
    assert "declares 0 gateways" in shell.run("check", "hooks.py", code=3)
    assert "is no file" in shell.run("run", "other.py", code=3)


def test_a_missing_secret_or_setting_stops_the_start(shell: Shell) -> None:
    """A source is never left open."""
    del shell.env["SHOPIFY_SECRET"]
    assert "SHOPIFY_SECRET is not set" in shell.run("run", str(HOOKS), code=3)
    shell.env["SHOPIFY_SECRET"] = "s"
    assert "ODOORWAY_ODOO_URL" in shell.run("run", str(HOOKS), code=3)
    shell.env["ODOORWAY_ODO_URL"] = "x"
    assert "did you mean ODOORWAY_ODOO_URL" in shell.run("run", str(HOOKS), code=3)


async def test_check_finds_what_would_fail(sandbox: SandboxOdoo, shell: Shell) -> None:
    """Fine as it is; a wrong key, an unknown field and an Odoo that is away are each named."""
    connected(shell, sandbox, 8088)
    run = asyncio.to_thread
    assert "all fine" in await run(shell.run, "check", str(HOOKS))
    wrong = HOOKS.read_text().replace("client_order_ref", "client_order_reference")
    (shell.folder / "hooks.py").write_text(wrong)
    told = await run(lambda: shell.run("check", "hooks.py", "--json", code=1))
    assert [f["code"] for f in json.loads(told) if f["level"] == "fail"] == ["odoo.unknown-field"]
    shell.env["ODOORWAY_ODOO_API_KEY"] = "wrong"
    assert "odoo.bad-key" in await run(lambda: shell.run("check", str(HOOKS), code=1))
    await sandbox.stop()
    assert "odoo.unreachable" in await run(lambda: shell.run("check", str(HOOKS), code=1))


async def test_run_send_list_show_replay_and_stop(sandbox: SandboxOdoo, shell: Shell) -> None:
    """The whole life of an order that fails first, by the commands alone."""
    connected(shell, sandbox, port := free_port())
    run = asyncio.to_thread
    order = make(1, first=500)[0]
    lost = Order(501, 1, (("NO-SUCH-SKU", 1, order.lines[0][2]),))
    served = shell.start("run", str(HOOKS))
    try:
        await eventually(lambda: _listening(port))
        words = ["send", str(HOOKS), "--source", "shop", "--topic", "orders/create"]
        assert "202" in await run(shell.run, *words, saved(shell, order))
        assert "202" in await run(shell.run, *words, saved(shell, lost))

        async def settled() -> bool:
            listed = json.loads(await run(shell.run, "events", "list", "--json"))
            states = [d["state"] for e in listed for d in e["deliveries"]]
            return sorted(states) == ["dead", "delivered"]

        await eventually(settled)
        (dead,) = json.loads(await run(shell.run, "dead", "list", "--json"))
        assert dead["code"] == "odoo.no-match"
        shown = await run(shell.run, "events", "show", dead["event_id"])
        assert "NO-SUCH-SKU" in shown
        assert "Look whether the record is in this database" in shown
        sandbox.create("product.product", {"name": "n", "default_code": "NO-SUCH-SKU"})
        assert "1 deliveries" in await run(shell.run, "dead", "replay", "--all")

        async def there() -> bool:
            names = {o["client_order_ref"] for o in sandbox.records("sale.order")}
            return names == {"#500", "#501"}

        await eventually(there)
        assert "0 deliveries" in await run(shell.run, "dead", "replay", "--all")
        assert "no event evt_nope" in await run(
            lambda: shell.run("events", "replay", "evt_nope", code=1)
        )
        assert "is served by process" in (
            await run(lambda: shell.run("run", str(HOOKS), "--port", "0", code=4))
        ).replace("\n", " ")
    finally:
        served.send_signal(signal.SIGTERM)
        out, err = await run(served.communicate, None, 40)
    assert served.returncode == 0, out + err
    assert sandbox.api_key not in out + err


async def _listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def test_hostile_text_cannot_write_on_the_terminal() -> None:
    """A platform controls headers, topics and payloads."""
    from odoorway.cli.output import safe

    shown = safe("\x1b[31m[bold]x\u202e\x07")
    assert not re.search(r"[\x00-\x1f\u202e]", shown)
    assert r"\[bold]" in shown


async def test_send_signs_as_stripe_does(sandbox: SandboxOdoo, shell: Shell) -> None:
    """A payment that a handler of the user's own takes."""
    connected(shell, sandbox, port := free_port())
    shell.env["STRIPE_SECRET"] = "whsec_x"
    (shell.folder / "hooks.py").write_text(_PAYMENTS)
    (shell.folder / "paid.json").write_text(
        '{"id": "evt_1", "type": "charge.succeeded", "created": 1, "data": {"object": {}}}'
    )
    served = shell.start("run", "hooks.py")
    run = asyncio.to_thread
    try:
        await eventually(lambda: _listening(port))
        words = ["send", "hooks.py", "--source", "pay", "--topic", "charge.succeeded"]
        assert "202" in await run(shell.run, *words, "paid.json")
        shell.env["STRIPE_SECRET"] = "whsec_y"
        told = await run(lambda: shell.run(*words, "paid.json", code=1))
        assert "signature.mismatch" in told

        async def there() -> bool:
            return [p["name"] for p in sandbox.records("res.partner")] == ["charge.succeeded"]

        await eventually(there)
    finally:
        served.send_signal(signal.SIGTERM)
        await run(served.communicate, None, 40)
    assert served.returncode == 0


async def test_status_pause_and_resume(sandbox: SandboxOdoo, shell: Shell) -> None:
    """An operator stops deliveries, sees that they are stopped and why, and lets them go on."""
    connected(shell, sandbox, port := free_port())
    run = asyncio.to_thread
    served = shell.start("run", str(HOOKS))
    try:
        await eventually(lambda: _listening(port))
        assert "delivering" in await run(shell.run, "status")
        assert "odoorway resume odoo" in await run(shell.run, "pause", "odoo")
        words = ["send", str(HOOKS), "--source", "shop", "--topic", "orders/create"]
        assert "202" in await run(shell.run, *words, saved(shell, make(1)[0]))
        told = await run(lambda: shell.run("status", code=1))
        assert "paused" in told
        assert re.search(r"waiting\s+1, the oldest for 0:00:0", told)
        assert "no destination 'odo'" in await run(lambda: shell.run("resume", "odo", code=2))
        await run(shell.run, "resume")

        async def delivered() -> bool:
            told = json.loads(await run(shell.run, "status", "--json"))
            return bool(told["deliveries"]["delivered"] == 1)

        await eventually(delivered)
        await sandbox.stop()
        assert "202" in await run(shell.run, *words, saved(shell, make(1, first=2)[0]))

        async def resting() -> bool:
            done = await run(_status, shell)
            return done.returncode == 1 and "Odoo cannot be reached" in done.stdout

        await eventually(resting)
        assert "Start Odoo" in (await run(_status, shell)).stdout
    finally:
        served.send_signal(signal.SIGTERM)
        await run(served.communicate, None, 40)
    assert served.returncode == 0


def _status(shell: Shell) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from odoorway.cli.main import main; main()", "status"],
        cwd=shell.folder, env=shell.env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


_PAYMENTS = """
from odoorway import Event, Gateway, Upsert
from odoorway.sources import stripe

gateway = Gateway()
pay = gateway.source("pay", stripe.source(secret="env:STRIPE_SECRET"))


@pay.on("charge.succeeded")
def paid(event: stripe.Event[dict], meta: Event) -> Upsert:
    return Upsert("res.partner", ("payment", event.id), {"name": meta.topic})
"""


def test_the_demo_ends_in_success(shell: Shell) -> None:
    """A duplicate, a forgery, an invalid one and an outage: three orders, each once."""
    told = json.loads(shell.run("demo", "--json"))
    became = [(w["status"], w["became"], w["code"]) for w in told["webhooks"]]
    assert became == [
        (202, "delivered", None),
        (202, "delivered", None),
        (202, "duplicate", None),
        (202, "delivered", None),
        (401, "refused", "signature.mismatch"),
        (202, "dead", "payload.invalid"),
        (202, "delivered", None),
    ]
    orders = {o["client_order_ref"]: (o["amount_untaxed"], o["state"]) for o in told["orders"]}
    assert orders == {"#1001": (37.0, "sale"), "#1002": (24.5, "draft"), "#1003": (37.0, "draft")}
    assert "Each order arrived exactly once" in shell.run("demo")
