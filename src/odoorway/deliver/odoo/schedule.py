"""The records of many jobs become stages, each written after the one before it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from odoorway.transform.plan import Plan, Record, refs


@dataclass(slots=True)
class Entry:
    """A record to write, and the jobs (by position) that want exactly this written."""

    record: Record
    jobs: list[int] = field(default_factory=list)


Stage = tuple[Entry, ...]


@dataclass(slots=True)
class _Latest:
    entry: Entry
    stage: int


def schedule(plans: Mapping[int, Plan]) -> tuple[Stage, ...]:
    """Return the stages that write all *plans*, which are in order of arrival.

    What a record refers to is in an earlier stage. Jobs that want the same written of the same
    record share an entry; when they want different things, the later job's is in a later stage,
    so that the last word is the last event's.
    """
    stages: list[list[Entry]] = []
    latest: dict[str, _Latest] = {}
    for job, plan in plans.items():
        for record in (record for level in plan.levels for record in level):
            known = latest.get(record.xid)
            if known is None or known.entry.record != record:
                known = latest[record.xid] = _Latest(Entry(record), _stage(record, latest))
                _put(stages, known)
            known.entry.jobs.append(job)
    return tuple(tuple(stage) for stage in stages)


def _stage(record: Record, latest: Mapping[str, _Latest]) -> int:
    before = [latest[xid].stage for xid in _after(record) if xid in latest]
    return 1 + max(before, default=-1)


def _after(record: Record) -> Sequence[str]:
    """Return the external IDs that have to be written before this record."""
    return [record.xid, *refs(record.at_most)]


def _put(stages: list[list[Entry]], latest: _Latest) -> None:
    while len(stages) <= latest.stage:
        stages.append([])
    stages[latest.stage].append(latest.entry)
