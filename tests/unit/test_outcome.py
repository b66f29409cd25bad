"""Recorded answers of real Odoo servers, judged.

``odoo_answers.json`` is from the recordings beside ARCHITECTURE.md, without tracebacks;
``odoo_load_messages.json`` was recorded from Odoo 19.0 with this project's ``scripts/odoo``.
"""

import json
from email.utils import formatdate
from pathlib import Path

import pytest

from odoorway.deliver.outcome import Failure, judge_answer, judge_failure, judge_load_message
from odoorway.diagnose.catalog import CATALOG
from odoorway.model.delivery import Outcome

DATA = Path(__file__).parent / "data"
ANSWERS = json.loads((DATA / "odoo_answers.json").read_text())
MESSAGES = json.loads((DATA / "odoo_load_messages.json").read_text())["single"]
NOW = 1_800_000_000.0
BLAMED = {"odoo.bad-key", "odoo.database-not-selected", "odoo.not-odoo", "odoo.unavailable"}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["case"])
def test_recorded_answer(answer):
    """Each recorded answer gets its diagnosis, and waiting helps exactly where it says so."""
    verdict = judge_answer(answer["status"], answer["headers"], answer["body"].encode(), now=NOW)
    assert verdict.code == answer["code"]
    assert verdict.blame_destination == (verdict.code in BLAMED)
    if verdict.code is None:
        assert verdict.outcome is Outcome.DELIVERED
    else:
        again = CATALOG[verdict.code].transient or verdict.blame_destination
        assert verdict.outcome is (Outcome.RETRY if again else Outcome.DEAD)


@pytest.mark.parametrize("recorded", MESSAGES, ids=lambda one: one["message"]["message"][:40])
def test_recorded_load_message(recorded):
    """Each recorded error inside an HTTP 200 of `load` gets its diagnosis and keeps its text."""
    verdict = judge_load_message(recorded["message"])
    assert verdict.code == recorded["code"]
    assert recorded["message"]["message"].strip() in verdict.detail
    assert not verdict.blame_destination
    transient = CATALOG[recorded["code"]].transient
    assert verdict.outcome is (Outcome.RETRY if transient else Outcome.DEAD)


@pytest.mark.parametrize(
    "case",
    ["j2_missing_rec", "j2_fk", "j2_required", "j2_acl2", "j2_rule_write", "exc_json2_unique"],
)
def test_the_same_error_inside_load(case):
    """An error means the same when `load` wraps its text in an HTTP 200."""
    (answer,) = [answer for answer in ANSWERS if answer["case"] == case]
    text = json.loads(answer["body"])["message"]
    assert judge_load_message({"message": text}).code == answer["code"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_answers_obey_retry_after(status):
    """A busy answer blames the destination and keeps Retry-After, in seconds or as a date."""
    date = formatdate(NOW + 90, usegmt=True)
    for header, seconds in (("120", 120.0), (date, 90.0), ("soon", None), ("", None)):
        verdict = judge_answer(status, {"Retry-After": header}, b"<html>", now=NOW)
        assert (verdict.code, verdict.blame_destination) == ("odoo.unavailable", True)
        assert verdict.retry_after == seconds


def test_retry_after_in_the_past_is_now():
    """A date that has passed asks for no wait, never for a negative one."""
    past = formatdate(NOW - 90, usegmt=True)
    assert judge_answer(503, {"Retry-After": past}, b"", now=NOW).retry_after == 0.0


@pytest.mark.parametrize(
    ("body", "code"), [(b"", "odoo.empty-answer"), (b"<html>Hello</html>", "odoo.not-odoo")]
)
def test_success_without_a_result(body, code):
    """HTTP 200 without JSON is no success."""
    verdict = judge_answer(200, {}, body, now=NOW)
    assert (verdict.code, verdict.outcome, verdict.blame_destination) == (code, Outcome.RETRY, True)


def test_a_body_a_proxy_finds_too_large_is_no_outage():
    """413 lets the batch be halved instead of pausing the destination for ever."""
    verdict = judge_answer(413, {}, b"<html>Request Entity Too Large</html>", now=NOW)
    assert not verdict.blame_destination


@pytest.mark.parametrize("kind", Failure)
def test_failures_are_transient(kind):
    """No answer is never a dead letter, and always has a diagnosis."""
    verdict = judge_failure(kind, "x")
    assert verdict.outcome is Outcome.RETRY
    assert verdict.code in CATALOG
    assert verdict.blame_destination == (kind is not Failure.TOO_LARGE)
