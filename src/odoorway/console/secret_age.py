"""Since when a source has the secret that it has now."""

from collections.abc import Mapping

from odoorway.journal.accounts import Accounts, Deed, SecretMark


async def note_secrets(accounts: Accounts, marks: Mapping[str, str], now: float) -> None:
    """Write down each source whose secrets are not those of the last start.

    *marks* tell sets of secrets apart, by source, and do not reveal them.
    """
    given = [SecretMark(source, mark, now) for source, mark in marks.items()]
    for source in await accounts.mark_secrets(given):
        await accounts.note(Deed(now, "gateway", "secret", source))


async def since(accounts: Accounts) -> dict[str, float]:
    """Return when each source's secret was first seen, Unix seconds."""
    return {one.source: one.since for one in await accounts.secret_marks()}
