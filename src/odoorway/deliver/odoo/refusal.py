"""Why something is not in Odoo, raised to where it is noted."""

import reprlib
from typing import Final

from odoorway.deliver.port import Verdict, Waits
from odoorway.errors import OdoorwayError
from odoorway.model.delivery import Outcome

_SHORT: Final = reprlib.Repr()  # of what may be megabytes
_SHORT.maxstring = _SHORT.maxother = 200


class Refused(OdoorwayError):
    """It was not done; the verdict says why."""

    def __init__(self, verdict: Verdict) -> None:
        """Carry the verdict."""
        super().__init__(verdict.detail)
        self.verdict = verdict


class Unusable(Refused):
    """Odoo as a whole is down or misconfigured: there is no point in asking anything more."""


def dead(code: str, detail: str) -> Refused:
    """Return the refusal that only a person can mend."""
    return Refused(Verdict(outcome=Outcome.DEAD, code=code, detail=detail))


def later(code: str, detail: str, waits: Waits | None = None) -> Refused:
    """Return the refusal that trying again may mend, or what it *waits* for."""
    return Refused(Verdict(outcome=Outcome.RETRY, code=code, detail=detail, waits=waits))


def unexpected(model: str, method: str, result: object) -> Refused:
    """Return the refusal for a result that is not of the form this method has."""
    return later("odoo.unexpected-answer", f"{model}.{method} returned {_SHORT.repr(result)}")
