"""A command tree becomes flat records, level by level, and the steps that follow. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from odoorway.commands import (
    Call,
    Command,
    Find,
    Forward,
    Key,
    Update,
    Upsert,
    external_id,
    owned_by,
)
from odoorway.errors import HandlerError
from odoorway.transform.plan import (
    DbId,
    Expected,
    Lines,
    Many,
    Plan,
    Record,
    Ref,
    Run,
    Step,
    Sync,
    Write,
    refs,
)

_LISTS = {None, "one2many", "many2many"}  # None: not known
Resolve = Callable[[Find], Any]
Env = Mapping[str, Any]
Place = tuple[str, str]  # model and field
Done = Mapping[Key, tuple[Upsert, ...]]  # what was written before, by key


@dataclass(frozen=True, slots=True)
class Known:
    """What only Odoo and the journal can tell of a command tree; by default nothing."""

    # A Find becomes what stands for it: itself, a DbId, None or the Upsert that creates it.
    resolve: Resolve = lambda find: find
    adopted: Mapping[str, int] = field(default_factory=dict)  # database ids by external ID
    kinds: Mapping[Place, str] = field(default_factory=dict)  # of fields that hold lists
    done: Done = field(default_factory=dict)  # written before, by this very job
    existing: frozenset[str] = frozenset()  # external IDs that Odoo has, of Upserts with initial=


def flatten(source: str, commands: Sequence[Command], known: Known | None = None) -> Plan:
    """Return the plan that writes *commands*; every value of the tree is in it.

    Upserts of one key merge in the order a reader meets them, nested ones first.

    Raises:
        HandlerError: two records each need the other to be written first, or one key is used
            for two models.
    """
    builder = _Builder(source, known or Known())
    steps = tuple(step for command in commands for step in builder.take(command))
    expected = tuple(builder.expected)
    return Plan(builder.levels(), steps, tuple(builder.syncs.values()), expected)


def upserts(value: Any) -> Iterator[Upsert]:
    """Yield every Upsert in commands, a command, a value or a ``missing=``, the outer first."""
    for one in _inside(value):
        if isinstance(one, Upsert):
            yield one


def finds(commands: Sequence[Command]) -> Iterator[Find]:
    """Yield every lookup that writing *commands* may need, those inside ``missing=`` too.

    What an Update or a Call is run on is looked up when its turn comes, and not yielded; nor is
    what an Upsert is matched by.
    """
    for one in _inside(commands):
        if isinstance(one, Find):
            yield one


def _inside(value: Any) -> Iterator[Find | Upsert]:
    match value:
        case Find(missing=missing):
            yield value
            yield from _inside(missing)
        case Upsert():
            yield value
            yield from _inside(value.at_most)
        case Update(values=values):
            yield from _inside(values)
        case Call(on=on, args=args):
            yield from _inside([on if isinstance(on, Upsert) else None, args])
        case Mapping():
            for inner in value.values():
                yield from _inside(inner)
        case list() | tuple():
            for inner in value:
                yield from _inside(inner)


class _Builder:
    """Collects records by external ID while it walks the tree."""

    def __init__(self, source: str, known: Known) -> None:
        self._source, self._known = source, known
        self._records: dict[str, Record] = {}
        self.syncs: dict[tuple[str, str], Sync] = {}
        self.expected: list[Expected] = []

    def take(self, command: Command) -> Iterator[Step]:
        """Collect the command's records; yield the step it leaves for later."""
        match command:
            case Upsert():
                self._add(command, {})
            case Update(model, on, values):
                env, told = command.env, self._values(model, values, command.env)
                yield Write(model, on, told, env, command.expect, command.tolerance)
            case Call(model, method, on, args, unless):
                target = on if isinstance(on, Find) else self._add(on, command.env)
                told = self._arguments(args, command.env)
                yield Run(model, method, target, told, unless, command.env)
            case Forward():
                yield command

    def levels(self) -> tuple[tuple[Record, ...], ...]:
        """Return the records, each one level above the highest that it refers to."""
        levels: list[list[Record]] = []
        for xid, level in _Heights(self._records).all().items():
            while len(levels) <= level:
                levels.append([])
            levels[level].append(self._records[xid])
        return tuple(tuple(level) for level in levels)

    def _add(self, upsert: Upsert, env: Env) -> Ref:
        if upsert in self._known.done.get(upsert.key, ()):
            xid = external_id(self._source, upsert.key)
            return Ref(xid, self._known.adopted.get(xid))
        new = self._record(upsert, env)
        old = self._records.get(new.xid)
        if old and old.model != new.model:
            raise HandlerError(
                f"key {upsert.key!r} is used for {old.model} and for {new.model};"
                " give each model a kind of its own, like ('customer', 7) and ('invoice', 7)"
            )
        self._records[new.xid] = _merged(old, new) if old else new
        ref = Ref(new.xid, new.id)
        if upsert.expect:
            expected = Expected(new.model, ref, upsert.expect, upsert.tolerance, new.env)
            self.expected.append(expected)
        return ref

    def _record(self, upsert: Upsert, outer: Env) -> Record:
        xid = external_id(self._source, upsert.key)
        env = {**outer, **upsert.env}
        values = self._values(upsert.model, upsert.values, env)
        adopted = self._known.adopted.get(xid)
        is_new = adopted is None and xid not in self._known.existing
        initial = self._values(upsert.model, upsert.initial if is_new else {}, env)
        record = Record(upsert.model, xid, values, adopted, env, initial)
        if upsert.lines == "sync":
            self._sync(record)
        return record

    def _line(self, upsert: Upsert, env: Env) -> Record:
        if upsert.expect:
            raise HandlerError(
                f"Upsert({upsert.model!r}, {upsert.key!r}) is a line, and expect= is read of"
                " records of their own only; give the expectation to the record that has the line"
            )
        return self._record(upsert, env)

    def _sync(self, record: Record) -> None:
        """Note which lines are to stay; what is written last of a record counts."""
        parent, owner = Ref(record.xid, record.id), owned_by(self._source)
        for name, value in record.values.items():
            if isinstance(value, Lines):
                kept = frozenset(line.xid for line in value.records)
                sync = Sync(parent, record.model, name, owner, kept, record.env)
                self.syncs[record.xid, name] = sync

    def _values(self, model: str, values: Mapping[str, Any], env: Env) -> dict[str, Any]:
        return {
            name: self._value(value, env, self._known.kinds.get((model, name)))
            for name, value in values.items()
        }

    def _value(self, value: Any, env: Env, kind: str | None = None) -> Any:
        match value:
            case Upsert():
                return self._add(value, env)
            case Find():
                resolved = self._known.resolve(value)
                return resolved if isinstance(resolved, Find) else self._value(resolved, env)
            case [] | () if kind not in _LISTS:
                return value
            case list() | tuple() if kind != "many2many" and all(map(_is_upsert, value)):
                return Lines(tuple(self._line(one, env) for one in value))
            case list() | tuple() if all(isinstance(one, Upsert | Find | int) for one in value):
                return self._many(value, env)
        return value

    def _arguments(self, value: Any, env: Env) -> Any:
        """Resolve what a method's arguments refer to; their lists stay lists."""
        match value:
            case Mapping():
                return {name: self._arguments(inner, env) for name, inner in value.items()}
            case list() | tuple():
                return [self._arguments(inner, env) for inner in value]
        return self._value(value, env)

    def _many(self, members: Sequence[Upsert | Find | int], env: Env) -> Many:
        flat = [DbId(one) if isinstance(one, int) else self._value(one, env) for one in members]
        return Many(tuple(one for one in flat if one is not None))


def _is_upsert(value: Any) -> bool:
    return isinstance(value, Upsert)


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
            below = refs(self._records[xid].at_most)
            heights = [self._height(ref, (*above, xid)) for ref in below if ref in self._records]
            self._known[xid] = 1 + max(heights, default=-1)
        return self._known[xid]


def _merged(old: Record, new: Record) -> Record:
    """Return one record with both's values: the newer wins, line by line for lines."""
    values = _merged_values(old.values, new.values)
    initial = _merged_values(old.initial, new.initial)
    return replace(old, values=values, env={**old.env, **new.env}, initial=initial)


def _merged_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(old)
    for name, value in new.items():
        both = isinstance(value, Lines) and isinstance(values.get(name), Lines)
        values[name] = _merged_lines(values[name], value) if both else value
    return values


def _merged_lines(old: Lines, new: Lines) -> Lines:
    lines = {line.xid: line for line in old.records}
    for line in new.records:
        lines[line.xid] = _merged(lines[line.xid], line) if line.xid in lines else line
    return Lines(tuple(lines.values()))
