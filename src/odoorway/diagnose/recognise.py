"""From evidence to a diagnosis, or to an honest "unsure" with the two nearest. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from odoorway.diagnose import answers, context, doubt, exceptions, logged
from odoorway.diagnose.catalog import diagnosis
from odoorway.diagnose.evidence import Evidence
from odoorway.diagnose.fault import Fault, faults
from odoorway.model.diagnosis import Diagnosis

# What an answer means that tells nothing more: the likeliest two, never a verdict.
_NEAREST = {
    0: ("odoo.empty-answer", "network.refused"),
    400: ("odoo.refused-by-controller", "odoo.body-not-json"),
    401: ("odoo.no-key", "odoo.bad-key"),
    403: ("odoo.access-denied", "odoo.auth-unknown"),
    404: ("odoo.route-not-found", "odoo.database-not-selected"),
    422: ("odoo.validation", "odoo.missing-required"),
    500: ("odoo.addon-error", "odoo.payload-key-missing"),
}
_VAGUE = {"odoo.addon-error", "odoo.validation", "odoo.refused-by-controller"}
_MOST_FAULTS = 40  # exceptions of one text that are looked at


@dataclass(frozen=True, slots=True)
class Sure:
    """One cause, and the words that show it."""

    diagnosis: Diagnosis
    shown_by: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """Not enough is known; the two that are nearest."""

    nearest: tuple[Diagnosis, Diagnosis]


@dataclass(frozen=True, slots=True)
class Fine:
    """A success, with nothing odd about it."""


Recognised = Sure | Unsure | Fine


def recognise(evidence: Evidence) -> Recognised:
    """Return the diagnosis that *evidence* shows; never raises, whatever the texts hold."""
    for code, shown in _candidates(evidence):
        if code:
            other = doubt.other_than(code, evidence)
            if other:
                return Unsure((diagnosis(code), diagnosis(other)))
            return Sure(diagnosis(code), shown)
    if answers.is_fine(evidence):
        return Fine()
    first, second = _NEAREST.get(evidence.status, _NEAREST[500])
    return Unsure((diagnosis(first), diagnosis(second)))


def _candidates(evidence: Evidence) -> Iterator[tuple[str | None, str]]:
    """Yield codes with what shows them, what decides first."""
    success = 200 <= evidence.status < 300  # noqa: PLR2004
    if success:
        yield answers.quiet_trouble(evidence), "the answer's body"
    yield logged.code_of(evidence), "the log"
    yield from _by_exception(evidence, success=success)
    yield answers.code_of(evidence), _status(evidence)
    yield (None if success else logged.last_resort(evidence)), "the log"
    if success:
        yield logged.aside(evidence), "the log"
        yield ("odoo.bad-rpc-call" if "<fault>" in evidence.body else None), "the fault"


def _by_exception(evidence: Evidence, *, success: bool) -> Iterator[tuple[str | None, str]]:
    """Yield what exceptions tell: the answer's own first, the log's where it was no success."""
    told = Evidence(body=evidence.body) if success else evidence
    found = [(exceptions.code_of(one), one) for one in _some(told)]
    known = [(context.precisely(code, one, evidence), one) for code, one in found if code]
    if known and not _is_told_by_answer(evidence):
        yield _unless_vague(answers.code_of(evidence)), _status(evidence)
        known.sort(key=lambda pair: pair[0] in _VAGUE)
    for code, one in known:
        yield code, _shown(one)


def _unless_vague(code: str | None) -> str | None:
    return None if code in _VAGUE else code


def _status(evidence: Evidence) -> str:
    return f"HTTP {evidence.status}" if evidence.status else "what the client said"


def _some(evidence: Evidence) -> list[Fault]:
    return [one for one, _ in zip(faults(evidence), range(_MOST_FAULTS), strict=False)]


def _is_told_by_answer(evidence: Evidence) -> bool:
    """Tell whether the answer itself names the exception, which nothing else can overrule."""
    return next(iter(faults(Evidence(body=evidence.body))), None) is not None


def _shown(fault: Fault) -> str:
    return f"{fault.short}: {fault.message[:200]}" if fault.short else fault.message[:200]
