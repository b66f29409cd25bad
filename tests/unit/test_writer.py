"""How a batch goes on when Odoo refuses a part of it; what Odoo answers was recorded."""

import json
from pathlib import Path

import pytest

from odoorway.commands import Call, Update, Upsert, find
from odoorway.deliver.odoo.destination import OdooDestination
from odoorway.deliver.odoo.transport import Answer, Http
from odoorway.deliver.port import Job
from odoorway.model.delivery import Outcome

DATA = Path(__file__).parent / "data"
MESSAGES = json.loads((DATA / "odoo_load_messages.json").read_text())
ANSWERS = {one["case"]: one for one in json.loads((DATA / "odoo_answers.json").read_text())}
NOT_UNIQUE = next(m["message"] for m in MESSAGES["single"] if m["code"] == "odoo.not-unique")
CONFLICT = next(m["message"] for m in MESSAGES["single"] if m["code"] == "odoo.conflict")


class Scripted:
    """Answers each call by a function of the test; remembers what came."""

    http: Http  # never asked for

    def __init__(self, answer):
        self.answer, self.calls = answer, []

    async def call(self, model, method, **body):
        self.calls.append((model, method, body))
        answer = self.answer(model, method, body)
        if isinstance(answer, Answer):
            return answer
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    async def close(self):
        pass


def recorded(case):
    one = ANSWERS[case]
    return Answer(one["status"], one["headers"], one["body"].encode())


def jobs(count):
    return [Job(n, "s", (Upsert("p", ("k", f"n{n}"), {"name": f"n{n}"}),)) for n in range(count)]


def names(body):
    return [row[1] for row in body["data"]]


def went_well(body):
    return {"ids": list(range(1, len(body["data"]) + 1)), "messages": [], "nextrow": 0}


async def test_a_row_blamed_by_mistake_is_written():
    """Odoo names the first row for an error of the batch; only the really bad rows are dropped."""

    def answer(_model, _method, body):
        if names(body) == ["n0", "n1", "n2", "n3"]:
            return MESSAGES["first_row_blamed_by_mistake"]  # rows 1 and 3 are bad, 0 is named too
        bad = [number for number, name in enumerate(names(body)) if name in {"n1", "n3"}]
        told = [{**NOT_UNIQUE, "rows": {"from": n, "to": n}, "record": n} for n in bad]
        return {"ids": False, "messages": told, "nextrow": 0} if bad else went_well(body)

    odoo = Scripted(answer)
    verdicts = await OdooDestination(odoo).deliver(jobs(4))
    assert [verdict.code for verdict in verdicts] == [
        None, "odoo.not-unique", None, "odoo.not-unique",
    ]  # fmt: skip
    assert [names(body) for _, _, body in odoo.calls[1:]] == [["n0", "n2"], ["n1", "n3"], ["n1"]]


async def test_a_unique_value_that_is_our_own_is_settled():
    """Another gateway wrote the record meanwhile: looking again updates it, and nobody is dead."""
    first = [True]

    def answer(_model, _method, body):
        if first and first.pop():
            return {"ids": False, "messages": [{**NOT_UNIQUE, "record": 0}], "nextrow": 0}
        return went_well(body)

    odoo = Scripted(answer)
    (verdict,) = await OdooDestination(odoo).deliver(jobs(1))
    assert (verdict.outcome, len(odoo.calls)) == (Outcome.DELIVERED, 2)


async def test_a_conflict_is_asked_again_at_once():
    """A conflict inside `load` is repeated; if it stays, the named jobs wait for their retry."""
    answers = [1, 2]

    def answer(_model, _method, body):
        if answers and answers.pop():
            return {"ids": False, "messages": [CONFLICT], "nextrow": 0}
        return went_well(body)

    (verdict,) = await OdooDestination(Scripted(answer)).deliver(jobs(1))
    assert verdict.outcome is Outcome.DELIVERED
    odoo = Scripted(lambda *_: {"ids": False, "messages": [CONFLICT], "nextrow": 0})
    (verdict,) = await OdooDestination(odoo).deliver(jobs(1))
    assert (verdict.code, verdict.outcome) == ("odoo.conflict", Outcome.RETRY)
    assert len(odoo.calls) == 5


@pytest.mark.parametrize("bad", [0, 1, 20, 63])
async def test_halving_finds_the_bad_row(bad):
    """When the call fails without naming a row, one bad job costs at most 2·log2(n) more calls."""

    def answer(_model, _method, body):
        return recorded("exc_json2_type") if f"n{bad}" in names(body) else went_well(body)

    odoo = Scripted(answer)
    verdicts = await OdooDestination(odoo).deliver(jobs(64))
    failed = {n: v.code for n, v in enumerate(verdicts) if v.outcome is not Outcome.DELIVERED}
    assert failed == {bad: "odoo.server-error"}
    assert len(odoo.calls) <= 1 + 2 * 6


async def test_nothing_works_is_noticed():
    """When every part fails, the search ends early and what was not tried alone is retried."""
    odoo = Scripted(lambda *_: recorded("exc_json2_user"))
    verdicts = await OdooDestination(odoo).deliver(jobs(200))
    assert len(odoo.calls) < 60
    assert {verdict.outcome for verdict in verdicts} == {Outcome.DEAD, Outcome.RETRY}
    assert sum(verdict.outcome is Outcome.DEAD for verdict in verdicts) < 30


