"""Reads back what a batch has written, and tells what is not as the handlers expect."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.expect import Held, broken, step_of
from odoorway.deliver.odoo.kinds import Kinds
from odoorway.deliver.odoo.load import CONTEXT
from odoorway.deliver.odoo.refusal import Refused, Unusable, dead
from odoorway.deliver.port import Verdict
from odoorway.transform.plan import Expected, Write

FieldPath = tuple[str, ...]  # a field, or references and a field
Paths = dict[int, set[FieldPath]]  # by database id
Found = dict[int, dict[FieldPath, Held]]
Infos = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one job expects of one field of a record that it wrote."""

    job: int
    value: Any
    tolerance: float | Decimal | None
    env: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _ReadTogether:
    """Records of which the same paths are read: an unknown field is the fault of all of them."""

    model: str
    paths: frozenset[FieldPath]
    env: Mapping[str, Any]
    jobs: tuple[tuple[int, int], ...] = ()  # each with the record's database id

    def of(self, jobs: Sequence[tuple[int, int]]) -> "_ReadTogether":
        return replace(self, jobs=tuple(jobs))


@dataclass(slots=True)
class Expectations:
    """What the jobs of a batch expect of the records that they wrote.

    The last word on a field counts: what one job expects of it is not asked once another has
    written it, or expects something of it, since nobody can tell any more.
    """

    _of: dict[tuple[str, int], dict[FieldPath, Expectation]] = field(default_factory=dict)

    def written(self, job: int, model: str, ident: int, names: Collection[str]) -> None:
        """Forget what other jobs expect of those fields."""
        held = self._of.get((model, ident), {})
        for path in [p for p, one in held.items() if p[0] in names and one.job != job]:
            del held[path]

    def note(self, job: int, model: str, ident: int, told: Expected | Write) -> None:
        """Note what *job* expects of a record that is written."""
        held = self._of.setdefault((model, ident), {})
        for path, value in told.expect.items():
            held[tuple(path.split("."))] = Expectation(job, value, told.tolerance, told.env)

    async def breaches(
        self, odoo: Odoo, kinds: Kinds, jobs: Collection[int]
    ) -> tuple[dict[int, str], dict[int, Verdict]]:
        """Return by job, of *jobs*, what is not as expected, and why that cannot be read.

        One ``read`` a model and set of fields, whatever the number of records, and one for each
        reference that a path goes through.

        Raises:
            Unusable: Odoo is down.
        """
        told: dict[int, list[str]] = {}
        failed: dict[int, Verdict] = {}
        for group in self._groups(jobs):
            found = await _read(odoo, kinds, group, failed)
            for job, ident in group.jobs:
                if job not in failed:
                    told.setdefault(job, []).extend(self._broken(job, group, ident, found))
        return {job: "\n".join(texts) for job, texts in told.items() if texts}, failed

    def expecting(self) -> frozenset[int]:
        """Return the jobs that expect something."""
        return frozenset(one.job for held in self._of.values() for one in held.values())

    def _groups(self, jobs: Collection[int]) -> Iterable[_ReadTogether]:
        wanted: dict[tuple[int, str, int], dict[FieldPath, Expectation]] = {}
        for (model, ident), held in self._of.items():
            for path, one in held.items():
                if one.job in jobs:
                    wanted.setdefault((one.job, model, ident), {})[path] = one
        groups: dict[tuple[str, str, frozenset[FieldPath]], _ReadTogether] = {}
        for (job, model, ident), mine in wanted.items():
            env, paths = next(iter(mine.values())).env, frozenset(mine)
            key = model, repr(sorted(env.items())), paths
            group = groups.setdefault(key, _ReadTogether(model, paths, env))
            groups[key] = group.of((*group.jobs, (job, ident)))
        return groups.values()

    def _broken(self, job: int, group: _ReadTogether, ident: int, found: Found) -> Iterable[str]:
        place = f"{group.model} {ident}"
        if ident not in found:
            yield f"{place}: it is not there any more"
            return
        for path, one in self._of[group.model, ident].items():
            if one.job == job:
                text = broken(".".join(path), one.value, found[ident][path], one.tolerance)
                if text:
                    yield f"{place}: {text}"


