"""A command tree as levels of flat records."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoorway.commands import Call, Update, Upsert, external_id, find
from odoorway.errors import HandlerError
from odoorway.transform.flatten import Known, finds, flatten
from odoorway.transform.plan import DbId, Lines, Many, Record, Ref, Run, Write

SKU = find("product.product", default_code="A")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.dates(),
)
FIELDS = st.text("abcdefgh_", min_size=1, max_size=4)


NUMBERS = itertools.count(1)  # no two upserts share a key


def _upserts(values):
    fields = st.dictionaries(FIELDS, values, max_size=3)
    return fields.map(lambda drawn: Upsert("x.model", ("k", next(NUMBERS)), drawn))


def _deeper(children):
    one = _upserts(children)
    mixed = st.lists(st.one_of(one, st.just(SKU), st.integers(1, 9)), min_size=1, max_size=3)
    return st.one_of(children, one, st.lists(one, max_size=3), mixed)


TREES = _upserts(st.recursive(SCALARS, _deeper, max_leaves=10))


def leaves(value):
    """Return every scalar, find and id of a command tree or of a plan, in a comparable form."""
    match value:
        case Upsert(model, key, values):
            yield ("record", model, external_id("s", key))
            yield from leaves(dict(values))
        case Record(model, xid, values):
            yield ("record", model, xid)
            yield from leaves(dict(values))
        case dict():
            for name, inner in value.items():
                yield from ((name, *leaf) for leaf in leaves(inner))
        case list() | tuple():
            for one in value:
                yield from leaves(one)
        case DbId(ident):
            yield ("int", repr(ident))
        case Lines(members) | Many(members):
            for one in members:
                yield from leaves(one)
        case _:
            yield (type(value).__name__, repr(value))


def unfolded(value, records):
    """Put the records that a plan refers to back where they are referred from."""
    match value:
        case Ref(xid):
            return unfolded(records[xid], records)
        case Record(model, xid, values):
            return Record(model, xid, {n: unfolded(v, records) for n, v in values.items()})
        case Lines(members):
            return Lines(tuple(unfolded(one, records) for one in members))
        case Many(members):
            return [unfolded(one, records) for one in members]
    return value


@given(TREES)
def test_flattening_keeps_every_value(tree):
    """Unfolding the plan gives back each value of the tree at its path, and nothing else."""
    plan = flatten("s", [tree])
    records = {record.xid: record for level in plan.levels for record in level}
    root = unfolded(Ref(external_id("s", tree.key)), records)
    assert sorted(leaves(root)) == sorted(leaves(tree))


@given(TREES)
def test_what_is_referred_to_is_in_an_earlier_level(tree):
    """A record's references are all written before it, its lines' too."""
    written: set[str] = set()
    for level in flatten("s", [tree]).levels:
        for record in level:
            assert set(_refs(record)) <= written
        written |= {record.xid for record in level}


def _refs(value):
    match value:
        case Ref(xid):
            yield xid
        case Record(values=values):
            for inner in values.values():
                yield from _refs(inner)
        case Lines(members) | Many(members):
            for one in members:
                yield from _refs(one)


def test_an_order():
    """The customer is written first; the lines go with their order, each with its find."""
    customer = Upsert("res.partner", ("customer", 1), {"name": "A"})
    line = Upsert("sale.order.line", ("line", 5), {"product_id": SKU})
    order = Upsert("sale.order", ("order", 7), {"partner_id": customer, "order_line": [line]})
    plan = flatten("shop", [order])
    xid = "__odoorway__.shop_"
    assert plan.levels == (
        (Record("res.partner", xid + "customer_1", {"name": "A"}),),
        (
            Record(
                "sale.order",
                xid + "order_7",
                {
                    "partner_id": Ref(xid + "customer_1"),
                    "order_line": Lines(
                        (Record("sale.order.line", xid + "line_5", {"product_id": SKU}),)
                    ),
                },
            ),
        ),
    )


def test_the_same_key_merges_in_order():
    """Two Upserts of one record become one record with both's values; the later wins."""
    line = Upsert("l", ("line", 1), {"a": 1})
    again = Upsert("l", ("line", 1), {"b": 2})
    first = Upsert("m", ("k", 1), {"x": 1, "y": 1, "lines": [line]})
    second = Upsert("m", ("k", 1), {"y": 2, "z": 3, "lines": [again]})
    ((record,),) = flatten("s", [first, second]).levels
    merged = Record("l", "__odoorway__.s_line_1", {"a": 1, "b": 2})
    assert record.values == {"x": 1, "y": 2, "z": 3, "lines": Lines((merged,))}


def test_a_resolved_find_stands_for_its_record():
    """A find becomes an id, nothing, or the record that creates it."""
    new = Upsert("p", ("new", 1), {"name": "x"})
    order = Upsert("o", ("order", 1), {"p_id": find("p", a=1), "ids": [find("p", a=2), 7]})
    resolve = Known(lambda f: new if f.where == (("a", 1),) else None)
    plan = flatten("s", [order], resolve)
    assert [record.model for level in plan.levels for record in level] == ["p", "o"]
    assert plan.levels[1][0].values == {
        "p_id": Ref("__odoorway__.s_new_1"),
        "ids": Many((DbId(7),)),
    }


def test_steps_keep_their_order_and_their_records():
    """Updates and calls follow in order; what they refer to is among the records."""
    on = find("sale.order", name="S1")
    order = Upsert("sale.order", ("order", 1), {"note": "x"})
    user = Upsert("res.partner", ("customer", 2), {})
    plan = flatten(
        "s",
        [
            Call("sale.order", "action_confirm", order, {"ids": [1, 2]}, {"state": ["sale"]}),
            Update("sale.order", on, {"partner_id": user}),
        ],
    )
    assert [record.xid for record in plan.levels[0]] == [
        "__odoorway__.s_order_1",
        "__odoorway__.s_customer_2",
    ]
    run, write = plan.steps
    assert isinstance(run, Run)
    assert (run.on, run.args) == (Ref("__odoorway__.s_order_1"), {"ids": [1, 2]})
    assert write == Write("sale.order", on, {"partner_id": Ref("__odoorway__.s_customer_2")})


def test_records_in_a_circle_are_refused():
    """Two records that each need the other first are told as such, not looped over."""
    inner = Upsert("p", ("k", 1), {"name": "x"})
    other = Upsert("p", ("k", 2), {"parent_id": inner})
    with pytest.raises(HandlerError, match=r"s_k_1 → .*s_k_2 → .*s_k_1"):
        flatten("s", [Upsert("p", ("k", 1), {"child_id": other})])


def test_one_key_for_two_models_is_refused():
    """A key that means two records is an error that says how to tell them apart."""
    with pytest.raises(HandlerError, match="give each model a kind of its own"):
        flatten("s", [Upsert("a", ("k", 1)), Upsert("b", ("k", 1))])


def test_finds_are_collected_everywhere():
    """Every find that may be needed is known beforehand, those inside missing= too."""
    inner = find("a", x=1)
    outer = find("b", y=2, missing=Upsert("b", ("k", 1), {"a_id": inner}))
    line = Upsert("l", ("line", 1), {"b_id": outer})
    call = Call("o", "go", Upsert("o", ("k", 3), {"m_id": SKU}), {"arg": inner}, {"s": ["x"]})
    found = list(finds([Upsert("o", ("k", 2), {"lines": [line]}), call]))
    assert found == [outer, inner, SKU, inner]
