"""Recorded logs of Odoo 19 and 14: each failure with its request, its line and its diagnosis."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from odoo_logs import RECORDED, as_other_processes, read, records, told

from odoorway.diagnose.catalog import CATALOG
from odoorway.diagnose.evidence import Evidence, read_answer, read_request
from odoorway.diagnose.recognise import Sure, recognise
from odoorway.doctor.logs.groups import GroupSeverity
from odoorway.doctor.logs.reading import GroupedIncident

SHARED = Path(__file__).resolve().parents[3] / "shared" / "odoo-answers" / "answers.jsonl"
ERROR, WARNING, NOTE = GroupSeverity
HOOK = "addons/hook_probe/controllers.py"
WRONG = "/probe/http/raise/sudo_"

# the recording: severity, code, what is said, the addon's line, the request, its status
EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "14_http_keyerror_after_access_line": [
        (ERROR, "odoo.payload-key-missing", "KeyError: 'order_id'", 58, f"POST {WRONG}key", 500)
    ],
    "14_notnull_validationerror_lost_addon_frame": [
        (ERROR, "odoo.missing-required", "mandatory field", None, f"POST {WRONG}required", 500)
    ],
    "14_serialization_exhausted": [
        (ERROR, "odoo.conflict-exhausted", "could not serialize access", 181,
         f"POST {WRONG}serialization_always", 500)
    ],
    "14_worker_timeout": [
        (ERROR, "odoo.worker-time-limit", "WorkerHTTP (29435) timeout after 6s", None, None, None)
    ],
    "14_wrong_request_type": [
        (ERROR, "odoo.wrong-request-type", "Function declared as capable", None,
         "POST /probe/http/echo", 200)
    ],
    "19_base_automation_getter_failed": [
        (ERROR, "odoo.automation-no-payload", "KeyError(None)", None, "POST /web/hook/…", 500)
    ],
    "19_csrf_missing_multiline_warning": [
        (ERROR, "odoo.csrf", "No CSRF validation token", None, "POST /probe/http/csrf", 400)
    ],
    "19_http_keyerror_traceback": [
        (ERROR, "odoo.payload-key-missing", "KeyError: 'order_id'", 58, f"POST {WRONG}key", 500)
    ],
    "19_jsonrpc_deprecated_plus_rpc_suffix": [
        (ERROR, "odoo.missing-required", "Missing required value", None, "POST /jsonrpc", 200),
        (NOTE, "odoo.rpc-deprecated", "endpoints are deprecated", None, "POST /jsonrpc", 200),
    ],
    "19_nodb_404": [
        (ERROR, "odoo.database-not-selected", "HTTP 404", None, "POST /probe/http/echo", 404)
    ],
    "19_notnull_badquery_plus_usererror_warning": [
        (ERROR, "odoo.missing-required", "Missing required value", None,
         f"POST {WRONG}required", 422)
    ],
    "19_pool_full": [
        (ERROR, "odoo.pool-full", "The Connection Pool Is Full", None,
         "POST /probe/http/slow", 500)
    ],
    "19_readonly_retry_cursor_field": [
        (WARNING, "odoo.read-only-retried", "cannot execute INSERT", 382,
         "POST /probe/http/readonly", 200)
    ],
    "19_serialization_exhausted_500": [
        (ERROR, "odoo.conflict-exhausted", "could not serialize access", 181,
         f"POST {WRONG}serialization_always", 500)
    ],
    "19_serialization_retry_then_200": [
        (NOTE, "odoo.conflict-retried", "SERIALIZATION_FAILURE", None,
         "POST /probe/http/conc", 200)
    ],
    "19_threaded_time_limit_reload": [
        (ERROR, "odoo.server-time-limit", "url:http://127.0.0.1:8071/probe/http/slow", 287,
         "? /probe/http/slow", None)
    ],
    "19_worker_cpu_limit": [
        (ERROR, "odoo.worker-cpu-limit", "CPU time limit exceeded", None, None, None)
    ],
    "19_worker_timeout_no_access_line": [
        (ERROR, "odoo.worker-time-limit", "WorkerHTTP (28650) timeout after 6s", None, None, None)
    ],
}  # fmt: skip


def test_every_recording_is_expected():
    """A recording that nothing is expected of would show nothing."""
    assert EXPECTED.keys() == RECORDED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_log(name):
    """Each failure is one group, with its request, its line, its diagnosis and nothing beside."""
    reading, _ = read(RECORDED[name])
    groups = list(reading.groups)
    assert len(groups) == len(EXPECTED[name])
    for group, (severity, code, said, line, request, status) in zip(
        groups, EXPECTED[name], strict=True
    ):
        assert (group.severity, group.code) == (severity, code)
        assert said in f"{group.kind}: {group.message}"
        assert (group.line and (group.line.file, group.line.line)) == (line and (HOOK, line))
        assert list(group.requests) == [request] * (request is not None)
        assert list(group.statuses) == [status] * (status is not None)
        assert code is None or code in CATALOG


def test_counts_and_times():
    """Three requests that failed alike are one group of three, from the first to the last."""
    reading, _ = read(RECORDED["19_pool_full"])
    (group,) = reading.groups
    assert (group.count, group.requests["POST /probe/http/slow"]) == (3, 3)
    assert (group.first, group.last) == ("2026-11-23 23:09:45,681", "2026-11-23 23:09:45,682")


def test_interleaved_workers():
    """Workers that write between one another's records change nothing about any failure."""
    one_each = [log for name, log in RECORDED.items() if "timeout" not in name]
    alone = [read(log)[1] for log in one_each]
    workers = [records(as_other_processes(log, n)) for n, log in enumerate(one_each)]
    together = [r for turn in itertools.zip_longest(*workers) for r in turn if r]
    _, found = read(b"".join(together))
    assert told(found) == told(itertools.chain(*alone))


