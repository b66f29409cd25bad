"""A command tree becomes flat records, level by level, and the steps that follow. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from odoorway.commands import Call, Command, Find, Update, Upsert, external_id
from odoorway.errors import HandlerError


@dataclass(frozen=True, slots=True)
class Ref:
    """A record of this batch, by its external ID."""

    xid: str


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


@dataclass(frozen=True, slots=True)
class Write:
    """Values for one record that Odoo has."""

    model: str
    on: Find
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A method to run on one record unless it is in one of the given states."""

    model: str
    method: str
    on: Find | Ref
    args: Mapping[str, Any]
    unless: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Records to write, each level after the one before it; then the steps, in order.

    Within a plan an external ID stands once, in the first level where all it refers to is
    written.
    """

    levels: tuple[tuple[Record, ...], ...]
    steps: tuple[Write | Run, ...]


Resolve = Callable[[Find], Any]


def flatten(source: str, commands: Sequence[Command], resolve: Resolve = lambda f: f) -> Plan:
    """Return the plan that writes *commands*; every value of the tree is in it.

    ``resolve`` turns a Find into what stands for it: itself, a DbId, None or the Upsert that
    creates it. Upserts of one key merge in the order a reader meets them, nested ones first.

    Raises:
        HandlerError: two records each need the other to be written first, or one key is used
            for two models.
    """
    builder = _Builder(source, resolve)
    steps = tuple(step for command in commands for step in builder.take(command))
    return Plan(builder.levels(), steps)


def finds(commands: Sequence[Command]) -> Iterator[Find]:
    """Yield every lookup that writing *commands* may need, those inside ``missing=`` too.

    What an Update or a Call is run on is looked up when its turn comes, and not yielded.
    """
    for command in commands:
        match command:
            case Upsert(values=values) | Update(values=values):
                yield from _finds(dict(values))
            case Call(on=on, args=args):
                yield from _finds([on if isinstance(on, Upsert) else None, dict(args)])


def _finds(value: Any) -> Iterator[Find]:
    match value:
        case Find(missing=missing):
            yield value
            yield from _finds(missing)
        case Upsert(values=values):
            yield from _finds(dict(values))
        case dict():
            for inner in value.values():
                yield from _finds(inner)
        case list() | tuple():
            for inner in value:
                yield from _finds(inner)


class _Builder:
    """Collects records by external ID while it walks the tree."""

    def __init__(self, source: str, resolve: Resolve) -> None:
        self._source, self._resolve = source, resolve
        self._records: dict[str, Record] = {}

    def take(self, command: Command) -> Iterator[Write | Run]:
        """Collect the command's records; yield the step it leaves for later."""
        match command:
            case Upsert():
                self._add(command)
            case Update(model, on, values):
                yield Write(model, on, self._values(values))
            case Call(model, method, on, args, unless):
                target = on if isinstance(on, Find) else self._add(on)
                yield Run(model, method, target, self._arguments(dict(args)), unless)

    def levels(self) -> tuple[tuple[Record, ...], ...]:
        """Return the records, each one level above the highest that it refers to."""
        levels: list[list[Record]] = []
        for xid, level in _Heights(self._records).all().items():
            while len(levels) <= level:
                levels.append([])
            levels[level].append(self._records[xid])
        return tuple(tuple(level) for level in levels)

    def _add(self, upsert: Upsert) -> Ref:
        new = self._record(upsert)
        old = self._records.get(new.xid)
        if old and old.model != new.model:
            raise HandlerError(
                f"key {upsert.key!r} is used for {old.model} and for {new.model};"
                " give each model a kind of its own, like ('customer', 7) and ('invoice', 7)"
            )
        self._records[new.xid] = _merged(old, new) if old else new
        return Ref(new.xid)

    def _record(self, upsert: Upsert) -> Record:
        xid = external_id(self._source, upsert.key)
        return Record(upsert.model, xid, self._values(upsert.values))

    def _values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(value) for name, value in values.items()}

    def _value(self, value: Any) -> Any:
        match value:
            case Upsert():
                return self._add(value)
            case Find():
                resolved = self._resolve(value)
                return resolved if isinstance(resolved, Find) else self._value(resolved)
            case list() | tuple() if all(isinstance(one, Upsert) for one in value):
                return Lines(tuple(self._record(one) for one in value))
            case list() | tuple() if all(isinstance(one, Upsert | Find | int) for one in value):
                return self._many(value)
        return value

    def _arguments(self, value: Any) -> Any:
        """Resolve what a method's arguments refer to; their lists stay lists."""
        match value:
            case dict():
                return {name: self._arguments(inner) for name, inner in value.items()}
            case list() | tuple():
                return [self._arguments(inner) for inner in value]
        return self._value(value)

    def _many(self, members: Sequence[Upsert | Find | int]) -> Many:
        flat = [DbId(one) if isinstance(one, int) else self._value(one) for one in members]
        return Many(tuple(one for one in flat if one is not None))


class _Heights:
    """How far above the ground each record stands: over all that it refers to."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self._records = records
        self._known: dict[str, int] = {}

    def all(self) -> Mapping[str, int]:
        for xid in self._records:
            self._height(xid, ())
        return self._known

    def _height(self, xid: str, above: tuple[str, ...]) -> int:
        if xid in above:
            circle = " → ".join((*above[above.index(xid) :], xid))
            raise HandlerError(
                f"these records each need the next one written first: {circle};"
                " give one of them without its reference, and the reference in a second Upsert"
                " from another event"
            )
        if xid not in self._known:
            below = refs(self._records[xid].values)
            heights = [self._height(ref, (*above, xid)) for ref in below if ref in self._records]
            self._known[xid] = 1 + max(heights, default=-1)
        return self._known[xid]


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
                yield from refs(record.values)
        case Mapping():
            for inner in value.values():
                yield from refs(inner)


def _merged(old: Record, new: Record) -> Record:
    """Return one record with both's values: the newer wins, line by line for lines."""
    values = dict(old.values)
    for name, value in new.values.items():
        both = isinstance(value, Lines) and isinstance(values.get(name), Lines)
        values[name] = _merged_lines(values[name], value) if both else value
    return Record(old.model, old.xid, values)


def _merged_lines(old: Lines, new: Lines) -> Lines:
    lines = {line.xid: line for line in old.records}
    for line in new.records:
        lines[line.xid] = _merged(lines[line.xid], line) if line.xid in lines else line
    return Lines(tuple(lines.values()))
