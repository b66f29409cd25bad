"""Recorded answers of real Odoos get their diagnosis; nothing hostile crashes or hangs it."""

import json
import re
import runpy
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoorway.diagnose.catalog import CATALOG
from odoorway.diagnose.evidence import Evidence, read
from odoorway.diagnose.recognise import Fine, Sure, Unsure, recognise
from odoorway.model.diagnosis import Diagnosis, Fixer
from odoorway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TABLE = runpy.run_path(str(ROOT / "scripts" / "diagnoses"))
SHARED = ROOT.parent / "shared" / "odoo-answers" / "answers.jsonl"
# Without its log a PostgreSQL that is down shows the very page of a database that is not selected,
# and that diagnosis says so.
SAME_TO_THE_EYE = {"odoo.database-lost": "odoo.database-not-selected"}
NOT_KNOWN: dict[str, dict[str, Any]] = {
    "the log": {"log": ""},
    "the request": {"method": "", "path": "", "request_headers": {}, "request_body": ""},
}
NOT_KNOWN["either"] = NOT_KNOWN["the log"] | NOT_KNOWN["the request"]

TRACEBACK = """Traceback (most recent call last):
  File "/a/b.py", line 3, in hook
    x()
KeyError: 'order_id'
"""
KILLED = "2026-11-23 23:11:14,343 2 ERROR db odoo.service.server: WorkerHTTP (3) timeout after 6s "


def misses(rows):
    found = list(TABLE["judged"](rows))
    wrong = [(row["odoo"], row["case"], label, code) for row, label, code in found if label != code]
    return found, wrong


def test_the_recordings_are_recognised():
    """At least 97 % get the exact diagnosis, and none another with confidence."""
    found, wrong = misses(TABLE["recordings"]())
    assert len(found) > 650
    assert len(wrong) / len(found) < 0.03, Counter(wrong)
    confident = [one for one in wrong if one[3] not in {"unsure", "fine"}]
    assert confident == []


@pytest.mark.shared
def test_all_recordings_in_shared_are_recognised():
    """The same for every recording, where they can be had."""
    if not SHARED.exists():
        pytest.skip("shared/ is not here: only the recordings in the repository are judged")
    found, wrong = misses(TABLE["recordings"](SHARED))
    assert len(found) > 700
    assert len(wrong) / len(found) < 0.03, Counter(wrong)


@pytest.mark.parametrize("unknown", NOT_KNOWN)
def test_what_is_not_known_is_not_guessed(unknown):
    """Without the log, or the request, fewer are recognised and none is taken for another."""
    wanted, wrong = TABLE["labels"](), []
    for row in TABLE["recordings"]():
        label = wanted[row["odoo"]][row["case"]]
        code = TABLE["said"](replace(TABLE["evidence"](row), **NOT_KNOWN[unknown]))
        if code not in {label, "unsure", "fine", SAME_TO_THE_EYE.get(label)}:
            wrong.append((row["odoo"], row["case"], label, code))
    assert wrong == []


def test_without_the_log_nothing_is_guessed():
    """A plain 500 says nothing without its log: it is unsure, and names two."""
    rows = [row for row in TABLE["recordings"]() if row["response"]]
    for row in rows:
        known = TABLE["evidence"](row)
        bare = Evidence(status=known.status, body=known.body, headers=known.headers)
        if known.status == 500 and "Internal Server Error" in known.body:
            result = recognise(bare)
            assert isinstance(result, Unsure), row["case"]
            assert len(set(result.nearest)) == 2


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("405", "odoo.method-not-allowed"),
        ("HTTP/1.1 415 UNSUPPORTED MEDIA TYPE\n\n", "odoo.wrong-request-type"),
        ("curl: (7) Failed to connect to x port 80: Connection refused", "network.refused"),
        ("curl: (6) Could not resolve host: odoo.example", "network.dns"),
        ("curl: (52) Empty reply from server", "odoo.empty-answer"),
        ("SSL: CERTIFICATE_VERIFY_FAILED certificate has expired (_ssl.c:1006)", "tls.expired"),
        ("HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\n\r\n<html>", "proxy.bad-gateway"),
        ("HTTP/1.1 413 X\nServer: nginx/1.22\n\n<h1>413</h1>", "proxy.too-large"),
        (TRACEBACK, "odoo.payload-key-missing"),
        (KILLED, "odoo.worker-time-limit"),
        (
            '{"name": "odoo.exceptions.AccessDenied", "message": "Access Denied"}',
            "odoo.login-failed",
        ),
    ],
)
def test_what_people_paste(pasted, code):
    """A status, a client's words, an answer, a traceback, a log line, an error's body."""
    result = recognise(read(pasted))
    assert isinstance(result, Sure), result
    assert result.diagnosis.code == code


