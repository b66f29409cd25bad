"""What looks alike: two causes that the evidence at hand does not tell apart. Pure."""

import re
from collections.abc import Callable
from typing import NamedTuple

from odoorway.diagnose.evidence import Evidence

_WRITTEN_OR_DELETED = re.compile(r"(?:insert or update|update or delete) on table|Traceback \(most")
_WEBSITE = "data-website-id"


class Doubt(NamedTuple):
    """A diagnosis, another that would look the same, and when it would."""

    code: str
    other: str
    looks_alike: Callable[[Evidence], bool]


def other_than(code: str, evidence: Evidence) -> str | None:
    """Return the other diagnosis that *evidence* would show just so, or None."""
    return next((d.other for d in _DOUBTS if d.code == code and d.looks_alike(evidence)), None)


def _is_page(evidence: Evidence) -> bool:
    """Tell whether the module website drew the error, whoever raised it."""
    return _WEBSITE in evidence.body


def _is_page_alone(evidence: Evidence) -> bool:
    return _is_page(evidence) and not evidence.log


def _has_no_words(evidence: Evidence) -> bool:
    return "base_automation" not in evidence.log


def _may_delete(evidence: Evidence) -> bool:
    """Tell whether nothing says if a record was written or deleted: Odoo words both alike."""
    told = f"{evidence.body}\n{evidence.log}"
    return not (evidence.path.startswith("/json/2/") or _WRITTEN_OR_DELETED.search(told))


def _may_lack_envelope(evidence: Evidence) -> bool:
    return "jsonrpc" in evidence.body and not evidence.request_body


_DOUBTS = (
    Doubt("odoo.route-not-found", "odoo.refused-by-controller", _is_page),
    Doubt("odoo.automation-failed", "odoo.automation-getter-failed", _has_no_words),
    Doubt("odoo.wrong-reference", "odoo.delete-restricted", _may_delete),
    Doubt("odoo.argument-missing", "odoo.envelope-missing", _may_lack_envelope),
    Doubt("odoo.validation", "odoo.not-unique", _is_page_alone),
)
