"""Same failures are one group and others are not; requests that overlap; bounded memory."""

import pytest
from odoo_logs import RECORDED, read, told

from odoorway.diagnose.catalog import CATALOG
from odoorway.doctor.logs.fingerprint import steady
from odoorway.doctor.logs.groups import GroupSeverity, steady_path
from odoorway.doctor.logs.reading import Reading
from odoorway.doctor.logs.routes import is_webhook

LOG = RECORDED["19_http_keyerror_traceback"]


def line(second: float, text: str, *, level: str = "INFO", pid: int = 7, db: str = "db") -> bytes:
    """Return a record at that second of an hour."""
    time = f"2026-11-23 10:{int(second) // 60:02}:{second % 60:06.3f}".replace(".", ",")
    return f"{time} {pid} {level} {db} {text} \n".encode()


def access(second: float, request: str, status: int, took: float, **of) -> bytes:
    said = f'"{request} HTTP/1.1" {status} - 3 0.000 {took:.3f}'
    return line(second, f"werkzeug: 10.0.0.1 - - [23/Nov/2026 10:00:00] {said}", **of)


def failure(second: float, said: str, **of) -> bytes:
    text = (
        "odoo.http: Exception during request handling. \nTraceback (most recent call last):\n"
        '  File "/opt/addons/shop/controllers.py", line 8, in order\n    fail()\n'
        f"ValueError: {said}"
    )
    return line(second, text, level="ERROR", **of)


def test_ids_numbers_times_and_lines_change_no_fingerprint():
    """The same failure on another day, of another process and after an edit is the same."""
    later = LOG.replace(b"2026-11-23", b"2026-11-25").replace(b" 18791 ", b" 99 ")
    edited = LOG.replace(b"line 58", b"line 61").replace(b"line 253", b"line 300")
    reading, _ = read(LOG + later + edited)
    (group,) = reading.groups
    assert group.count == 3
    assert (group.first[:10], group.last[:10]) == ("2026-11-23", "2026-11-25")


@pytest.mark.parametrize(
    "change",
    [
        (b"KeyError: 'order_id'", b"TypeError: 'order_id'"),
        (b"return payload['order_id']", b"return payload['total']"),
        (b"hook_probe", b"another_addon"),
    ],
)
def test_another_failure_is_another_group(change):
    """Another exception, another line of code or another addon is something else to fix."""
    reading, _ = read(LOG + LOG.replace(*change))
    assert [group.count for group in reading.groups] == [1, 1]


def test_steady_messages():
    """What changes from one failure to the next is left out of a message, names are not."""
    assert steady("Record 12 of res.partner(7,)") == steady("Record 345 of res.partner(80,)")
    assert steady("key 'name' of 0xdeadbeef12") == "key 'name' of …"
    assert steady("value 'a b c'") == steady("value 'x y'")


def test_steady_paths():
    assert steady_path("/web/hook/1b1d-8f2c-4477") == "/web/hook/…"
    assert steady_path("/json/2/res.partner/create") == "/json/2/res.partner/create"
    assert steady_path("/shop/orders/1042/") == "/shop/orders/…/"


def test_overlapping_requests_of_one_process():
    """Without workers, a failure goes to the request that ran and failed when it was logged."""
    log = (
        access(10, "POST /quick", 200, 0.1)
        + failure(12, "slow")
        + access(12.01, "POST /slow", 500, 9.0)
        + access(13, "POST /later", 200, 0.2)
    )
    assert told(read(log)[1]) == [("ValueError", "odoo.addon-error", "/slow", 500)]


def test_a_failure_logged_before_a_request_began_is_not_of_it():
    """A request that began afterwards cannot have caused it, however it ended."""
    log = failure(10, "of none") + access(20, "POST /innocent", 500, 0.5)
    assert told(read(log)[1]) == [
        ("HTTP 500", None, "/innocent", 500),
        ("ValueError", "odoo.addon-error", None, None),
    ]


def test_a_log_without_access_lines():
    """With werkzeug silenced, each failure counts by itself, with what led to it."""
    query = line(10, "odoo.sql_db: bad query: X\nERROR: null value", level="ERROR")
    log = query + failure(10.1, "a") + failure(11, "b") + failure(12, "c") + line(13, "odoo.x: ok")
    reading, found = read(log)
    assert [len(f.incident.records) for f in found] == [2, 1, 1]
    assert [group.count for group in reading.groups] == [3]
    assert not reading.ties
    assert read(access(1, "GET /", 200, 0.1))[0].ties


def test_a_record_that_names_its_path_is_of_that_path():
    """What Odoo says about a path goes to the request of that path, whichever ends first."""
    csrf = line(10, "odoo.http: No CSRF validation token provided for path '/a'", level="WARNING")
    log = csrf + access(10.001, "POST /b", 400, 0.2) + access(10.002, "POST /a", 400, 0.2)
    assert told(read(log)[1]) == [
        ("HTTP 400", None, "/b", 400),
        ("odoo.http", "odoo.csrf", "/a", 400),
    ]


