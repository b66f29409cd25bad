"""What pages and the API show, from what the journal holds. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from odoorway.console.latency import counted, quantile
from odoorway.console.units import age, when
from odoorway.deliver.odoo.about import About
from odoorway.diagnose.catalog import CATALOG
from odoorway.journal.found import Flow, Problem, Took
from odoorway.journal.port import Stats
from odoorway.model.delivery import Attempt, Delivery, State
from odoorway.model.diagnosis import Diagnosis
from odoorway.model.event import Event, Flaw, Rejection
from odoorway.model.mask import Mask, shown_body
from odoorway.model.standing import Standing

LATE = 300.0  # seconds that an event may wait before a person should look
Tried = Sequence[tuple[Delivery, Sequence[Attempt]]]


def reasons(
    standings: Iterable[Standing], problems: Sequence[Problem], stats: Stats, now: float
) -> list[dict[str, str]]:
    """Return what needs a person, the worst first; nothing when all flows."""
    found = [_standing_reason(one) for one in standings if not one.delivering]
    dead = [one for one in problems if one.kind == "dead"]
    if dead:
        count = sum(one.count for one in dead)
        title = f"{count} dead letter{'s' if count > 1 else ''}"
        known = CATALOG.get(dead[0].code)
        found.append(
            {
                "level": "bad",
                "title": title,
                "detail": known.title if known else dead[0].code,
                "fix": known.fix[0] if known else "",
                "href": "/problems",
                "link": "See the problems, and replay them after the fix",
            }
        )
    breached = sum(one.count for one in problems if one.kind == "breached")
    if breached:
        found.append(
            {
                "level": "bad",
                "title": f"{breached} written, but not as expected",
                "detail": "Odoo holds another value than the handler expected.",
                "fix": "",
                "href": "/problems",
                "link": "See both figures",
            }
        )
    waits = 0.0 if stats.oldest_waiting is None else now - stats.oldest_waiting
    if waits > LATE:
        found.append(
            {
                "level": "warn",
                "title": f"The oldest event waits for {age(waits)}",
                "detail": "It should be in the destination by now.",
                "fix": "",
                "href": "/events?state=pending",
                "link": "See what waits",
            }
        )
    return sorted(found, key=lambda one: one["level"])


def _standing_reason(one: Standing) -> dict[str, str]:
    known = CATALOG.get(one.code or "")
    paused = {"level": "warn", "title": f"{one.name} is paused by hand", "detail": "", "fix": ""}
    failing = {
        "level": "bad",
        "title": f"{one.name}: {known.title if known else 'it fails as a whole'}",
        "detail": one.detail,
        "fix": known.fix[0] if known else "",
    }
    link = {"href": "/destinations", "link": "See the destination"}
    return {**(paused if one.paused else failing), **link}


def health(found: Sequence[Mapping[str, str]], stats: Stats) -> dict[str, str]:
    """Return the answer to the one question: do orders flow?"""
    if any(one["level"] == "bad" for one in found):
        return {"level": "bad", "text": "Something needs you"}
    if found:
        return {"level": "warn", "text": "Events wait"}
    if not stats.events:
        return {"level": "good", "text": "Ready: nothing has arrived yet"}
    return {"level": "good", "text": "Everything flows"}


def flow_rows(
    flows: Iterable[Flow],
    oldest: Mapping[tuple[str, str], float],
    took: Sequence[Took],
    now: float,
) -> list[dict[str, Any]]:
    """Return a row a source and destination; durations are those of *took*."""
    rows: dict[tuple[str, str], dict[State, int]] = defaultdict(dict)
    for one in flows:
        rows[one.source, one.destination][one.state] = one.count
    return [
        {
            "source": source,
            "destination": destination,
            "received": sum(count.values()),
            "waiting": count.get(State.PENDING, 0) + count.get(State.LEASED, 0),
            "delivered": count.get(State.DELIVERED, 0),
            "dead": count.get(State.DEAD, 0),
            "skipped": count.get(State.SKIPPED, 0),
            "oldest": _oldest((source, destination), oldest, now),
            "acknowledged_within": p95(took, source, ""),
            "delivered_within": p95(took, source, destination) if destination else None,
        }
        for (source, destination), count in sorted(rows.items())
    ]


def latency_rows(took: Sequence[Took]) -> list[dict[str, Any]]:
    """Return a row a stretch, source and destination, in order."""
    groups: dict[tuple[int, str, str], list[Took]] = defaultdict(list)
    for one in took:
        groups[one.minute, one.source, one.destination].append(one)
    counts = {key: counted(group) for key, group in sorted(groups.items())}
    return [
        {
            "at": minute * 60,
            "source": source,
            "destination": destination or None,
            "count": sum(bounds.values()),
            "half_within": quantile(bounds, 0.5),
            "p95_within": quantile(bounds, 0.95),
        }
        for (minute, source, destination), bounds in counts.items()
    ]


def _oldest(
    flow: tuple[str, str], oldest: Mapping[tuple[str, str], float], now: float
) -> float | None:
    """Return the seconds that the oldest of a flow waits, where it is among those known."""
    return max(0.0, now - oldest[flow]) if flow in oldest else None


def p95(took: Iterable[Took], source: str | None, destination: str | None) -> float | None:
    """Return the seconds that nineteen of twenty stayed under; None for *source* is any.

    An empty *destination* asks for the time up to the answer 202, None for that up to any.
    """
    fitting = (
        one
        for one in took
        if source in {None, one.source}
        and (one.destination == destination if destination is not None else one.destination)
    )
    return quantile(counted(fitting), 0.95)


def event_row(event: Event, deliveries: Iterable[Delivery]) -> dict[str, Any]:
    """Return an event as a row of a list."""
    return {
        "id": event.id,
        "received": when(event.received_at),
        "received_at": event.received_at,
        "source": event.source,
        "topic": event.topic,
        "about": event.ordering_key,
        "deliveries": [
            {"route": d.route, "state": d.state, "code": d.code or ""} for d in deliveries
        ],
    }


def event_view(event: Event, names: Collection[str], flaws: Iterable[Flaw] = ()) -> dict[str, Any]:
    """Return an event whole, its payload masked, with what its source declares and it lacks."""
    mask = Mask.of(names, event.body)
    return {
        "id": event.id,
        "source": event.source,
        "topic": event.topic,
        "received": when(event.received_at),
        "received_at": event.received_at,
        "about": event.ordering_key,
        "key": event.idempotency_key,
        "version": event.version,
        "conflict": event.conflict,
        "flaws": [
            {"code": one.code, "title": CATALOG[one.code].title, "detail": mask.text(one.detail)}
            for one in flaws
        ],
        "headers": [list(pair) for pair in event.headers],
        "pretty": shown_body(event.body, names),
        "raw": shown_body(event.body, names, pretty=False),
    }


def delivery_view(
    delivery: Delivery, attempts: Sequence[Attempt], odoo_url: str, mask: Mask
) -> dict[str, Any]:
    """Return a delivery with its attempts, and its diagnosis where it has one."""
    sent = next((one.commands for one in reversed(attempts) if one.commands), "")
    known = CATALOG.get(delivery.code or "")
    told = known if known and delivery.state is not State.DELIVERED else None
    return {
        "id": delivery.id,
        "route": delivery.route,
        "destination": delivery.destination,
        "state": delivery.state,
        "code": delivery.code,
        "due": when(delivery.due_at) if delivery.state is State.PENDING else "",
        "waits": delivery.state is State.BREACHED
        or (delivery.state is State.PENDING and bool(attempts)),
        "evidence": mask.text(delivery.detail) if told else "",
        "diagnosis": diagnosis_view(told) if told else None,
        "commands": mask.commands(sent),
        "attempts": [_attempt(mask.attempt(one), odoo_url) for one in attempts],
    }


def _attempt(one: Attempt, odoo_url: str) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": when(one.at),
        "outcome": one.outcome,
        "code": one.code or "",
        "detail": one.detail,
        "seconds": round(one.seconds, 2),
        "records": [
            {"model": model, "xid": xid, "id": ident, "href": _link(odoo_url, model, ident)}
            for model, xid, ident in one.records
        ],
    }


def _link(odoo_url: str, model: str, ident: int) -> str:
    if not odoo_url.startswith(("http://", "https://")):
        return ""
    return f"{odoo_url.rstrip('/')}/web#id={ident}&model={quote(model)}&view_type=form"


def diagnosis_view(known: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis."""
    return {
        "code": known.code,
        "title": known.title,
        "cause": known.cause,
        "fix": list(known.fix),
        "fixer": str(known.fixer),
        "transient": known.transient,
    }


