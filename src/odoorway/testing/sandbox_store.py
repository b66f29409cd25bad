"""The sandbox's records: kept in memory, checked and computed as Odoo 19 does it."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from odoorway.testing.sandbox_amounts import NotSupported, line_amounts, order_amounts
from odoorway.testing.sandbox_models import MODELS, Field

Row = dict[str, Any]


class OdooError(Exception):
    """An error as Odoo answers it: HTTP status, the exception's name, its message."""

    def __init__(self, status: int, name: str, message: str) -> None:
        """Answer *status* with that name and message."""
        super().__init__(message)
        self.status, self.name, self.message = status, name, message


def value_error(message: str) -> OdooError:
    """Return what a Python ValueError becomes."""
    return OdooError(500, "builtins.ValueError", message)


class Store:
    """Records by model and id, and external IDs."""

    def __init__(self) -> None:
        """Be empty."""
        self.rows: dict[str, dict[int, Row]] = {model: {} for model in MODELS}
        self.external: dict[str, tuple[str, int]] = {}
        self.create("res.currency", {"name": "USD"})  # the company's

    def snapshot(self) -> Any:
        """Return what ``restore`` takes to undo everything since."""
        return copy.deepcopy((self.rows, self.external))

    def restore(self, snapshot: Any) -> None:
        """Roll back."""
        self.rows, self.external = snapshot

    def create(self, model: str, values: Mapping[str, Any]) -> int:
        """Create one record with defaults; return its id."""
        fields = MODELS[model]
        row = {name: field.default for name, field in fields.items() if not _x2many(field)}
        row |= {name: [] for name, field in fields.items() if field.type == "many2many"}
        number = max(self.rows[model], default=0) + 1
        row |= {"id": number, **self._checked(model, values)}
        self.rows[model][number] = row
        self._computed(model, row, values, {})
        self._required(model, row)
        return number

    def write(self, model: str, ids: Iterable[int], values: Mapping[str, Any]) -> None:
        """Write on records that exist."""
        checked = self._checked(model, values)
        for number in ids:
            row = self._existing(model, number)
            before = dict(row)
            row.update(checked)
            self._computed(model, row, values, before)
            self._required(model, row)

    def _existing(self, model: str, number: int) -> Row:
        if number not in self.rows[model]:
            raise OdooError(
                404,
                "odoo.exceptions.MissingError",
                "Record does not exist or has been deleted."
                f"\n(Record: {model}({number},), User: 2)",
            )
        return self.rows[model][number]

    def external_ids(self, model: str) -> dict[int, str]:
        """Return the external IDs of the model's records that have one."""
        return {ident: xid for xid, (other, ident) in self.external.items() if other == model}

    def unlink(self, model: str, ids: Iterable[int]) -> None:
        """Delete records, and what only they hold."""
        self._removable(model, ids)
        for number in ids:
            self.rows[model].pop(number, None)
            if model == "sale.order":
                lines = self.rows["sale.order.line"]
                for line in [n for n, r in lines.items() if r["order_id"] == number]:
                    del lines[line]
        there = {xid: at for xid, at in self.external.items() if at[1] in self.rows[at[0]]}
        self.external = there

    def _removable(self, model: str, ids: Iterable[int]) -> None:
        rows = [self.rows[model][n] for n in ids if n in self.rows[model]]
        if model == "sale.order.line" and any(
            self.rows["sale.order"][row["order_id"]]["state"] == "sale" for row in rows
        ):
            raise OdooError(
                422,
                "odoo.exceptions.UserError",
                "Once a sales order is confirmed, you can't remove one of its lines (we need to"
                " track if something gets invoiced or delivered).\n"
                "                Set the quantity to 0 instead.",
            )

    def _checked(self, model: str, values: Mapping[str, Any]) -> Row:
        for name, value in values.items():
            field = MODELS[model].get(name)
            if field is None:
                raise value_error(f"Invalid field '{name}' in '{model}'")
            if field.type == "one2many":
                raise NotSupported(f"{model}.{name} in create or write; use load")
            if field.type == "selection" and value not in (*dict(field.selection), False, None):
                raise value_error(f"Wrong value for {model}.{name}: {value!r}")
        return {name: _stored(MODELS[model][name], value) for name, value in values.items()}

    def _computed(self, model: str, row: Row, given: Mapping[str, Any], before: Row) -> None:
        match model:
            case "sale.order":
                row["name"] = row["name"] or f"S{row['id']:05}"
                pricelist = self.rows["product.pricelist"].get(row["pricelist_id"] or 0)
                row["currency_id"] = pricelist["currency_id"] if pricelist else 1
            case "sale.order.line":
                self._from_product(row, given, before)
            case "account.tax":
                row["price_include"] = row["price_include_override"] == "tax_included"

    def _from_product(self, row: Row, given: Mapping[str, Any], before: Row) -> None:
        """Fill in what nobody has given when a line gets its product."""
        product = self.rows["product.product"].get(row["product_id"] or 0)
        if not product:
            return
        if before.get("product_id") == product["id"]:
            self._price_anew(row, given, product)
            return
        row["name"] = row["name"] if "name" in given else product["name"]
        if "price_unit" not in given:
            row["price_unit"] = product["list_price"]
        row["price_of_product"] = row["price_unit"]
        if "tax_ids" not in given:
            row["tax_ids"] = list(product["taxes_id"])

    def _price_anew(self, row: Row, given: Mapping[str, Any], product: Row) -> None:
        """Take the product's price for a quantity that comes without one, as Odoo 19 does.

        A price that was written after the line was created is a person's, and stays.
        """
        automatic = row["price_unit"] == row["price_of_product"]
        if "product_uom_qty" in given and "price_unit" not in given and automatic:
            row["price_unit"] = row["price_of_product"] = product["list_price"]

    def _required(self, model: str, row: Row) -> None:
        if model == "res.partner" and not row["name"]:
            raise OdooError(422, "odoo.exceptions.ValidationError", "Contacts require a name")
        for name, field in MODELS[model].items():
            if field.required and row[name] is False:
                raise OdooError(422, "odoo.exceptions.ValidationError", _missing(model, name))

    def search(self, model: str, domain: Sequence[Any]) -> list[int]:
        """Return the ids that match, in order; a wrong domain is one even where nothing is."""
        for term in domain:
            if not isinstance(term, str):
                _known_term(model, term)
        return [n for n, row in sorted(self.rows[model].items()) if self._match(model, row, domain)]

    def _match(self, model: str, row: Row, domain: Sequence[Any]) -> bool:
        """Evaluate Odoo's prefix notation; terms beside each other are joined by and."""
        stack: list[bool] = []
        for term in reversed(domain):
            match term:
                case "&" | "|":
                    a, b = stack.pop(), stack.pop()
                    stack.append((a and b) if term == "&" else (a or b))
                case "!":
                    stack.append(not stack.pop())
                case _:
                    stack.append(self._term(model, row, term))
        return all(stack)

    def _term(self, model: str, row: Row, term: Sequence[Any]) -> bool:
        name, operator, value = term
        if not isinstance(name, str):  # Odoo's own word for always and never
            return bool(name == value)
        name, _, further = name.partition(".")
        field = MODELS[model].get(name)
        have = row.get(name, False)
        if field and field.type == "one2many":
            have = self._lines(field, row)
        if further:
            assert field
            assert field.relation
            members = have if isinstance(have, list) else [have] if have else []
            related = [self.rows[field.relation][one] for one in members]
            return any(
                self._term(field.relation, one, (further, operator, value)) for one in related
            )
        match operator:
            case "=":
                return bool(have == value) or (not have and value in (False, None))
            case "!=":
                return bool(have != value) and not (not have and value in (False, None))
            case "in":
                return have in value
            case "not in":
                return have not in value
        raise NotSupported(f"domain operator {operator!r}")

    def read(self, model: str, ids: Iterable[int], fields: Sequence[str]) -> list[Row]:
        """Return records as Odoo shows them: ``[id, name]`` for a many2one."""
        for name in fields:
            if name not in {"id", "display_name", *MODELS[model]}:
                raise value_error(f"Invalid field '{name}' on '{model}'")
        names = fields or ["id", *MODELS[model]]
        rows = [self._current(model, n) for n in ids if n in self.rows[model]]
        return [
            {"id": row["id"], **{name: self._shown(model, row, name) for name in names}}
            for row in rows
        ]

    def _current(self, model: str, number: int) -> Row:
        """Return a record with what Odoo computes from others."""
        row = self.rows[model][number]
        match model:
            case "sale.order":
                lines = self.rows["sale.order.line"].values()
                mine = [(one, self._taxes(one)) for one in lines if one["order_id"] == number]
                return {**row, **order_amounts(mine)}
            case "sale.order.line":
                order = self.rows["sale.order"].get(row["order_id"] or 0, {})
                currency = order.get("currency_id", False)
                return {**row, "currency_id": currency, **line_amounts(row, self._taxes(row))}
        return row

    def _taxes(self, line: Row) -> list[Row]:
        return [self.rows["account.tax"][one] for one in line["tax_ids"]]

    def _shown(self, model: str, row: Row, name: str) -> Any:
        if name == "id":
            return row["id"]
        if name == "display_name":
            return row["name"]
        field = MODELS[model][name]
        if field.type == "one2many":
            return self._lines(field, row)
        if field.type == "many2one" and row[name]:
            assert field.relation
            return [row[name], self.rows[field.relation][row[name]]["name"]]
        return row[name]

    def _lines(self, field: Field, row: Row) -> list[int]:
        assert field.relation
        assert field.inverse
        return [n for n, r in self.rows[field.relation].items() if r[field.inverse] == row["id"]]


