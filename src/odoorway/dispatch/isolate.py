"""Whose fault is it? A failure that stands for many is believed, or halved until it is alone. Pure.

What a destination says of a whole batch ("Odoo is down", a proxy's page, an exception) may be true
of one delivery only. The probe decides: while the destination works, the batch is taken apart
until the culprit is alone, and then the failure is that delivery's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from odoorway.deliver.port import FAILED, Verdict
from odoorway.dispatch.pace import STRAIN
from odoorway.model.delivery import Outcome

SINGLES: Final = 5  # that failed alone, before the whole destination is doubted once more
REFUSED: Final = "odoo.refused-on-the-way"

GIVEN_BACK: Final = Verdict(
    outcome=Outcome.RETRY,
    code="delivery.given-back",
    detail="its turn did not come before the batch ended",
    blame_destination=True,
)
Group = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """A batch on its way: what is still to be tried together, and what is known of each job."""

    left: tuple[Group, ...]
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)
    passed: bool = False  # something of this destination went well, now or a short while ago
    alone: int = 0  # jobs that failed alone in a row while nothing passed
    down: bool = False  # the destination as a whole is at fault

    @classmethod
    def of(cls, size: int, *, passed: bool = False) -> "Search":
        """Begin with all jobs together."""
        return cls((tuple(range(size)),) if size else (), passed=passed)

    @property
    def next(self) -> Group:
        """The jobs to try now; there are some as long as ``left`` is not empty."""
        return self.left[0]

    def after(self, verdicts: Sequence[Verdict], probed: Verdict | None) -> "Search":
        """Return the search once the next group was answered.

        *probed* is what the probe said, None where nobody was blamed. A probe that fails confirms
        the blame: it stands for all that is left too, and nothing more is tried.
        """
        group, left = self.left[0], self.left[1:]
        answered = dict(zip(group, verdicts, strict=True))
        blamed = tuple(job for job in group if answered[job].blame_destination)
        fine = {job: one for job, one in answered.items() if job not in blamed}
        passed = self.passed or any(one.outcome is Outcome.DELIVERED for one in fine.values())
        here = replace(self, left=left, verdicts={**self.verdicts, **fine}, passed=passed)
        if not blamed:
            return here
        if probed is None or probed.blame_destination:
            return _believed(here, {job: answered[job] for job in blamed}, probed)
        return _doubted(here, group, blamed, answered)

    def given_back(self) -> "Search":
        """Return the end of a search whose time ran out: what is left is due again."""
        return _believed(self, {}, GIVEN_BACK, down=False)


def _believed(
    search: Search, blamed: Mapping[int, Verdict], told: Verdict | None, *, down: bool = True
) -> Search:
    """Return the end of the search: what was told stands for all that is left."""
    told = told or next(iter(blamed.values()))
    rest = {job: told for group in search.left for job in group}
    return replace(search, left=(), verdicts={**search.verdicts, **blamed, **rest}, down=down)


def _doubted(
    search: Search, group: Group, blamed: Group, answered: Mapping[int, Verdict]
) -> Search:
    """Take the blamed jobs apart; one that was alone has failed by itself.

    Where each try may cost a time-out they are not halved: each goes by itself, next time.
    """
    if len(group) > 1 and any(answered[job].code in STRAIN for job in blamed):
        alone = {job: replace(answered[job], suspect=True) for job in blamed}
        return replace(search, verdicts={**search.verdicts, **alone})
    if len(group) > 1:
        return replace(search, left=(*_halves(blamed), *search.left))
    (job,) = group
    failures = 0 if search.passed else search.alone + 1
    if failures > SINGLES:
        return _believed(search, {job: answered[job]}, None)
    own = {job: own_fault(answered[job], passed=search.passed)}
    return replace(search, verdicts={**search.verdicts, **own}, alone=failures)


def _halves(blamed: Group) -> tuple[Group, ...]:
    middle = (len(blamed) + 1) // 2
    return tuple(half for half in (blamed[:middle], blamed[middle:]) if half)


def own_fault(verdict: Verdict, *, passed: bool) -> Verdict:
    """Return the verdict of a delivery that failed alone while the destination works.

    What time may mend is tried again and counted, a few times only when others *passed*. A page
    that is not Odoo's refuses this delivery when others pass; else it may refuse all.
    """
    detail = f"{verdict.detail}\nIt was tried alone, and the destination works.".strip()
    own = replace(verdict, blame_destination=False, detail=detail)
    if verdict.code in STRAIN:
        return replace(own, alone=passed)
    if verdict.code == "odoo.not-odoo" and passed:
        return replace(own, outcome=Outcome.DEAD, code=REFUSED)
    return own


def suspect(code: str | None, attempts: int) -> bool:
    """Tell whether a delivery with that past is tried by itself: it may take others with it."""
    return attempts > 0 and (code in STRAIN or code in {FAILED, "odoo.not-odoo"})