async def test_what_all_rows_share_is_one_call():
    """An unknown field is every row's error: nothing is halved."""
    odoo = Scripted(lambda *_: recorded("exc_json2_unknown_field"))
    verdicts = await OdooDestination(odoo).deliver(jobs(50))
    assert {verdict.code for verdict in verdicts} == {"odoo.unknown-field"}
    assert len(odoo.calls) == 1


async def test_a_destination_to_blame_is_asked_once():
    """A refused key says nothing about any job: one call, every job waits, none is dead."""
    odoo = Scripted(lambda *_: recorded("j2_bad_key"))
    verdicts = await OdooDestination(odoo).deliver(jobs(50))
    assert {(v.code, v.outcome, v.blame_destination) for v in verdicts} == {
        ("odoo.bad-key", Outcome.RETRY, True)
    }
    assert len(odoo.calls) == 1


async def test_a_failed_level_leaves_its_job_out_of_the_next():
    """A job whose customer is refused writes no order; one that shares nothing goes on."""
    refused = next(m["message"] for m in MESSAGES["single"] if m["code"] == "odoo.validation")

    def answer(_model, _method, body):
        if "bad" in names(body):
            row = names(body).index("bad")
            at = {"rows": {"from": row, "to": row}, "record": row}
            return {"ids": False, "messages": [{**refused, **at}], "nextrow": 0}
        return went_well(body)

    def order(number, name):
        customer = Upsert("c", ("c", f"n{number}"), {"name": name})
        return Job(number, "s", (Upsert("o", ("o", f"n{number}"), {"c_id": customer}),))

    odoo = Scripted(answer)
    verdicts = await OdooDestination(odoo).deliver([order(1, "bad"), order(2, "good")])
    assert [verdict.code for verdict in verdicts] == ["odoo.validation", None]
    assert "c __odoorway__.s_c_n1: " in verdicts[0].detail
    assert [body["data"] for model, _, body in odoo.calls if model == "o"] == [
        [["__odoorway__.s_o_n2", "__odoorway__.s_c_n2"]]
    ]


async def test_a_call_is_guarded_by_what_was_read_just_before():
    """A call in the state that means done is not made; a record that is gone is a dead letter."""
    held = [{"id": 1, "state": "sale"}]

    def answer(_model, method, body):
        return {"load": went_well, "read": lambda _body: held}.get(method, lambda _: True)(body)

    odoo = Scripted(answer)
    order = Upsert("o", ("o", 1), {"name": "x"})
    job = Job(1, "s", (Call("o", "confirm", order, {"a": 1}, unless={"state": ["sale"]}),))
    (verdict,) = await OdooDestination(odoo).deliver([job])
    assert verdict.outcome is Outcome.DELIVERED
    assert [method for _, method, _ in odoo.calls] == ["load", "read"]
    held[0]["state"] = "draft"
    await OdooDestination(odoo).deliver([job])
    model, method, body = odoo.calls[-1]
    assert (model, method, body["ids"], body["a"]) == ("o", "confirm", [1], 1)
    held.clear()
    (verdict,) = await OdooDestination(odoo).deliver([job])
    assert (verdict.code, verdict.outcome) == ("odoo.no-match", Outcome.DEAD)


@pytest.mark.parametrize(
    ("held", "done", "runs"),
    [(False, [False], 0), (0, [False], 1), (1, [True], 1), ([3, "X"], [3], 0), (False, [None], 0)],
)
async def test_guards_compare_as_odoo_answers(held, done, runs):
    """A many2one is compared by its id, nothing is False, and no number passes for a flag."""

    def answer(_model, method, body):
        known = {"load": went_well, "read": lambda _body: [{"id": 1, "f": held}]}
        return known.get(method, lambda _: True)(body)

    odoo = Scripted(answer)
    call = Call("o", "go", Upsert("o", ("o", 1), {"name": "x"}), unless={"f": done})
    await OdooDestination(odoo).deliver([Job(1, "s", (call,))])
    assert [method for _, method, _ in odoo.calls].count("go") == runs


async def test_a_find_that_odoo_cannot_search_for_is_isolated():
    """One lookup that fails the whole question costs its own job only."""

    def answer(_model, method, body):
        if method == "load":
            return went_well(body)
        asked = body["domain"][0][2]
        if "bad" in asked:
            return recorded("exc_json2_bigint")
        return [{"id": n, "sku": sku} for n, sku in enumerate(asked, 1)]

    odoo = Scripted(answer)
    orders = [
        Job(n, "s", (Upsert("o", ("o", f"n{n}"), {"p_id": find("p", sku=sku)}),))
        for n, sku in enumerate(["a", "bad", "c", "d"])
    ]
    verdicts = await OdooDestination(odoo).deliver(orders)
    assert [verdict.code for verdict in verdicts] == [None, "odoo.invalid-value", None, None]


async def test_an_update_writes_plain_values():
    """An Update finds its record and writes JSON values, with references as ids."""

    def answer(_model, method, body):
        known = {"load": went_well, "search_read": lambda _body: [{"id": 9, "ref": "R"}]}
        return known.get(method, lambda _: True)(body)

    odoo = Scripted(answer)
    values = {"note": None, "c_id": Upsert("c", ("c", 1), {"name": "x"}), "ids": [4, 5]}
    job = Job(1, "s", (Update("o", find("o", ref="R"), values),))
    (verdict,) = await OdooDestination(odoo).deliver([job])
    assert verdict.outcome is Outcome.DELIVERED
    assert odoo.calls[-1] == (
        "o",
        "write",
        {
            "ids": [9],
            "vals": {"note": False, "c_id": 1, "ids": [[6, 0, [4, 5]]]},
            "context": {"tz": "UTC"},
        },
    )
