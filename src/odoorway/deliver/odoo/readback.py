"""Reads back what a batch has written, and tells what is not as the handlers expect."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.expect import Held, broken, step_of
from odoorway.deliver.odoo.kinds import Kinds
from odoorway.deliver.odoo.load import CONTEXT
from odoorway.deliver.odoo.refusal import Refused, Unusable, dead, unexpected
from odoorway.deliver.port import Verdict

Path = tuple[str, ...]
Wanted = dict[int, set[Path]]  # by database id
Found = dict[int, dict[Path, Held]]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one job expects of one record that it wrote."""

    job: int
    model: str
    id: int
    expect: Mapping[str, Any]
    tolerance: float | Decimal | None
    env: Mapping[str, Any]


async def breaches(
    odoo: Odoo, kinds: Kinds, expectations: Sequence[Expectation]
) -> tuple[dict[int, str], dict[int, Verdict]]:
    """Return by job what is not as expected, and the verdicts where that cannot be read.

    One ``read`` a model, whatever the number of records; one more for each that a path goes
    through.

    Raises:
        Unusable: Odoo is down.
    """
    told: dict[int, list[str]] = {}
    failed: dict[int, Verdict] = {}
    for group in _groups(expectations):
        try:
            found = await _read(odoo, kinds, group)
        except Unusable:
            raise
        except Refused as refused:
            failed |= {one.job: refused.verdict for one in group}
            continue
        for one in group:
            told.setdefault(one.job, []).extend(_broken(one, found.get(one.id)))
    return {job: "\n".join(texts) for job, texts in told.items() if texts}, failed


def _groups(expectations: Iterable[Expectation]) -> Iterable[list[Expectation]]:
    """Return those together that are read together: an unknown field is its own group's fault."""
    groups: dict[tuple[str, str, frozenset[str]], list[Expectation]] = {}
    for one in expectations:
        key = (one.model, repr(sorted(one.env.items())), frozenset(one.expect))
        groups.setdefault(key, []).append(one)
    return groups.values()


def _broken(one: Expectation, held: Mapping[Path, Held] | None) -> Iterable[str]:
    place = f"{one.model} {one.id}"
    if held is None:
        yield f"{place}: it is not there any more"
        return
    for path, expected in one.expect.items():
        text = broken(path, expected, held[_parts(path)], one.tolerance)
        if text:
            yield f"{place}: {text}"


async def _read(odoo: Odoo, kinds: Kinds, group: Sequence[Expectation]) -> Found:
    wanted: Wanted = {}
    for one in group:
        wanted.setdefault(one.id, set()).update(map(_parts, one.expect))
    return await _Reader(odoo, kinds, {**CONTEXT, **group[0].env}).read(group[0].model, wanted)


def _parts(path: str) -> Path:
    return tuple(path.split("."))


class _Reader:
    def __init__(self, odoo: Odoo, kinds: Kinds, context: Mapping[str, Any]) -> None:
        self._odoo, self._kinds, self._context = odoo, kinds, context

    async def read(self, model: str, wanted: Wanted) -> Found:
        """Return what each path holds; a record that is gone is left out."""
        infos = await self._kinds.describe(
            model, {path[0] for ps in wanted.values() for path in ps}
        )
        paths = {ident: ps | _currencies(ps, infos) for ident, ps in wanted.items()}
        names = sorted({path[0] for ps in paths.values() for path in ps})
        rows = await self._rows(model, sorted(paths), names)
        found: Found = {row["id"]: {} for row in rows}
        for name in names:
            further = await self._further(model, name, rows, paths)
            for row in rows:
                for path in (one for one in paths[row["id"]] if one[0] == name):
                    found[row["id"]][path] = _held(row, path, infos, further)
        return {ident: _with_steps(held, infos) for ident, held in found.items()}

    async def _rows(self, model: str, ids: list[int], names: list[str]) -> list[dict[str, Any]]:
        rows = await self._odoo.ask(model, "read", ids=ids, fields=names, context=self._context)
        if not isinstance(rows, list):
            raise unexpected(model, "read", rows)
        return rows

    async def _further(
        self, model: str, name: str, rows: Sequence[Mapping[str, Any]], paths: Wanted
    ) -> Found:
        """Read what the paths through *name* go on to."""
        wanted: Wanted = {}
        for row in rows:
            beyond = {path[1:] for path in paths[row["id"]] if path[0] == name and path[1:]}
            ident = _one(model, name, row[name]) if beyond else None
            if ident is not None:
                wanted.setdefault(ident, set()).update(beyond)
        relation = self._kinds.relation(model, name)
        return await self.read(relation, wanted) if wanted and relation else {}


def _currencies(paths: Iterable[Path], infos: Mapping[str, Mapping[str, Any]]) -> set[Path]:
    """Return the paths to the rounding of the amounts' currencies."""
    told = (infos.get(path[0], {}) for path in paths if len(path) == 1)
    return {
        (str(info["currency_field"]), "rounding") for info in told if info.get("currency_field")
    }


def _one(model: str, name: str, value: Any) -> int | None:
    """Return the record that a path goes through."""
    match value:
        case [int(ident), str()]:
            return ident
        case False:
            return None
    raise dead("odoo.unknown-field", f"expect: {model}.{name} is no reference to one record")


def _held(
    row: Mapping[str, Any], path: Path, infos: Mapping[str, Mapping[str, Any]], further: Found
) -> Held:
    name, beyond = path[0], path[1:]
    if not beyond:
        return Held(row[name], str(infos.get(name, {}).get("type", "")))
    inner = further.get(row[name][0], {}) if row[name] else {}
    return inner.get(beyond, Held(False, ""))  # noqa: FBT003 - Odoo's own word for nothing


def _with_steps(
    held: Mapping[Path, Held], infos: Mapping[str, Mapping[str, Any]]
) -> dict[Path, Held]:
    def step(path: Path) -> Decimal | None:
        if len(path) > 1:
            return held[path].step
        info = infos.get(path[0], {})
        rounding = held.get((str(info.get("currency_field")), "rounding"))
        return step_of(info, rounding.value if rounding else None)

    return {path: Held(one.value, one.kind, step(path)) for path, one in held.items()}
