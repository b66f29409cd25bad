"""Since when a source has the secret that it has now: the audit log knows when it changed."""

from collections.abc import Mapping

from odoorway.journal.accounts import Accounts, Deed

ACTION = "secret"
_MOST = 10_000  # deeds that are looked at


async def note_secrets(accounts: Accounts, marks: Mapping[str, str], now: float) -> None:
    """Write down each source whose secrets are not those of the last start.

    *marks* tell sets of secrets apart, by source, and do not reveal them.
    """
    known = await _known(accounts)
    for source, mark in marks.items():
        if known.get(source, ("", 0.0))[0] != mark:
            await accounts.note(Deed(now, "gateway", ACTION, f"{source} {mark}"))


async def since(accounts: Accounts) -> dict[str, float]:
    """Return when each source's secret was first seen, Unix seconds."""
    return {source: at for source, (_, at) in (await _known(accounts)).items()}


async def _known(accounts: Accounts) -> dict[str, tuple[str, float]]:
    found: dict[str, tuple[str, float]] = {}
    for deed in await accounts.deeds(_MOST):
        source, _, mark = deed.detail.partition(" ")
        if deed.action == ACTION:
            found.setdefault(source, (mark, deed.at))  # the newest stands first
    return found