def test_a_log_in_any_pieces():
    """Where a block ends changes nothing, in the middle of a traceback least of all."""
    log = RECORDED["19_readonly_retry_cursor_field"] + RECORDED["19_http_keyerror_traceback"]
    expected = told(read(log)[1])
    assert len(expected) == 2
    for size in (1, 7, 100, 1000):
        pieces = [log[n : n + size] for n in range(0, len(log), size)]
        assert told(read(*pieces)[1]) == expected


def _shared() -> list[dict[str, str]]:
    if not SHARED.exists():
        pytest.skip("../shared/odoo-answers is not there: 700 recorded log excerpts were not read")
    return [json.loads(line) for line in SHARED.read_text().splitlines()]


def _failed(recorded: dict[str, str]) -> bool:
    """Whether it is a request of its own that ended with an error and was logged."""
    answered = re.match(r"HTTP/1.1 [45]", recorded["response"])
    return answered is not None and recorded["log"].count("werkzeug: ") == 1


def _matters(found: GroupedIncident) -> bool:
    access = found.incident.access
    get = found.group.severity is NOTE and access is not None and access.method == "GET"
    return get or found.group.severity is ERROR


@pytest.mark.shared
def test_every_recorded_failure_is_tied_to_its_request():
    """Of each recorded error answer, the log gives one incident, with that request and status."""
    failures = [one for one in _shared() if _failed(one)]
    assert len(failures) > 150
    wrong = []
    for one in failures:
        _, found = read(one["log"].encode())
        path = one["request"].split(" ", 2)[1].partition("?")[0]
        tied = [f.incident.access for f in found if f.incident.access and _matters(f)]
        if [access.path for access in tied] != [path]:
            wrong.append((one["odoo"], one["case"], tied))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.shared
def test_recorded_failures_of_eight_workers_at_once():
    """Written by eight workers at once, each recorded failure is as it was alone."""
    logs = [one["log"].encode() + b"\n" for one in _shared() if _failed(one)]
    for start in range(0, len(logs), 8):
        eight = logs[start : start + 8]
        alone = itertools.chain(*(read(log)[1] for log in eight))
        workers = [records(as_other_processes(log, n)) for n, log in enumerate(eight)]
        together = [r for turn in itertools.zip_longest(*workers) for r in turn if r]
        assert told(read(b"".join(together))[1]) == told(alone)


# What the exchange shows and what its log is taken for: only the body tells them apart.
BODY_TELLS = {
    ("odoo.bad-envelope", "odoo.addon-error"),
    ("odoo.bad-envelope", "odoo.null-value"),
    ("odoo.delete-restricted", "odoo.wrong-reference"),
    ("odoo.envelope-missing", "odoo.argument-missing"),
    ("odoo.json2-arguments", "odoo.addon-error"),
    ("odoo.methods-is-text", "odoo.method-not-allowed"),
}


def _by_the_exchange(recorded: dict[str, str]) -> str | None:
    method, path, sent, body = read_request(recorded["request"])
    status, headers, answer = read_answer(recorded["response"])
    found = recognise(
        Evidence(
            method=method, path=path, request_headers=sent, request_body=body,
            status=status, headers=headers, body=answer, log=recorded["log"],
        )
    )  # fmt: skip
    return found.diagnosis.code if isinstance(found, Sure) else None


@pytest.mark.shared
def test_the_log_alone_is_never_confidently_wrong():
    """Where the log suffices it tells what the whole exchange tells; else, mostly, it is unsure."""
    outcomes = Counter[str]()
    wrong = set()
    for one in _shared():
        _, found = read(one["log"].encode())
        tied = [f.group for f in found if f.incident.access]
        if one["log"].count("werkzeug: ") != 1 or not tied:
            continue
        told, shown = min(tied, key=lambda group: group.severity).code, _by_the_exchange(one)
        same = told == shown
        outcomes["same" if same else "unsure" if told is None else "other"] += 1
        if not same and told and shown and (shown, told) not in BODY_TELLS:
            wrong.add((one["odoo"], one["case"], shown, told))
    assert not wrong
    assert outcomes["same"] > 3 * outcomes["unsure"]
    assert outcomes["same"] > 15 * outcomes["other"]
