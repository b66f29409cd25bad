"""What is known of each job of a batch: its verdict, its records, what is still to do."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from odoorway.deliver.odoo.schedule import Entry
from odoorway.deliver.port import Verdict
from odoorway.model.delivery import Outcome
from odoorway.transform.plan import xids


class Ledger:
    """Keeps the books of one batch; jobs are positions."""

    def __init__(self, jobs: int) -> None:
        """Begin with every job open."""
        self._jobs = jobs
        self._verdicts: dict[int, Verdict] = {}
        self._records: dict[int, dict[str, tuple[str, str, int]]] = {j: {} for j in range(jobs)}
        self.ids: dict[str, int] = {}  # database ids by external ID
        self.there = set[str]()  # external IDs that were written, those of lines too

    def open(self) -> Iterator[int]:
        """Yield the jobs without a verdict, in order."""
        return (job for job in range(self._jobs) if job not in self._verdicts)

    def is_open(self, job: int) -> bool:
        """Tell whether *job* has no verdict yet."""
        return job not in self._verdicts

    def wanted(self, entry: Entry) -> bool:
        """Tell whether an open job wants the entry written."""
        return any(job not in self._verdicts for job in entry.jobs)

    def written(self, entry: Entry, ident: int) -> None:
        """Note that the entry is in Odoo under that database id."""
        record = entry.record
        self.ids[record.xid] = ident
        self.there.update(xids(record))
        for job in entry.jobs:
            self._records[job][record.xid] = (record.model, record.xid, ident)

    def has(self, job: int, xid: str) -> bool:
        """Tell whether that record of *job* is written."""
        return xid in self._records[job]

    def fail(self, jobs: Iterable[int], verdict: Verdict) -> None:
        """Settle *jobs*; the first verdict of a job stands."""
        for job in jobs:
            self._verdicts.setdefault(job, self._with_records(job, verdict))

    def deliver(self, job: int) -> None:
        """Settle a job of which all is done."""
        self.fail([job], Verdict(outcome=Outcome.DELIVERED))

    def delivered(self) -> frozenset[int]:
        """Return the jobs of which all is done."""
        done = self._verdicts.items()
        return frozenset(job for job, one in done if one.outcome is Outcome.DELIVERED)

    def breach(self, job: int, text: str) -> None:
        """Note what of a delivered job is not as the handler expected."""
        self._verdicts[job] = replace(self._verdicts[job], breach=text)

    def revoke(self, jobs: Iterable[int], verdict: Verdict) -> None:
        """Settle *jobs* that were called delivered otherwise."""
        self._verdicts |= {job: self._with_records(job, verdict) for job in jobs}

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the jobs' verdicts, in order; all jobs must be settled."""
        return tuple(self._verdicts[job] for job in range(self._jobs))

    def _with_records(self, job: int, verdict: Verdict) -> Verdict:
        return replace(verdict, records=tuple(self._records[job].values()))