def _stored(field: Field, value: Any) -> Any:
    """Return what is kept: of a many2many the ids, given as such or by Odoo's command to set."""
    if field.type != "many2many":
        return False if value is None else value
    match value:
        case [[6, 0, list(members)]] | [(6, 0, list(members))]:
            return list(members)
        case list() if all(isinstance(one, int) for one in value):
            return value
    raise NotSupported(f"{value!r} for a many2many; use [[6, 0, ids]]")


def _known_term(model: str, term: Sequence[Any]) -> None:
    name, operator, value = term
    known = not isinstance(name, str) or name.partition(".")[0] in {"id", *MODELS[model]}
    if not known:
        shown = f"({name!r}, {operator!r}, {value!r})"
        raise value_error(f"Invalid field {model}.{name} in condition {shown}")


def _x2many(field: Field) -> bool:
    return field.type in {"one2many", "many2many"}


def _missing(model: str, name: str) -> str:
    titles = {"sale.order": "Sales Order", "crm.lead": "Lead", "product.product": "Product Variant"}
    return (
        f"Missing required value for the field '{MODELS[model][name].string}' ({name}).\n"
        f"Model: '{titles.get(model, model)}' ({model})\n"
        "- create/update: a mandatory field is not set\n"
        "- delete: another model requires the record being deleted, you can archive it instead\n"
    )
