"""Odoo's ``load``: rows of text become records, all or none, by external ID."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from odoorway.testing.sandbox_amounts import NotSupported
from odoorway.testing.sandbox_models import MODELS, Field
from odoorway.testing.sandbox_store import OdooError, Store, value_error

Path = tuple[str, ...]
Message = dict[str, Any]


class BadCell(Exception):
    """A cell cannot be read; the arguments become the message."""

    def __init__(self, text: str, more: Any = None) -> None:
        """Say *text*, with Odoo's further information where it gives some."""
        super().__init__(text)
        self.text, self.more = text, more


@dataclass(slots=True)
class Parsed:
    """One record of the rows, with its lines."""

    first: int
    last: int
    cells: dict[Path, str]
    lines: dict[str, list["Parsed"]] = field(default_factory=dict)


def load(store: Store, model: str, fields: Sequence[str], data: Sequence[Sequence[Any]]) -> Any:
    """Do what Odoo's ``load`` does; return its answer."""
    columns = [tuple(name.split("/")) for name in fields]
    _known(model, columns)
    records = _records(model, columns, [[_text(c) for c in row] for row in data], 0)
    before = store.snapshot()
    messages: list[Message] = []
    ids: list[int] = []
    for number, record in enumerate(records):
        found, written = _write(store, model, record, number)
        messages += found
        ids.append(written)
    if messages:
        store.restore(before)
        return {"ids": False, "messages": messages, "nextrow": 0}
    return {"ids": ids, "messages": [], "nextrow": 0}


def _text(cell: Any) -> str:
    if isinstance(cell, bool | int | float) or cell is None:
        return "" if not cell else str(cell)
    return str(cell)


def _known(model: str, columns: Sequence[Path]) -> None:
    for path in columns:
        name = path[0]
        if name in {"id", ".id"}:
            continue
        if name not in MODELS[model]:
            raise value_error(f"Invalid field name '{name}'")
        relation = MODELS[model][name].relation
        if path[1:] and relation:
            _known(relation, [path[1:]])


def _records(
    model: str, columns: Sequence[Path], rows: Sequence[Sequence[str]], offset: int
) -> list[Parsed]:
    """Group rows: one whose own columns are empty continues the record before it."""
    nested = {p[0] for p in columns if _is_lines(model, p)}
    own = [i for i, p in enumerate(columns) if p[0] not in nested]
    starts = [n for n, row in enumerate(rows) if n == 0 or any(row[i] for i in own)]
    found = []
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        cells = {columns[i]: rows[start][i] for i in own}
        record = Parsed(offset + start, offset + end - 1, cells)
        for name in sorted(nested):
            record.lines[name] = _lines(model, name, columns, rows[start:end], offset + start)
        found.append(record)
    return found


def _lines(
    model: str, name: str, columns: Sequence[Path], rows: Sequence[Sequence[str]], offset: int
) -> list[Parsed]:
    places = [i for i, p in enumerate(columns) if p[0] == name]
    kept = [[row[i] for i in places] for row in rows if any(row[i] for i in places)]
    relation = MODELS[model][name].relation
    assert relation
    return _records(relation, [columns[i][1:] for i in places], kept, offset) if kept else []


def _is_lines(model: str, path: Path) -> bool:
    name = path[0]
    return name in MODELS[model] and MODELS[model][name].type == "one2many"


def _write(store: Store, model: str, record: Parsed, number: int) -> tuple[list[Message], int]:
    """Write one record with its lines; return what is wrong with it, and its id."""
    where = {"rows": {"from": record.first, "to": record.last}}
    try:
        values, messages = _converted(store, model, record, where, number)
        messages += _line_messages(store, model, record, where, number)
        written = _save(store, model, record, values)
        for name, lines in record.lines.items():
            field_ = MODELS[model][name]
            assert field_.relation
            for line in lines:
                inner, _ = _converted(store, field_.relation, line, where, number)
                _save(store, field_.relation, line, {**inner, str(field_.inverse): written})
    except OdooError as error:
        problem: Message = {**where, "record": number, "type": "error", "message": error.message}
        if "(" in error.message.partition("\n")[0]:
            problem["field"] = error.message.partition("(")[2].partition(")")[0]
        return [*locals().get("messages", []), problem], 0
    return messages, written