def test_each_of_two_failures_at_once_has_its_own_request():
    log = (
        failure(10.0, "first", pid=1)
        + failure(10.0, "second", pid=2)
        + access(10.1, "POST /second", 500, 0.3, pid=2)
        + access(10.1, "POST /first", 500, 0.3, pid=1)
    )
    _, found = read(log)
    assert {
        f.incident.records[0].text[-5:]: f.incident.access and f.incident.access.path for f in found
    } == {
        "first": "/first",
        "econd": "/second",
    }


def test_a_refusal_inside_a_200_is_a_failure_for_a_webhook_only():
    """Odoo answers 200 to a refused jsonrpc; a person at the screen has read it, a shop not."""
    refused = line(10, "odoo.http: You cannot do that.", level="WARNING")
    for request, severity in (
        ("POST /shop_hook/order", GroupSeverity.ERROR),
        ("POST /web/dataset/call_kw/sale.order/action_confirm", GroupSeverity.WARNING),
    ):
        (group,) = read(refused + access(10.01, request, 200, 0.1))[0].groups
        assert (group.severity, group.message) == (severity, "You cannot do that.")


def test_a_redirect_is_worth_a_look_for_a_webhook():
    (hook,) = read(access(10, "POST /hook", 302, 0.1))[0].groups
    (login,) = read(access(10, "POST /web/login", 303, 0.1))[0].groups
    assert (hook.severity, login.severity) == (GroupSeverity.WARNING, GroupSeverity.NOTE)


def test_requests_that_succeed_are_no_incident():
    """Whatever was left open, a request of 200 by itself is none."""
    log = failure(1, "old") + b"".join(access(9 + n, "POST /fine", 200, 0.1) for n in range(5))
    assert [f.group.kind for f in read(log)[1]] == ["ValueError"]


def test_webhooks_come_first():
    """The worst first; of those what a webhook meets, then the most frequent."""
    log = b"".join(
        access(n, request, status, 0.1)
        for n, (request, status) in enumerate(
            [("POST /web/x", 500)] * 3 + [("POST /a", 500)] + [("POST /b", 500)] * 2
            + [("GET /c", 404)] * 9
        )
    )  # fmt: skip
    reading, _ = read(log)
    assert [next(iter(group.requests)) for group in reading.groups] == [
        "POST /b", "POST /a", "POST /web/x", "GET /c",
    ]  # fmt: skip


def test_many_kinds_of_failures_need_bounded_memory():
    """Beyond some hundred groups the rarest make room, and what was dropped is counted."""
    often = failure(1, "often", pid=1) * 3
    rare = (
        failure(2 + n / 100, "x", pid=2).replace(b"fail()", b"fail(%d)" % n) for n in range(900)
    )
    reading, _ = read(often, *rare)
    groups = list(reading.groups)
    assert len(groups) == 400
    assert groups[0].count == 3
    assert sum(group.count for group in groups) + reading.groups.dropped == 903
    assert reading.groups.incidents == 903


def test_many_paths_of_one_failure_need_bounded_memory():
    """A scanner's thousand paths are one group with the first of them."""
    log = b"".join(access(n / 10, f"GET /scan{chr(97 + n % 26) * (n % 40 + 1)}", 404, 0.01)
                   for n in range(1000))  # fmt: skip
    (group,) = read(log)[0].groups
    assert (group.count, len(group.requests)) == (1000, 30)
    assert sum(group.requests.values()) + group.unlisted == 1000


@pytest.mark.parametrize(
    ("request_", "webhook"),
    [
        ("POST /shop_hook/order", True),
        ("POST /web/hook/5d1c", True),
        ("POST /payment/stripe/webhook", True),
        ("POST /jsonrpc", True),
        ("? /probe", True),
        ("POST /website_hook", True),
        ("GET /shop_hook/order", False),
        ("POST /web/dataset/call_kw/sale.order/read", False),
        ("POST /web", False),
        ("POST /shop/cart/update", False),
    ],
)
def test_which_requests_are_webhooks(request_, webhook):
    assert is_webhook(request_) is webhook


