"""What a command tree becomes: flat records, level by level, and the steps that follow."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from odoorway.commands import Find, Forward


@dataclass(frozen=True, slots=True)
class Ref:
    """A record of this batch, by its external ID, or by the id it had before it was adopted."""

    xid: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class DbId:
    """A record that Odoo has, by its database id."""

    id: int


@dataclass(frozen=True, slots=True)
class Many:
    """The records that a many2many refers to; they replace those it had."""

    members: tuple[Ref | DbId | Find, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """The records of a one2many, written with their parent; others it has stay."""

    records: "tuple[Record, ...]"


@dataclass(frozen=True, slots=True)
class Record:
    """One record to write. A value is a scalar, Ref, DbId, Find, Many or Lines."""

    model: str
    xid: str
    values: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None  # of a record that Odoo had before us, which has no external ID
    env: Mapping[str, Any] = field(default_factory=dict)  # added to Odoo's context
    initial: Mapping[str, Any] = field(default_factory=dict)  # written if it is created

    @property
    def at_most(self) -> Mapping[str, Any]:
        """All that may be written."""
        return {**self.initial, **self.values}


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true of a record once all is written: fields or paths, and their values."""

    model: str
    record: Ref
    expect: Mapping[str, Any]
    tolerance: float | Decimal | None = None
    env: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """Values for one record that Odoo has."""

    model: str
    on: Find
    values: Mapping[str, Any]
    env: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float | Decimal | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A method to run on one record unless it is in one of the given states, or that is found."""

    model: str
    method: str
    on: Find | Ref
    args: Mapping[str, Any]
    unless: Mapping[str, Sequence[Any]] | Find
    env: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sync:
    """Lines of one field that are to go: those of this source that are not ``kept``."""

    parent: Ref
    model: str  # the parent's
    name: str  # the field's
    owner: str  # what the external IDs of the source begin with
    kept: frozenset[str]
    env: Mapping[str, Any] = field(default_factory=dict)


Step = Write | Run | Forward


@dataclass(frozen=True, slots=True)
class Plan:
    """Records to write, each level after the one before it; then lines to go; then the steps.

    Within a plan an external ID stands once, in the first level where all it refers to is
    written.
    """

    levels: tuple[tuple[Record, ...], ...]
    steps: tuple[Step, ...]
    syncs: tuple[Sync, ...] = ()
    expected: tuple[Expected, ...] = ()


def refs(value: Any) -> Iterator[str]:
    """Yield the external IDs that a value, a record's values or its lines refer to."""
    match value:
        case Ref(xid):
            yield xid
        case Many(members):
            for member in members:
                yield from refs(member)
        case Lines(records):
            for record in records:
                yield from refs(record.at_most)
        case Mapping():
            for inner in value.values():
                yield from refs(inner)


def as_written(record: Record, there: Container[str]) -> Record:
    """Return *record* with its initial values among the others, unless its external ID is there.

    The same of its lines.
    """
    values = record.values if record.xid in there else record.at_most
    told = {name: _lines_as_written(value, there) for name, value in values.items()}
    return replace(record, values=told, initial={})


def _lines_as_written(value: Any, there: Container[str]) -> Any:
    if not isinstance(value, Lines):
        return value
    return Lines(tuple(as_written(line, there) for line in value.records))


def xids(record: Record) -> Iterator[str]:
    """Yield the external IDs of a record and of all its lines."""
    yield record.xid
    for value in record.values.values():
        for line in value.records if isinstance(value, Lines) else ():
            yield from xids(line)
