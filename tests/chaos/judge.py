"""What must hold at the end of a chaos run. Pure: each returns what does not."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from odoorway.diagnose.catalog import CATALOG

from .gateway import Sample
from .platform import Sent

RSS_SLACK = 12 << 20  # bytes
DESCRIPTOR_SLACK = 12


@dataclass(frozen=True, kw_only=True)
class Settled:
    """One delivery as the journal has it at the end."""

    ident: str  # the platform's id of its event
    event: str
    state: str
    code: str
    detail: str
    attempts: int = 0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """All that is known at the end of a run."""

    acknowledged: Mapping[str, Sent]
    deliveries: Sequence[Settled]
    records: Sequence[str]  # orders' contents as Odoo holds them
    writes: Sequence[str]  # the same, as they were written
    forwards: Sequence[tuple[str, str, int]]  # (webhook-id, key, revision), as they arrived
    samples: Sequence[Sample] = ()
    faults: Mapping[str, int] = field(default_factory=dict)  # how often each was seen to happen


def content(ref: str) -> tuple[str, int]:
    """Return key and revision of an order's content."""
    key, rev, _ = ref.split("|")
    return key, int(rev)


def everything_acknowledged_is_settled(ended: Ended) -> list[str]:
    """Each has one event with one delivery: delivered, dead by a diagnosis, skipped by a reason."""
    found: dict[str, list[Settled]] = defaultdict(list)
    for one in ended.deliveries:
        found[one.ident].append(one)
    wrong = [
        f"{ident} was answered 202 and has {len(found[ident])} deliveries"
        for ident in ended.acknowledged
        if len(found[ident]) != 1
    ]
    return wrong + [
        f"{one.ident} is {one.state} {one.code!r} {one.detail[:200]!r}"
        for one in ended.deliveries
        if not _is_settled(one)
    ]


def _is_settled(one: Settled) -> bool:
    match one.state:
        case "delivered":
            return True
        case "dead":
            return one.code in CATALOG and bool(one.detail)
        case "skipped":
            return one.code in {"handler.skipped", "event.stale"} and bool(one.detail)
    return False


def only_the_guilty_are_dead(ended: Ended) -> list[str]:
    """What kills a handler or Odoo is a dead letter, and nothing else is."""
    wrong = []
    for one in ended.deliveries:
        sent = ended.acknowledged.get(one.ident)
        if sent and one.state == "dead" and not (sent.key.startswith("99") or _flaky(sent, one)):
            wrong.append(f"{one.ident} is dead: {one.code} {one.detail[:300]}")
        if sent and one.state == "delivered" and _must_die(sent):
            wrong.append(f"{one.ident} was delivered")
    return wrong


def _flaky(sent: Sent, one: Settled) -> bool:
    return sent.topic == "orders/flaky" and one.code == "handler.died"


def _must_die(sent: Sent) -> bool:
    return sent.key.startswith("99") and "skip" not in sent.key


def once_in_effect(ended: Ended) -> list[str]:
    """Odoo holds one record an order, with the newest content that was delivered."""
    newest: dict[str, int] = {}
    for one in _delivered(ended, "shop"):
        newest[one.key] = max(one.rev, newest.get(one.key, 0))
    held: dict[str, list[int]] = defaultdict(list)
    for ref in ended.records:
        key, rev = content(ref)
        held[key].append(rev)
    return [
        f"{key}: Odoo holds revisions {held.get(key)}, the newest delivered is {newest.get(key)}"
        for key in sorted({*newest, *held})
        if held.get(key) != [newest.get(key)]
    ]


def _delivered(ended: Ended, source: str) -> Iterable[Sent]:
    for one in ended.deliveries:
        sent = ended.acknowledged.get(one.ident)
        if one.state == "delivered" and sent and sent.source == source:
            yield sent


def never_older_over_newer(ended: Ended) -> list[str]:
    """Each write of an order is at least as new as the one before."""
    last: dict[str, int] = {}
    wrong = []
    for ref in ended.writes:
        key, rev = content(ref)
        if rev < last.get(key, 0):
            wrong.append(f"{key}: {rev} was written over {last[key]}")
        last[key] = rev
    return wrong


def what_is_stale_was_overtaken(ended: Ended) -> list[str]:
    """An event is skipped as stale only where a newer one of the same thing was delivered."""
    newest: dict[str, int] = {}
    for sent in _delivered(ended, "shop"):
        newest[sent.key] = max(sent.rev, newest.get(sent.key, 0))
    stale = [ended.acknowledged[o.ident] for o in ended.deliveries if o.code == "event.stale"]
    return [
        f"{one.ident} is stale, and nothing newer was delivered"
        for one in stale
        if newest.get(one.key, 0) <= one.rev
    ]


def forwards_in_order(ended: Ended) -> list[str]:
    """Of each thing all arrive, in the order in which they were taken; repeats do not count."""
    first: dict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for ident, key, rev in ended.forwards:
        if ident not in seen:
            first[key].append(rev)
        seen.add(ident)
    wrong = [f"{key}: arrived as {revs}" for key, revs in first.items() if revs != sorted(revs)]
    missing = [s.ident for s in _delivered(ended, "plain") if s.rev not in first.get(s.key, [])]
    twice = [f"{key}: two ids for one" for key, revs in first.items() if len(set(revs)) < len(revs)]
    return [*wrong, *twice, *(f"{ident} was delivered and did not arrive" for ident in missing)]


def nothing_grows(ended: Ended) -> list[str]:
    """Memory and descriptors of one process are the same at the end as in the middle."""
    quarter = len(ended.samples) // 4
    if quarter < 5 or len({one.pid for one in ended.samples}) != 1:
        return [f"{len(ended.samples)} samples of one process are too few to tell"]
    before, after = ended.samples[:quarter], ended.samples[-quarter:]
    rss = [median(one.rss for one in part) for part in (before, after)]
    fds = [median(one.descriptors for one in part) for part in (before, after)]
    wrong = []
    if rss[1] > rss[0] * 1.05 + RSS_SLACK:
        wrong.append(f"memory grew from {rss[0] / 1e6:.1f} to {rss[1] / 1e6:.1f} MB")
    if fds[1] > fds[0] + DESCRIPTOR_SLACK:
        wrong.append(f"descriptors grew from {fds[0]} to {fds[1]}")
    return wrong


def every_fault_happened(ended: Ended, wanted: Collection[str]) -> list[str]:
    """Each kind was seen to have an effect, not only to be tried."""
    return [f"no {kind} had an effect" for kind in wanted if not ended.faults.get(kind)]


CHECKS = (
    everything_acknowledged_is_settled,
    only_the_guilty_are_dead,
    once_in_effect,
    never_older_over_newer,
    what_is_stale_was_overtaken,
    forwards_in_order,
    nothing_grows,
)


def judged(ended: Ended, wanted: Collection[str]) -> list[str]:
    """Return all that does not hold."""
    wrong = [f"{one.__name__}: {text}" for one in CHECKS for text in one(ended)]
    return wrong + every_fault_happened(ended, wanted)
