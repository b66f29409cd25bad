"""Incidents of one sort as one group: how often, since when, where and why. Bounded in memory."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from odoorway.doctor.logs import cause, kinds, recognising
from odoorway.doctor.logs.fingerprint import Frame, LoggedFailure, read
from odoorway.doctor.logs.kinds import RecordRole
from odoorway.doctor.logs.parse import Access, LogRecord
from odoorway.doctor.logs.routes import is_webhook
from odoorway.doctor.logs.tie import Incident

_Alike = tuple[str, int | None, str | None]
_Key = tuple[str, str | None]
_GROUPS = 400  # groups kept of a severity
_KNOWN = 2000  # failures of which the diagnosis is remembered
_PATHS = 30  # paths kept of a group
_SAMPLE = 4000  # characters kept of a group's first record
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}  # a browser's, or a scanner's, more than a webhook's
_FATAL = {"odoo.server-time-limit"}  # requests were lost
_HARMLESS = {"odoo.conflict-retried", "odoo.registry-reloaded", "odoo.rpc-deprecated"}


class GroupSeverity(IntEnum):
    """How much a group matters, worst first."""

    ERROR = 0  # a request failed, or was lost
    WARNING = 1  # it worked, or was nothing to a webhook, and is still worth a look
    NOTE = 2


@dataclass(slots=True)
class IncidentGroup:
    """Incidents of one sort."""

    fingerprint: str
    code: str | None  # of the diagnosis, where there is one
    severity: GroupSeverity
    kind: str
    message: str
    line: Frame | None  # the addon's line that failed
    sample: str  # the first incident's main record
    count: int = 0
    first: str = ""
    last: str = ""
    requests: Counter[str] = field(default_factory=Counter)  # "POST /path" → how often
    statuses: Counter[int] = field(default_factory=Counter)
    databases: set[str] = field(default_factory=set)
    nearest: tuple[str, ...] = ()  # the codes that come into question where there is none
    unlisted: int = 0  # incidents whose path is beyond those kept

    @property
    def key(self) -> _Key:
        """What tells it from every other group."""
        return self.fingerprint, self.code

    @property
    def webhook(self) -> bool:
        """Whether machines sent the requests; true also where the log names none."""
        return not self.requests or any(map(is_webhook, self.requests))

    def add(self, incident: Incident) -> None:
        """Count *incident*."""
        self.count += 1
        time = when(incident)
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)
        request = request_of(incident)
        if request and (request in self.requests or len(self.requests) < _PATHS):
            self.requests[request] += 1
        else:
            self.unlisted += request is not None
        if incident.access:
            self.statuses[incident.access.status] += 1
            if len(self.databases) < _PATHS:
                self.databases.add(incident.access.db)


class IncidentGroups:
    """All groups of a log. When there are too many of a severity the rarest makes room."""

    def __init__(self) -> None:
        self._codes: OrderedDict[_Alike, str | None] = OrderedDict()
        self._groups: dict[GroupSeverity, dict[_Key, IncidentGroup]] = {
            s: {} for s in GroupSeverity
        }
        self.incidents = 0
        self.dropped = 0  # incidents of groups that made room

    def add(self, incident: Incident) -> IncidentGroup:
        """Count *incident*; return its group."""
        self.incidents += 1
        made = self._group(incident)
        known = self._groups[made.severity]
        group = known.get(made.key)
        if group is None:
            if len(known) >= _GROUPS:
                rarest = min(known.values(), key=lambda g: (g.count, g.last))
                self.dropped += known.pop(rarest.key).count
            group = known[made.key] = made
        group.add(incident)
        return group

    def __iter__(self) -> Iterator[IncidentGroup]:
        """Yield the groups: the worst first, of those the webhooks', of those the most frequent."""
        for groups in self._groups.values():
            yield from sorted(groups.values(), key=lambda g: (not g.webhook, -g.count, g.first))

    def _group(self, incident: Incident) -> IncidentGroup:
        main = cause.primary(incident)
        failure = _of_request(incident.access) if main is None else read(main.text, main.logger)
        frames = failure.frames or _frames_of_others(incident, main)
        failure = LoggedFailure(failure.kind, failure.message, frames)
        code = cause.conflict(incident, main) or self._code(incident, main, failure.fingerprint)
        return IncidentGroup(
            fingerprint=failure.fingerprint,
            code=code,
            severity=_severity(incident, main, code),
            kind=failure.kind,
            message=failure.message,
            line=failure.line,
            sample=_sample(main),
            nearest=() if code else _nearest(incident, main),
        )

    def _code(self, incident: Incident, main: LogRecord | None, fingerprint: str) -> str | None:
        """Return the diagnosis; it is looked for once for all that fail alike."""
        access = incident.access
        alike = fingerprint, access.status if access else None, request_of(incident)
        if alike not in self._codes:
            self._codes[alike] = cause.code(incident, main)
        self._codes.move_to_end(alike)
        if len(self._codes) > _KNOWN:
            self._codes.popitem(last=False)
        return self._codes[alike]