def _line_messages(
    store: Store, model: str, record: Parsed, where: Message, number: int
) -> list[Message]:
    """Return what is wrong with the lines, told on the parent's field as Odoo does."""
    found = []
    for name, lines in record.lines.items():
        parent = MODELS[model][name]
        assert parent.relation
        for line in lines:
            for one in _converted(store, parent.relation, line, where, number)[1]:
                message = one["message"].replace("field '", f"field '{parent.string}/")
                found.append(
                    {**one, "field": name, "field_name": parent.string, "message": message}
                )
    return found


def _converted(
    store: Store, model: str, record: Parsed, where: Message, number: int
) -> tuple[dict[str, Any], list[Message]]:
    values: dict[str, Any] = {}
    messages: list[Message] = []
    for path, cell in record.cells.items():
        name = path[0]
        if name == ".id" and cell and int(cell) not in store.rows[model]:
            text = f"Unknown database identifier '{cell}'"
            told = {**where, "type": "error", "record": number, "message": text, "field": ".id"}
            messages.append(told)
        if name in {"id", ".id"}:
            continue
        field_ = MODELS[model][name]
        try:
            values[name] = _convert(store, field_, path, cell)
        except BadCell as bad:
            messages.append(
                {
                    **where,
                    "type": "error",
                    "record": number,
                    "field": name,
                    "message": bad.text,
                    **({"moreinfo": bad.more} if bad.more else {}),
                    "field_name": field_.string,
                }
            )
    return values, messages


def _save(store: Store, model: str, record: Parsed, values: dict[str, Any]) -> int:
    external, number = record.cells.get(("id",), ""), record.cells.get((".id",), "")
    if number:
        if int(number) in store.rows[model]:
            store.write(model, [int(number)], values)
        return int(number)
    known = store.external.get(external)
    if known and known[1] in store.rows[known[0]]:
        store.write(model, [known[1]], values)
        return known[1]
    created = store.create(model, values)
    if external:
        store.external[external] = (model, created)
    return created


def _convert(store: Store, field_: Field, path: Path, cell: str) -> Any:
    if not cell:
        return [] if field_.type == "many2many" else 0.0 if field_.type == "float" else False
    where = f"field '{field_.string}'"
    match field_.type:
        case "char" | "text" | "html":
            return cell
        case "float":
            return _number(cell, where)
        case "boolean":
            return _boolean(cell, where)
        case "selection":
            return _selection(field_, cell, where)
        case "datetime" | "date":
            return _moment(cell, field_.type, where)
        case "many2one":
            return _reference(store, field_, path[1:], cell, where)
        case "many2many":
            return [_reference(store, field_, path[1:], one, where) for one in cell.split(",")]
    raise NotSupported(f"load of a {field_.type} field")


def _number(cell: str, where: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise BadCell(f"'{cell}' does not seem to be a number for {where}") from None


def _boolean(cell: str, where: str) -> bool:
    if cell.lower() in {"1", "true", "yes"}:
        return True
    if cell.lower() in {"0", "false", "no"}:
        return False
    raise BadCell(f"Unknown value '{cell}' for boolean {where}", "Use '1' for yes and '0' for no")


def _selection(field_: Field, cell: str, where: str) -> str:
    for value, label in field_.selection:
        if cell in {value, label}:
            return value
    raise BadCell(
        f"Value '{cell}' not found in selection {where}", [label for _, label in field_.selection]
    )


def _moment(cell: str, kind: str, where: str) -> str:
    try:
        if kind == "date":
            return date.fromisoformat(cell).isoformat()
        return datetime.fromisoformat(cell).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        form = "2012-12-31" if kind == "date" else "2012-12-31 23:59:59"
        raise BadCell(
            f"'{cell}' does not seem to be a valid {kind} for {where}", f"Use the format '{form}'"
        ) from None


def _reference(store: Store, field_: Field, path: Path, cell: str, where: str) -> int:
    assert field_.relation
    match path:
        case ("id",):
            known = store.external.get(cell)
            if known and known[0] == field_.relation:
                return known[1]
            raise BadCell(
                f"No matching record found for external id '{cell}' in {where}", _possible()
            )
        case (".id",):
            if int(cell) in store.rows[field_.relation]:
                return int(cell)
            raise BadCell(
                f"No matching record found for database id '{cell}' in {where}", _possible()
            )
    raise NotSupported("a relation by its name in load; use /id or /.id")


def _possible() -> dict[str, str]:
    return {"name": "Possible Values"}
