"""Flat records become calls of Odoo's `load`. Pure.

`load` takes columns and rows of text. Every column it is given is written, and an empty cell
clears the field; so records go into one call only when they write exactly the same columns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from odoorway.commands import Find
from odoorway.deliver.odoo.values import Unwritable, cell
from odoorway.transform.plan import DbId, Lines, Many, Record, Ref

CONTEXT = {"tz": "UTC"}
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
    env: Mapping[str, Any] = field(default_factory=dict)  # added to the context

    @property
    def body(self) -> dict[str, Any]:
        """The arguments of the call."""
        rows = [[row.get(name, "") for name in self.columns] for row in self._rows()]
        return {"fields": list(self.columns), "data": rows, "context": self._context}

    @property
    def _context(self) -> dict[str, Any]:
        """Odoo's context; an adopted record may be archived, and is found all the same."""
        archived = {"active_test": False} if ".id" in self.columns else {}
        return {**CONTEXT, **archived, **self.env}

    def of(self, blocks: Iterable[Block]) -> "Load":
        """Return the same call for some of its blocks."""
        return replace(self, blocks=tuple(blocks))

    def block_at(self, row: int) -> Block | None:
        """Return whose row of the data that is."""
        for block in self.blocks:
            row -= len(block.rows)
            if row < 0:
                return block
        return None

    def _rows(self) -> Iterator[Cells]:
        return (row for block in self.blocks for row in block.rows)


@dataclass(frozen=True, slots=True)
class Text:
    """Writes values as the text of a cell.

    ``ids`` are the database ids of records written before, for a many2many that mixes them with
    others; ``placeholder`` shows a Find that nobody resolved.
    """

    ids: Mapping[str, int]
    placeholder: Callable[[Find], str] | None = None

    def named(self, column: str, value: Any) -> str:
        """Return the cell of that column; an error names the field.

        Raises:
            Unwritable: the value has no text.
        """
        try:
            return self._cell(value, by_id=column.endswith("/.id"))
        except Unwritable as error:
            raise Unwritable(f"{column.partition('/')[0]}: {error}") from error

    def _cell(self, value: Any, *, by_id: bool) -> str:
        match value:
            case Ref(xid, ident):
                known = self.ids.get(xid) if ident is None else ident
                return str(known or f"<id of {xid}>") if by_id else xid
            case DbId(ident):
                return str(ident)
            case Many(members):
                return ",".join(self._cell(one, by_id=by_id) for one in members)
            case Find() if self.placeholder:
                return self.placeholder(value)
        return cell(value)


def check(record: Record, text: Text) -> None:
    """Raise Unwritable, naming the field, when *record* cannot be written as text."""
    for part in _uniform(record):
        _rows(part, text)


def loads(records: Sequence[Record], text: Text) -> tuple[Load, ...]:
    """Return the fewest calls that write *records*, to be made in that order.

    Raises:
        Unwritable: a value has no text; `check` tells which record's.
    """
    groups: dict[tuple[int, str, frozenset[str], str], Load] = {}
    for position, record in enumerate(records):
        for part, piece in enumerate(_uniform(record)):
            rows = tuple(_rows(piece, text))
            columns = tuple(dict.fromkeys(name for row in rows for name in row))
            key = (part, piece.model, frozenset(columns), repr(sorted(piece.env.items())))
            group = groups.get(key, Load(piece.model, columns, (), piece.env))
            groups[key] = group.of((*group.blocks, Block(position, piece.xid, rows)))
    return tuple(groups[key] for key in sorted(groups, key=lambda key: key[0]))  # stable


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
        rest += [replace(record, values={name: form}) for form in forms[1:]]
    return [replace(record, values=first), *rest]


def _forms(lines: Lines) -> list[Lines]:
    forms: dict[frozenset[str], list[Record]] = {}
    for line in lines.records:
        for part in _uniform(line):
            forms.setdefault(frozenset(_names(part)), []).append(part)
    return [Lines(tuple(form)) for form in forms.values()]


def _names(record: Record, prefix: str = "") -> Iterator[str]:
    """Yield the columns that a uniform record writes."""
    yield prefix + _identity(record)[0]
    for name, value in record.values.items():
        if isinstance(value, Lines):
            yield from _names(value.records[0], f"{prefix}{name}/")
        else:
            yield prefix + _column(name, value)


def _rows(record: Record, text: Text, prefix: str = "") -> list[Cells]:
    """Return the record's rows; the first of its lines share its own row."""
    column, ident = _identity(record)
    rows: list[Cells] = [{prefix + column: ident}]
    for name, value in record.values.items():
        if isinstance(value, Lines):
            _add_lines(rows, value, text, f"{prefix}{name}/")
        else:
            column = _column(name, value)
            rows[0][prefix + column] = text.named(column, value)
    return rows


def _identity(record: Record) -> tuple[str, str]:
    """Return the column and cell that say which record: an adopted one has no external ID."""
    return ("id", record.xid) if record.id is None else (".id", str(record.id))


def _add_lines(rows: list[Cells], lines: Lines, text: Text, prefix: str) -> None:
    below = [row for line in lines.records for row in _rows(line, text, prefix)]
    for position, row in enumerate(below):
        if position < len(rows):
            rows[position] |= row
        else:
            rows.append(row)


def _column(name: str, value: Any) -> str:
    """Return the column that says how *value* refers: external ID, database id, or not at all."""
    match value:
        case Ref(id=None):
            return f"{name}/id"
        case Many(members) if members and all(map(_by_xid, members)):
            return f"{name}/id"
        case Find() | DbId() | Many() | Ref():
            return f"{name}/.id"
        case int() if name.endswith("_id") and not isinstance(value, bool):
            return f"{name}/.id"  # `load` ignores the suffix when the field is a plain number
    return name


def _by_xid(member: Any) -> bool:
    return isinstance(member, Ref) and member.id is None