def when(incident: Incident) -> str:
    """Return the time of the incident, as its log writes it."""
    return incident.access.time if incident.access else incident.records[-1].time


def request_of(incident: Incident) -> str | None:
    """Return the request's method and path, where the log tells them."""
    if incident.access:
        return f"{incident.access.method} {steady_path(incident.access.path)}"
    named = filter(None, map(kinds.named_path, incident.records))
    path = next(named, None)
    return f"? {steady_path(path)}" if path else None


def steady_path(path: str) -> str:
    """Return the path with its ids left out; a version such as the 2 of /json/2 stays."""
    return "/".join("…" if _is_id(part) else part for part in path.split("/"))


def _is_id(part: str) -> bool:
    digits = sum(map(str.isdigit, part))
    return digits >= 3 or (digits > 1 and part.isdigit())  # noqa: PLR2004


def _of_request(access: Access | None) -> LoggedFailure:
    """Return what is known of a failure of which the server logged the request only."""
    if access is None:
        return LoggedFailure("unknown", "", ())
    if access.method == "GET":
        return LoggedFailure(f"HTTP {access.status}", "GET requests", ())
    return LoggedFailure(f"HTTP {access.status}", f"{access.method} {steady_path(access.path)}", ())


def _frames_of_others(incident: Incident, main: LogRecord | None) -> tuple[Frame, ...]:
    """Return the addon's frames from another record: a limit's dump, a traceback before."""
    for record in reversed(incident.records):
        if record is not main and (found := read(record.text, record.logger).frames):
            return found
    return ()


def _severity(incident: Incident, main: LogRecord | None, code: str | None) -> GroupSeverity:
    if code in _HARMLESS:
        return GroupSeverity.NOTE
    if code in _FATAL or (main and main.level in {"ERROR", "CRITICAL"}):
        return GroupSeverity.ERROR
    return _of_answer(incident.access, main) if incident.access else GroupSeverity.WARNING


def _of_answer(access: Access, main: LogRecord | None) -> GroupSeverity:
    """Tell how much an answer matters; one of 200 can hide that the request was refused."""
    if access.method in _SAFE_METHODS and access.status < 500:  # noqa: PLR2004
        return GroupSeverity.NOTE
    if main and kinds.role(main) is RecordRole.NOTE:
        return GroupSeverity.WARNING
    own = not is_webhook(f"{access.method} {access.path}")
    if access.status >= 400 or (main and not own and kinds.is_refusal(main)):  # noqa: PLR2004
        return GroupSeverity.ERROR
    return GroupSeverity.NOTE if own and main is None else GroupSeverity.WARNING


def _nearest(incident: Incident, main: LogRecord | None) -> tuple[str, ...]:
    """Return the codes that come into question; those of a redirect only its target would tell."""
    access = incident.access
    if access is None or 300 <= access.status < 400:  # noqa: PLR2004
        return ()
    hidden = main is not None and kinds.is_refusal(main) and is_webhook(f"POST {access.path}")
    return recognising.nearest(access) if hidden or not access.fine else ()


def _sample(main: LogRecord | None) -> str:
    if main is None:
        return ""
    text = main.text.strip()
    return text if len(text) <= _SAMPLE else f"{text[: _SAMPLE // 2]}\n…\n{text[-_SAMPLE // 2 :]}"
