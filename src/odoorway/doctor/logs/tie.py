"""Which request each record came from. Odoo logs no request id, so process and order must tell.

With workers, a process serves one request at a time: what it logged since its last access line is
of the next one. Without, requests of one process interleave; then a record goes to the first
request to end that it can be of. Of two refusals within milliseconds that one may be the other's.
"""

from collections import OrderedDict, deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from odoorway.doctor.logs import kinds
from odoorway.doctor.logs.kinds import SLACK, RecordRole, role
from odoorway.doctor.logs.parse import Access, LogRecord, Pid

_WORKERS = 256  # processes remembered
_OPEN = 32  # records of a process that wait for their request
_HELD = 64  # failed requests of a process that wait for Odoo 14's traceback
_PATIENCE = 900.0  # seconds a record waits for its request
_RUNS = 60.0  # seconds that a request with conflicts may run
_OVERLAP = 0.005  # seconds by which one begins before another's end, to be beside it
_SOON = 2.0  # seconds within which Odoo 14's traceback follows


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that went wrong once: its records, and the request where it is known."""

    records: tuple[LogRecord, ...]
    access: Access | None


@dataclass(slots=True)
class _OdooWorker:
    open: list[LogRecord] = field(default_factory=list)
    held: deque[Incident] = field(default_factory=deque)  # 500s that nothing explains yet
    doubtful: deque[Incident] = field(default_factory=deque)  # a 200 that may be another's failure
    last_end: float = 0.0
    threaded: bool = False  # requests of this process were seen to overlap


class Tie:
    """Puts records and requests together, in one pass and bounded memory."""

    def __init__(self) -> None:
        self._workers: OrderedDict[Pid, _OdooWorker] = OrderedDict()
        self._waiting: set[Pid] = set()

    @property
    def waiting(self) -> Container[Pid]:
        """The processes whose next request matters, whatever its status."""
        return self._waiting

    def take(self, item: LogRecord | Access) -> Iterator[Incident]:
        """Yield the incidents that *item* completes."""
        worker = self._worker(item.pid)
        while worker.doubtful and _ended(worker.doubtful[0]) < item.at - SLACK:
            yield worker.doubtful.popleft()
        if isinstance(item, Access):
            yield from self._access(worker, item)
        else:
            yield from self._record(worker, item)
        while len(worker.open) > _OPEN:
            yield from _without_request(worker)
        while len(worker.held) > _HELD or (
            worker.held and _ended(worker.held[0]) < item.at - _SOON
        ):
            yield worker.held.popleft()
        self._note(item.pid, worker)
        if len(self._workers) > _WORKERS:
            yield from self._forget(next(iter(self._workers)))

    def idle(self) -> Iterator[Incident]:
        """Yield what only waited for lines that would have come by now: the log is quiet."""
        for pid, worker in list(self._workers.items()):
            yield from _drain(worker)
            done = [r for r in worker.open if role(r) is RecordRole.LAST]
            worker.open = _without(worker.open, done)
            yield from _incidents(done, None)
            self._note(pid, worker)

    def finish(self) -> Iterator[Incident]:
        """Yield all that is left: no more lines will come."""
        for pid in list(self._workers):
            yield from self._forget(pid)

    def _worker(self, pid: Pid) -> _OdooWorker:
        worker = self._workers.setdefault(pid, _OdooWorker())
        self._workers.move_to_end(pid)
        return worker

    def _note(self, pid: Pid, worker: _OdooWorker) -> None:
        (self._waiting.add if worker.open else self._waiting.discard)(pid)

    def _forget(self, pid: Pid) -> Iterator[Incident]:
        worker = self._workers.pop(pid)
        self._waiting.discard(pid)
        yield from _drain(worker)
        while worker.open:
            yield from _without_request(worker)

    def _record(self, worker: _OdooWorker, record: LogRecord) -> Iterator[Incident]:
        match role(record):
            case RecordRole.APART:
                yield Incident((record,), None)
            case RecordRole.AFTER:
                yield _explained(worker.held, record)
            case RecordRole.DEATH:
                yield self._died(kinds.victim(record), record)
            case RecordRole.DUMP:
                yield from _dumped(worker, record)
            case _:
                yield from _expired(worker, record.at)
                worker.open.append(record)

    def _died(self, pid: Pid, record: LogRecord) -> Incident:
        dying = self._workers.get(pid, _OdooWorker())
        last_words, dying.open = dying.open, []
        self._waiting.discard(pid)
        return Incident((*last_words, record), None)

    def _access(self, worker: _OdooWorker, access: Access) -> Iterator[Incident]:
        start = access.at - (access.took or 0.0)
        worker.threaded |= start < worker.last_end - _OVERLAP and access.took is not None
        worker.last_end = max(worker.last_end, access.at)
        mine = _mine(worker, access)
        worker.open = _without(worker.open, mine)
        if not access.fine and not _has_reason(mine):
            mine += _from_a_doubtful(worker, access)
        for incident in _incidents(mine, access):
            if access.status >= 500 and not any(r.traceback for r in incident.records):  # noqa: PLR2004
                worker.held.append(incident)
            elif access.fine and _has_reason(incident.records):
                worker.doubtful.append(incident)
            else:
                yield incident


def _mine(worker: _OdooWorker, access: Access) -> list[LogRecord]:
    """Return the open records that this request takes, the first reason to fail the last of them.

    Where requests overlap, what is only said aside needs a reason beside it, or a 500: it is
    rather of another one, that is still running.
    """
    mine = []
    for record in worker.open:
        if kinds.can_be_of(record, access):
            mine.append(record)
            if role(record) is RecordRole.LAST:
                return mine
    if not worker.threaded or access.status >= 500 or any(map(kinds.is_retry, mine)):  # noqa: PLR2004
        return mine
    return [record for record in mine if role(record) is RecordRole.NOTE]


def _has_reason(records: Iterable[LogRecord]) -> bool:
    return any(role(record) is RecordRole.LAST for record in records)


def _from_a_doubtful(worker: _OdooWorker, access: Access) -> list[LogRecord]:
    """Return the records of a failure that a 200 has taken and that this failed request fits.

    It ran when they were logged, so the two overlapped, which those of a worker never do.
    """
    for incident in worker.doubtful:
        record = incident.records[-1]
        ran = access.took is not None and record.at > access.at - access.took
        if ran and kinds.can_be_of(record, access):
            worker.doubtful.remove(incident)
            return list(incident.records)
    return []


def _incidents(records: list[LogRecord], access: Access | None) -> Iterator[Incident]:
    """Yield the failure of a request, and apart from it each thing worth a note."""
    notes = [record for record in records if role(record) is RecordRole.NOTE]
    for note in notes:
        yield Incident((note,), access)
    again = any("retrying with" in note.text[:300] for note in notes)
    rest = tuple(
        record
        for record in _without(records, notes)
        if not (again and "read-only transaction" in record.text)
    )
    if rest or (access and not access.fine and not notes):
        yield Incident(rest, access)


def _without(records: list[LogRecord], taken: list[LogRecord]) -> list[LogRecord]:
    """Return the others; two that look alike are two."""
    gone = set(map(id, taken))
    return [record for record in records if id(record) not in gone]


def _explained(held: deque[Incident], record: LogRecord) -> Incident:
    """Join the traceback that Odoo 14 writes after the access line with its request."""
    for incident in held:
        access = incident.access
        if access and abs(record.at - access.at) <= _SOON and record.db in {access.db, "?"}:
            held.remove(incident)
            return Incident((*incident.records, record), access)
    return Incident((record,), None)


def _dumped(worker: _OdooWorker, record: LogRecord) -> Iterator[Incident]:
    """Join a dump of the threads with the limit that was its reason; a dump asked for is none."""
    reasons = [r for r in worker.open if r.logger == "odoo.service.server"]
    worker.open = _without(worker.open, reasons)
    if reasons:
        yield Incident((*reasons, record), None)


def _expired(worker: _OdooWorker, now: float) -> Iterator[Incident]:
    while worker.open and worker.open[0].at < now - _PATIENCE:
        yield from _without_request(worker)


def _without_request(worker: _OdooWorker) -> Iterator[Incident]:
    """Yield the oldest open record as an incident, with the reason to fail that it led to.

    A log without access lines, as Odoo writes it when werkzeug is silenced, has only such.
    """
    first, *rest = worker.open
    led_to = [first]
    if role(first) is not RecordRole.LAST:
        soon = [record for record in rest if record.at <= first.at + _RUNS]
        last = next((n for n, record in enumerate(soon) if role(record) is RecordRole.LAST), None)
        led_to += [] if last is None else soon[: last + 1]
    worker.open = _without(worker.open, led_to)
    yield from _incidents(led_to, None)


def _drain(worker: _OdooWorker) -> Iterator[Incident]:
    yield from worker.held
    yield from worker.doubtful
    worker.held.clear()
    worker.doubtful.clear()


def _ended(incident: Incident) -> float:
    return incident.access.at if incident.access else 0.0