async def _read(
    odoo: Odoo, kinds: Kinds, group: _ReadTogether, failed: dict[int, Verdict]
) -> Found:
    """Read a group; one record that may not be read, found by halving, costs its own job only."""
    paths: Paths = {ident: set(group.paths) for _, ident in group.jobs}
    try:
        return await _Reader(odoo, kinds, {**CONTEXT, **group.env}).read(group.model, paths)
    except Unusable:
        raise
    except Refused as refused:
        if len(group.jobs) == 1 or refused.verdict.code == "odoo.unknown-field":
            detail = f"expect: {refused.verdict.detail}"
            verdict = replace(refused.verdict, detail=detail)
            failed |= {job: verdict for job, _ in group.jobs}
            return {}
    middle = len(group.jobs) // 2
    first = await _read(odoo, kinds, group.of(group.jobs[:middle]), failed)
    return first | await _read(odoo, kinds, group.of(group.jobs[middle:]), failed)


class _Reader:
    def __init__(self, odoo: Odoo, kinds: Kinds, context: Mapping[str, Any]) -> None:
        self._odoo, self._kinds, self._context = odoo, kinds, context

    async def read(self, model: str, wanted: Paths) -> Found:
        """Return what each path holds; a record that is gone is left out."""
        infos = await self._kinds.describe(model, _names(wanted))
        paths = {ident: own | _roundings(own, infos) for ident, own in wanted.items()}
        infos = await self._kinds.describe(model, _names(paths))
        rows = await self._rows(model, paths)
        found: Found = {ident: {} for ident in rows}
        for name in _names(paths):
            further = await self._further(model, name, infos[name], rows, paths)
            for ident, row in rows.items():
                for path in (one for one in paths[ident] if one[0] == name):
                    found[ident][path] = _held(row[name], path, infos, further)
        return {ident: _with_steps(held, infos) for ident, held in found.items()}

    async def _rows(self, model: str, paths: Paths) -> dict[int, Mapping[str, Any]]:
        names = _names(paths)
        rows = await self._odoo.rows(
            model, "read", ids=sorted(paths), fields=names, context=self._context
        )
        return {row["id"]: row for row in rows if row["id"] in paths}

    async def _further(
        self,
        model: str,
        name: str,
        info: Mapping[str, Any],
        rows: Mapping[int, Mapping[str, Any]],
        paths: Paths,
    ) -> Found:
        """Read what the paths through *name* go on to."""
        wanted: Paths = {}
        for ident, row in rows.items():
            beyond = {path[1:] for path in paths[ident] if path[0] == name and path[1:]}
            if beyond and info.get("type") != "many2one":
                raise dead("odoo.unknown-field", f"{model}.{name} is no reference to one record")
            target = _target(row[name])
            if beyond and target:
                wanted.setdefault(target, set()).update(beyond)
        return await self.read(str(info.get("relation")), wanted) if wanted else {}


def _names(paths: Paths) -> list[str]:
    return sorted({path[0] for own in paths.values() for path in own})


def _roundings(paths: Iterable[FieldPath], infos: Infos) -> set[FieldPath]:
    """Return the paths to the rounding of the amounts' currencies."""
    told = (infos.get(path[0], {}) for path in paths if len(path) == 1)
    return {(str(one["currency_field"]), "rounding") for one in told if one.get("currency_field")}


def _target(value: Any) -> int | None:
    match value:
        case [int(ident), str()]:
            return ident
    return None


def _held(value: Any, path: FieldPath, infos: Infos, further: Found) -> Held:
    if len(path) == 1:
        return Held(value, str(infos.get(path[0], {}).get("type", "")))
    nothing = Held(False, "")  # noqa: FBT003 - Odoo's own word for it
    return further.get(_target(value) or 0, {}).get(path[1:], nothing)


def _with_steps(held: Mapping[FieldPath, Held], infos: Infos) -> dict[FieldPath, Held]:
    def step(path: FieldPath) -> Decimal | None:
        if len(path) > 1:
            return held[path].step
        info = infos.get(path[0], {})
        rounding = held.get((str(info.get("currency_field")), "rounding"))
        return step_of(info, rounding.value if rounding else None)

    return {path: replace(one, step=step(path)) for path, one in held.items()}
