"""Flat records become calls of Odoo's `load`. Pure.

`load` takes columns and rows of text. Every column it is given is written, and an empty cell
clears the field; so records go into one call only when they write exactly the same columns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odoorway.commands import Find
from odoorway.deliver.odoo.values import Unwritable, cell
from odoorway.transform.flatten import DbId, Lines, Many, Record, Ref

CONTEXT = {"tz": "UTC"}
Placeholder = Callable[[Find], str]
Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Block:
    """One record's rows in a load: its own, then those that only hold lines."""

    record: int  # the position of the record among those given
    xid: str
    rows: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """One call of `load`: records of one model that write the same columns."""

    model: str
    columns: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def body(self) -> dict[str, Any]:
        """The arguments of the call."""
        rows = [[row.get(name, "") for name in self.columns] for row in self._rows()]
        return {"fields": list(self.columns), "data": rows, "context": CONTEXT}

    def of(self, blocks: Iterable[Block]) -> "Load":
        """Return the same call for some of its blocks."""
        return Load(self.model, self.columns, tuple(blocks))

    def block_at(self, row: int) -> Block | None:
        """Return whose row of the data that is."""
        for block in self.blocks:
            row -= len(block.rows)
            if row < 0:
                return block
        return None

    def _rows(self) -> Iterator[Cells]:
        return (row for block in self.blocks for row in block.rows)


def check(record: Record, ids: Mapping[str, int], placeholder: Placeholder | None = None) -> None:
    """Raise Unwritable, naming the field, when *record* cannot be written as text."""
    for part in _uniform(record):
        _rows(part, ids, placeholder)


def loads(
    records: Sequence[Record], ids: Mapping[str, int], placeholder: Placeholder | None = None
) -> tuple[Load, ...]:
    """Return the fewest calls that write *records*, to be made in that order.

    *ids* are the database ids of records written before; ``placeholder`` shows a Find that
    nobody resolved.

    Raises:
        Unwritable: a value has no text; `check` tells which record's.
    """
    groups: dict[tuple[int, str, frozenset[str]], tuple[tuple[str, ...], list[Block]]] = {}
    for position, record in enumerate(records):
        for part, piece in enumerate(_uniform(record)):
            rows = tuple(_rows(piece, ids, placeholder))
            columns = tuple(dict.fromkeys(name for row in rows for name in row))
            key = (part, piece.model, frozenset(columns))
            groups.setdefault(key, (columns, []))[1].append(Block(position, piece.xid, rows))
    ordered = sorted(groups.items(), key=lambda group: group[0][0])  # stable: first parts first
    return tuple(Load(key[1], columns, tuple(blocks)) for key, (columns, blocks) in ordered)


def _uniform(record: Record) -> list[Record]:
    """Split a record so that within each part all lines of a field write the same columns.

    An empty cell would clear the field of a line that does not mention it. So the parent goes
    with the first form of its lines, and each other form follows in a part that holds nothing
    but the parent's external ID and those lines.
    """
    first: dict[str, Any] = {}
    rest: list[Record] = []
    for name, value in record.values.items():
        if not isinstance(value, Lines):
            first[name] = value
            continue
        forms = _forms(value)
        if forms:  # no lines, no column: an empty one would remove the lines that are there
            first[name] = forms[0]
        rest += [Record(record.model, record.xid, {name: form}) for form in forms[1:]]
    return [Record(record.model, record.xid, first), *rest]


def _forms(lines: Lines) -> list[Lines]:
    forms: dict[frozenset[str], list[Record]] = {}
    for line in lines.records:
        for part in _uniform(line):
            forms.setdefault(frozenset(_names(part)), []).append(part)
    return [Lines(tuple(form)) for form in forms.values()]


def _names(record: Record, prefix: str = "") -> Iterator[str]:
    """Yield the columns that a uniform record writes."""
    yield f"{prefix}id"
    for name, value in record.values.items():
        if isinstance(value, Lines):
            yield from _names(value.records[0], f"{prefix}{name}/")
        else:
            yield prefix + _column(name, value)


def _rows(
    record: Record, ids: Mapping[str, int], placeholder: Placeholder | None, prefix: str = ""
) -> list[Cells]:
    """Return the record's rows; the first of its lines share its own row."""
    rows: list[Cells] = [{f"{prefix}id": record.xid}]
    for name, value in record.values.items():
        if isinstance(value, Lines):
            _add_lines(rows, value, ids, placeholder, f"{prefix}{name}/")
        else:
            rows[0][prefix + _column(name, value)] = _named(name, value, ids, placeholder)
    return rows


def _add_lines(
    rows: list[Cells],
    lines: Lines,
    ids: Mapping[str, int],
    placeholder: Placeholder | None,
    prefix: str,
) -> None:
    below = [row for line in lines.records for row in _rows(line, ids, placeholder, prefix)]
    for position, row in enumerate(below):
        if position < len(rows):
            rows[position] |= row
        else:
            rows.append(row)


def _column(name: str, value: Any) -> str:
    """Return the column that says how *value* refers: external ID, database id, or not at all."""
    match value:
        case Ref():
            return f"{name}/id"
        case Many(members) if members and all(isinstance(one, Ref) for one in members):
            return f"{name}/id"
        case Find() | DbId() | Many():
            return f"{name}/.id"
        case int() if name.endswith("_id") and not isinstance(value, bool):
            return f"{name}/.id"  # `load` ignores the suffix when the field is a plain number
    return name


def _named(
    name: str, value: Any, ids: Mapping[str, int], placeholder: Placeholder | None
) -> str:
    try:
        return _cell(value, ids, placeholder, mixed=_column(name, value).endswith("/.id"))
    except Unwritable as error:
        raise Unwritable(f"{name}: {error}") from error


def _cell(
    value: Any, ids: Mapping[str, int], placeholder: Placeholder | None, *, mixed: bool
) -> str:
    match value:
        case Ref(xid):
            return str(ids.get(xid, xid)) if mixed else xid
        case DbId(ident):
            return str(ident)
        case Many(members):
            return ",".join(_cell(one, ids, placeholder, mixed=mixed) for one in members)
        case Find() if placeholder:
            return placeholder(value)
    return cell(value)