OUTER = (
    TRACEBACK
    + """
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/a/b.py", line 9, in hook
    raise ShopError("no such order")
b.ShopError: no such order
"""
)
FILESTORE = (
    "2026-11-23 23:25:04,110 3 INFO db odoo.addons.base.models.ir_attachment: _read_file reading \n"
    + TRACEBACK
    + "2026-11-23 23:25:05,110 3 INFO db odoo.modules.loading: Modules loaded. \n"
)
CALLED = """<fault><name>faultCode</name><value><int>1</int></value>
<name>faultString</name><value><string>Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/odoo/http.py", line 140, in dispatch_rpc
    result = dispatch(method, params)
  File "/usr/lib/python3/dist-packages/odoo/api.py", line 365, in _call_kw_model
    result = method(recs, *args, **kwargs)
  File "{}", line 12, in import_order
    return order["lines"]
KeyError: 'lines'
</string></value></fault>"""


def test_the_outer_exception_counts():
    """What was raised last failed the request, whatever it was raised for."""
    result = recognise(read(OUTER))
    assert isinstance(result, Sure)
    assert result.diagnosis.code == "odoo.addon-error"
    assert "ShopError" in result.shown_by


def test_a_traceback_that_odoo_logs_and_ignores_is_none():
    """A file missing from a copied filestore is logged with a traceback, at INFO."""
    assert isinstance(recognise(read(FILESTORE)), Unsure)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/opt/odoo/addons/shop/models/order.py", "odoo.payload-key-missing"),
        ("/usr/lib/python3/dist-packages/odoo/addons/sale/models/x.py", "odoo.payload-key-missing"),
        ("/usr/lib/python3/dist-packages/odoo/models.py", "odoo.bad-rpc-call"),
        ("/usr/lib/python3/dist-packages/odoo/addons/base/models/x.py", "odoo.bad-rpc-call"),
    ],
)
def test_an_rpc_call_is_malformed_only_where_no_addon_ran(path, code):
    """A mistake in the code that was called is not the caller's."""
    result = recognise(Evidence(status=200, path="/xmlrpc/2/object", body=CALLED.format(path)))
    assert isinstance(result, Sure)
    assert result.diagnosis.code == code


def test_a_fine_answer_is_fine():
    """And a status that says nothing is not."""
    assert isinstance(recognise(read('HTTP/1.1 200 OK\n\n{"ok": 1}')), Fine)
    assert isinstance(recognise(read("500")), Unsure)


FRAGMENTS = st.sampled_from(
    [
        "Traceback (most recent call last):\n", "ValueError: ", "KeyError: '", "\x1b[31m", "\0",
        "HTTP/1.1 200 OK\n\n", "HTTP/1.1 500 X\n", "POST /jsonrpc HTTP/1.1\n\n", '{"jsonrpc":',
        '"error": {"data": {"name": "a.B", "message": ', "<fault>", "<name>faultCode</name>",
        "2026-11-23 23:11:14,343 28620 ERROR db odoo.http: ", "\n\n", "a" * 5000, "([{" * 900,
        "odoo.exceptions.UserError: x", "\ufffd", '"' * 300, "\\" * 300, "Error" * 500, ": " * 500,
    ]
)  # fmt: skip


RUNS = (
    "a.", "A", "Error", "\n", "[", '{"a":', "<name>faultCode</name>", '"message": "\\', '  File "',
    "ValueError: x\n", "called ignoring args <function ", "HTTP/1.1 100 Continue\n\n", "A-b:\n",
    "2026-11-23 23:11:14,343 1 ERROR db ", 'werkzeug: "A ', "base_automation: Webhook #1",
)  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
def test_no_run_of_anything_hangs_it(run):
    """The longest text that is looked at takes a second; what backtracks would not come back."""
    text = run * (200_000 // len(run))
    evidence = Evidence(status=500, body=text, log=text, request_body=text, path=text)
    assert isinstance(recognise(read(text)), Sure | Unsure | Fine)
    assert isinstance(recognise(evidence), Sure | Unsure | Fine)


@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=30)), max_size=30).map("".join))
def test_no_text_crashes_or_hangs_it(text):
    """Whatever is pasted, there is one of three answers."""
    assert isinstance(recognise(read(text)), Sure | Unsure | Fine)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda x: st.lists(x, max_size=3) | st.dictionaries(
                        st.sampled_from(["error", "data", "name", "message", "result", "jsonrpc"]),
                        x, max_size=4)))  # fmt: skip
def test_no_json_crashes_it(value):
    """JSON of any shape, as the request and as the answer."""
    text = json.dumps(value)
    for status in (0, 200, 400, 500):
        known = Evidence(status=status, body=text, request_body=text, path="/jsonrpc")
        assert recognise(known)


def test_the_catalogue_is_whole():
    """At least seventy, each with cause and fix; one without cannot be made."""
    assert len(CATALOG) >= 70
    with pytest.raises(ValueError, match=r"area\.name"):
        Diagnosis(code="x.y", title="t", cause="c", fix=(), transient=False, fixer=Fixer.SENDER)


def test_every_setting_that_a_fix_names_exists():
    """A fix that names a variable nobody reads would help nobody."""
    texts = " ".join(" ".join((one.cause, *one.fix)) for one in CATALOG.values())
    named = set(re.findall(r"ODOORWAY\w+", texts))
    assert named
    assert named <= {f"ODOORWAY_{name.upper()}" for name in Settings.model_fields}
