"""No line of a log crashes the doctor, makes it hang, or reaches the terminal as a command."""

import itertools
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odoo_logs import RECORDED, as_other_processes, read, records, told
from typer.testing import CliRunner

from odoorway.cli.main import app
from odoorway.doctor.logs.report import as_json

_PARTS = [
    b"\n", b"\r\n", b"\x1b[31m", b"\x1b]0;owned\x07", b"\x00", b"\xff\xfe",
    "注文 ×".encode(), b" " * 40, b'" HTTPStatus.NOPE -', b"[bold red]markup[/]", b"{}%s",
    b"2026-11-23 22:31:40,756 18791 ERROR o19b odoo.http: Exception during request handling. \n",
    b"2026-11-23 22:31:40,757 18791 INFO o19b werkzeug: 127.0.0.1 - - [x] ",
    b'"POST /hook HTTP/1.1" 500',
    b" - 3 0.002 0.009\n", b"9999-99-99 99:99:99,999 1 ERROR ? x: y\n",
    b"0000-00-00 00:00:00,000 999999999 CRITICAL a odoo.service.server: Worker (7) timeout after\n",
    b"2026-11-23 22:31:40,756 7 WARNING d odoo.service.model: SERIALIZATION_FAILURE, retry 1/5 in",
    b" 0.1 sec...", b"Traceback (most recent call last):\n", b'  File "/a/b.py", line 3, in f\n',
    b'File: "/a/b.py", line 99999999999, in f', b"    code()\n", b"KeyError: 'x'\n", b"KeyError:",
    b"odoo.exceptions.UserError: ",
]  # fmt: skip
pieces = st.one_of(st.sampled_from(_PARTS), st.binary(max_size=60))
logs = st.lists(pieces, max_size=40).map(b"".join)


@settings(max_examples=400, deadline=2000)
@given(log=logs)
def test_any_bytes_are_read_and_reported(log):
    """Any bytes give a report that is JSON, and no exception."""
    reading, found = read(log)
    report = json.loads(json.dumps(as_json(reading, [])))
    assert sum(group["count"] for group in report["groups"]) == len(found)


@settings(max_examples=150, deadline=2000)
@given(log=logs, cuts=st.lists(st.integers(0, 1500), max_size=6))
def test_pieces_change_nothing(log, cuts):
    """However the bytes come, the incidents are the same."""
    ends = sorted({min(cut, len(log)) for cut in cuts} | {0, len(log)})
    chunks = [log[a:b] for a, b in itertools.pairwise(ends)]
    assert told(read(*chunks)[1]) == told(read(log)[1])


@settings(max_examples=60, deadline=4000)
@given(order=st.randoms(use_true_random=False))
def test_workers_interleaved_at_random(order):
    """However the workers take turns, each failure is what it is alone."""
    names = order.sample([name for name in RECORDED if "timeout" not in name], 6)
    workers = [records(as_other_processes(RECORDED[name], n)) for n, name in enumerate(names)]
    together = []
    while workers := [worker for worker in workers if worker]:
        together.append(order.choice(workers).pop(0))
    alone = itertools.chain(*(read(RECORDED[name])[1] for name in names))
    assert told(read(b"".join(together))[1]) == told(alone)


HEAD = b"\n2026-11-23 22:31:40,756 7 ERROR db odoo.http: "
TRACEBACK = b"\nTraceback (most recent call last):\n"
ACCESS = b"\n2026-11-23 22:31:40,757 7 INFO db werkzeug: "
NASTY = {
    "spaces": HEAD + b" " * 3_000_000,
    "quotes": HEAD + TRACEBACK + b"E: " + b"'\"" * 1_000_000,
    "open brackets": HEAD + b"<" * 3_000_000,
    "one path": HEAD + b"/" * 3_000_000 + b": x",
    "hex": HEAD + b"deadbeef0" * 300_000,
    "frames": HEAD + TRACEBACK + b'  File "/a.py", line 1, in f\n' * 90_000,
    "half frames": HEAD + b'\n  File "' * 300_000,
    "tracebacks": HEAD + TRACEBACK * 90_000,
    "access": ACCESS + b'1 - - [x] "POST ' + b"/ HTTP/1.1" * 300_000,
    "access quotes": ACCESS + b'" 5' * 900_000,
    "times": b"\n2026-11-23 22:31:40,757 " * 120_000,
    "prefixes": b"a" * 80 + b" " * 40 + b"|" * 3_000_000,
    "prefix lines": (b"a" * 80 + b" " * 40 + b"\n") * 25_000,
    "levels": b"\n2026-11-23 22:31:40,757 7 " + b"A" * 3_000_000,
    "no lines": b"x" * 12_000_000,
    "escapes": b"\x1b[" * 1_500_000,
}  # fmt: skip


@pytest.mark.parametrize("log", NASTY.values(), ids=NASTY)
def test_no_line_makes_it_hang(log):
    """Megabytes made to send a regular expression astray are soon read, and not kept."""
    began = time.process_time()
    _, found = read(log)
    assert time.process_time() - began < 3
    kept = [len(record.text) for one in found for record in one.incident.records]
    assert max(kept, default=0) < 20_000


ESCAPES = (
    "\x1b]0;owned\x07\x1b[2J\x1b[1;1H", "\x9b31m", "\x08\x08", "\u202egnp.exe", "[red]no markup[/]",
    "[link=http://evil]x[/link]", "\r",
)  # fmt: skip


@pytest.mark.parametrize("escape", ESCAPES, ids=ascii)
@pytest.mark.parametrize("options", [[], ["--limit", "0", "--verbose"]], ids=["brief", "full"])
def test_escape_sequences_are_shown_harmless(tmp_path, escape, options):
    """What a sender wrote into a path, a message or code never commands the terminal."""
    log = RECORDED["19_http_keyerror_traceback"].decode()
    for place in (
        "raise/sudo_key",
        "'order_id'\n",
        "return payload",
        "provoke\n",
        "hook_probe/con",
    ):
        log = log.replace(
            place, f"{place.rstrip()}{escape}x{' ' * 3}" + "\n" * place.endswith("\n")
        )
    path = tmp_path / "odoo.log"
    path.write_text(log)
    shown = CliRunner().invoke(app, ["doctor", "logs", str(path), *options]).stdout
    assert "KeyError" in shown
    assert not set(shown) & set("\x1b\x9b\x07\x08\r\u202e\x00")
    if escape.startswith("["):
        assert escape[:5] in shown
    told = CliRunner().invoke(app, ["doctor", "logs", str(path), "--json"]).stdout
    assert json.loads(told)["groups"][0]["count"] == 1
    assert not set(told) & set("\x1b\x9b\x07\x08\r\u202e\x00")