TRACEBACK = "odoo.http: Exception during request handling.\nTraceback (most recent call last):\n"


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        (TRACEBACK + "KeyError: 'order_id'", 500, "odoo.payload-key-missing"),
        (TRACEBACK + "  File x\nRuntimeError: x\n\n" + TRACEBACK[10:] + "KeyError: 'a'", 500,
         "odoo.payload-key-missing"),
        (TRACEBACK + "odoo.exceptions.AccessError: own words", 500, "odoo.access-denied"),
        ("odoo.http: The code must be unique", 200, "odoo.not-unique"),
        ("odoo.http: Uh-oh! Looks like you have stumbled", 403, "odoo.record-rule"),
        ("odoo.http: own words", 422, "odoo.validation"),
        ("odoo.http: own words", 403, "odoo.access-denied"),
        ("odoo.http: own words", 200, None),
        ("odoo.http: Session expired", 303, "odoo.login-required"),
        ("odoo.http: Access Denied", 200, "odoo.login-failed"),
        ("odoo.sql_db: bad query: X\nERROR: duplicate key value", 200, "odoo.error-in-success"),
        ("odoo.sql_db: bad query: X\nERROR: duplicate key value violates unique constraint", 500,
         "odoo.not-unique"),
        ("odoo.sql_db: Connection to the database failed", 404, "odoo.database-lost"),
    ],
)  # fmt: skip
def test_what_the_log_tells(text, status, code):
    """Words, status and path give the diagnosis; where they do not suffice there is none."""
    log = line(10, text, level="WARNING", db="?") + access(10.01, "POST /hook", status, 0.1)
    (group,) = read(log)[0].groups
    assert group.code == code
    assert code is None or code in CATALOG
    assert bool(group.nearest) == (code is None)
    assert set(group.nearest) <= CATALOG.keys()


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ("POST /hook", 405, "odoo.method-not-allowed"),
        ("POST /hook", 415, "odoo.wrong-request-type"),
        ("POST /json/2/res.partner/create", 422, "odoo.json2-arguments"),
        ("POST /hook", 401, None),
        ("POST /hook", 404, None),
        ("POST /hook", 302, None),
    ],
)
def test_what_a_request_alone_tells(request_, status, code):
    """Of a failure of which nothing was logged, the status may tell, or two come into question."""
    (group,) = read(access(10, request_, status, 0.1))[0].groups
    assert group.code == code
    assert len(group.nearest) == (2 if code is None and status != 302 else 0)


def overlapping(*parts: bytes) -> bytes:
    """Return a log of threads: a request that ran beside another one comes before *parts*."""
    return access(9, "POST /a", 200, 0.5) + access(9.1, "POST /b", 200, 0.5) + b"".join(parts)


REFUSED = line(10, "odoo.http: Missing required value for the field 'x'", level="WARNING")


def test_a_refusal_beside_a_200_is_the_failed_requests():
    """Where requests overlap, one that succeeded gives a refusal back to one that failed."""
    log = overlapping(
        REFUSED, access(10.002, "POST /fine", 200, 0.1), access(10.004, "POST /bad", 422, 0.1)
    )
    assert told(read(log)[1]) == [("odoo.http", "odoo.missing-required", "/bad", 422)]


def test_a_refusal_beside_no_failure_is_of_the_200():
    """Where no request failed by its status, the refusal was answered inside a 200."""
    log = overlapping(
        REFUSED, access(10.002, "POST /rpc", 200, 0.1), access(10.2, "POST /bad", 422, 0.3)
    )
    assert told(read(log)[1]) == [
        ("HTTP 422", None, "/bad", 422),
        ("odoo.http", "odoo.missing-required", "/rpc", 200),
    ]


@pytest.mark.parametrize("parts", [[], [None]], ids=["at the end", "in a pause"])
def test_a_refusal_in_doubt_is_told_at_last(parts):
    """It waits for milliseconds of log, and no longer than the log goes on."""
    log = overlapping(REFUSED, access(10.002, "POST /rpc", 200, 0.1))
    reading = Reading()
    found = list(reading.read([log, *parts]))
    found += [] if parts else list(reading.finish())
    assert told(found) == [("odoo.http", "odoo.missing-required", "/rpc", 200)]


def test_a_path_that_no_route_has_takes_no_refusal():
    """Odoo logs nothing about an unknown path, so what is logged beside it is another's."""
    log = REFUSED + access(10.001, "POST /no", 404, 0.2) + access(10.01, "POST /bad", 422, 0.2)
    assert told(read(log)[1]) == [
        ("HTTP 404", None, "/no", 404),
        ("odoo.http", "odoo.missing-required", "/bad", 422),
    ]
    gone = REFUSED.replace(b"Missing required value", b"Record does not exist")
    log = gone + access(10.001, "POST /gone", 404, 0.2)
    assert told(read(log)[1]) == [("odoo.http", "odoo.no-match", "/gone", 404)]


def test_the_same_words_under_another_status_are_another_diagnosis():
    """A diagnosis that is remembered for one failure is not given to one that only reads alike."""
    said = line(10, "odoo.http: own words", level="WARNING")
    log = b"".join(said + access(10.01, "POST /hook", status, 0.1) for status in (422, 403, 422))
    groups = read(log)[0].groups
    assert {group.code: group.count for group in groups} == {
        "odoo.validation": 2,
        "odoo.access-denied": 1,
    }


def test_what_is_remembered_of_diagnoses_is_bounded():
    """Thousands of different requests do not make it remember thousands of diagnoses."""
    names = ("".join(chr(97 + n // 26**k % 26) for k in range(3)) for n in range(3000))
    reading, _ = read(b"".join(access(10, f"POST /{name}", 404, 0.1) for name in names))
    assert reading.groups.incidents == 3000
    assert len(reading.groups._codes) == 2000
