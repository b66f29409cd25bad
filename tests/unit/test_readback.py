"""What is read back of a batch, whatever Odoo answers."""

import json
from typing import Any

import pytest

from odoorway.clock import SystemClock
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.kinds import Kinds
from odoorway.deliver.odoo.readback import Expectations
from odoorway.deliver.odoo.transport import Answer
from odoorway.model.delivery import Outcome
from odoorway.transform.plan import Expected, Ref

FIELDS = {"a": {"type": "char"}, "b_id": {"type": "many2one", "relation": "b"}}


class Answers:
    """An Odoo with given answers: to ``read``, by the ids asked for."""

    def __init__(self, fields: Any = FIELDS, read: Any = None) -> None:
        self.fields, self.reads, self.asked = fields, read, list[list[int]]()

    async def call(self, _model: str, method: str, **body: Any) -> Answer:
        if method == "fields_get":
            return Answer(200, {}, json.dumps(self.fields).encode())
        self.asked.append(body["ids"])
        answer = self.reads(body["ids"])
        refused = isinstance(answer, dict) and "name" in answer
        return Answer(403 if refused else 200, {}, json.dumps(answer).encode())

    async def close(self) -> None:
        """Nothing is open."""


async def told(client: Any, **expect: Any) -> tuple[dict[int, str], dict[int, Any]]:
    odoo, expectations = Odoo(client, SystemClock()), Expectations()
    for job in range(8):
        record = Ref(f"x{job}")
        expectations.note(job, "m", job, Expected("m", record, {**expect}))
    return await expectations.breaches(odoo, Kinds(odoo), range(8))


async def test_one_record_that_may_not_be_read_costs_its_own_job() -> None:
    denied = {"name": "odoo.exceptions.AccessError", "message": "Uh-oh! Looks like ..."}

    def read(ids: list[int]) -> Any:
        return denied if 5 in ids else [{"id": one, "a": "x"} for one in ids]

    client = Answers(read=read)
    breaches, failed = await told(client, a="x")
    assert breaches == {}
    assert {job: one.code for job, one in failed.items()} == {5: "odoo.access-denied"}
    assert failed[5].detail.startswith("expect: HTTP 403 odoo.exceptions.AccessError: Uh-oh!")
    assert len(client.asked) == 7  # found by halving


async def test_a_record_that_is_gone_is_told() -> None:
    breaches, failed = await told(
        Answers(read=lambda ids: [{"id": one, "a": "x"} for one in ids if one != 3]), a="x"
    )
    assert breaches == {3: "m 3: it is not there any more"}
    assert failed == {}


@pytest.mark.parametrize(
    "answer",
    [None, 7, "x", {}, [7], [[]], [{}], [{"id": "x", "a": 1}], [{"id": 1}], [{"id": None, "a": 1}]],
)
async def test_nonsense_is_tried_again(answer: Any) -> None:
    breaches, failed = await told(Answers(read=lambda _: answer), a="x")
    assert breaches == {}
    assert {one.code for one in failed.values()} == {"odoo.unexpected-answer"}
    assert {one.outcome for one in failed.values()} == {Outcome.RETRY}


@pytest.mark.parametrize("fields", [None, 7, [], {"a": 7}, {"a": {"type": 7}}, {}])
@pytest.mark.parametrize("value", [None, 7, [], [[]], {}, ["x", 7], {"id": 1}])
async def test_nonsense_about_a_field_is_no_more_than_unequal(fields: Any, value: Any) -> None:
    client = Answers(fields, lambda ids: [{"id": one, "a": value} for one in ids])
    breaches, failed = await told(client, a="x")
    assert (len(breaches), failed) == (8, {})


@pytest.mark.parametrize("value", [None, 7, False, [], ["x", "y"], {"id": 1}])
async def test_a_path_through_nothing_ends_in_nothing(value: Any) -> None:
    client = Answers(read=lambda ids: [{"id": one, "b_id": value, "a": "x"} for one in ids])
    breaches, failed = await told(client, **{"b_id.a": "x"})
    assert breaches[0] == "m 0: b_id.a is empty in Odoo, and x was expected"
    assert failed == {}