def problem_view(one: Problem) -> dict[str, Any]:
    """Return a group of dead letters or rejections with cause and fix."""
    known = CATALOG.get(one.code)
    page = "rejections" if one.kind == "rejection" else "events"
    return {
        "kind": one.kind,
        "source": one.source,
        "destination": one.destination,
        "code": one.code,
        "count": one.count,
        "first": when(one.first),
        "last": when(one.last),
        "example": one.example,
        "hours": [{"at": when(hour * 3600.0), "count": count} for hour, count in one.hours],
        "href": f"/{page}/{one.example}",
        "title": known.title if known else one.code,
        "cause": known.cause if known else "",
        "fix": list(known.fix) if known else [],
    }


def rejection_view(one: Rejection, names: Collection[str]) -> dict[str, Any]:
    """Return a refused request with its diagnosis."""
    known = CATALOG.get(one.code)
    return {
        "id": one.id,
        "source": one.source,
        "at": when(one.at),
        "status": one.status,
        "code": one.code,
        "detail": Mask.of(names, one.body).text(one.detail),
        "headers": [list(pair) for pair in one.headers],
        "body": shown_body(one.body, names),
        "title": known.title if known else one.code,
        "cause": known.cause if known else "",
        "fix": list(known.fix) if known else [],
    }


def destination_view(  # noqa: PLR0913, PLR0917 - each is one fact about it
    one: Standing,
    waiting: int,
    pace: tuple[int, int],
    rate: tuple[float, float],
    url: str,
    about: About,
) -> dict[str, Any]:
    """Return how a destination stands; *rate* is what it took a minute, and its limit a second."""
    known = CATALOG.get(one.code or "")
    failing = one.failures > 0
    stand = "paused" if one.paused else "failing" if failing else "delivering"
    level = "warn" if one.paused else "bad" if failing else "good"
    return {
        "name": one.name,
        "url": url,
        "stand": stand,
        "level": level,
        "paused": one.paused,
        "failures": one.failures,
        "code": one.code if failing else None,
        "detail": one.detail if failing else "",
        "fix": list(known.fix) if known and failing else [],
        "waiting": waiting,
        "version": about.version,
        "user": about.user,
        "key_expires": when(about.key_expires) if about.key_expires else "",
        "batch": pace[0],
        "concurrency": pace[1],
        "delivered_a_minute": round(rate[0], 1),
        "max_rate": rate[1],
    }
