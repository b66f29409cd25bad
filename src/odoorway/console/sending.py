"""Alerts by mail, Slack, Teams and a hundred others, through apprise."""

import contextlib
from collections.abc import Sequence

from odoorway.errors import SettingsError


class AppriseSender:
    """Sends to every address; one that fails is reported, and does not hold back others."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Take apprise's URLs, like ``mailto://…`` or ``slack://…``.

        Raises:
            SettingsError: one of them is no address that apprise knows.
        """
        import apprise  # noqa: PLC0415 - 0.15 s and 4 MB, which who tells nobody need not pay

        self._apprise = apprise.Apprise()
        for position, url in enumerate(urls, 1):
            if not self._apprise.add(url):
                raise SettingsError(
                    f"ODOORWAY_ALERTS: address {position} is none that apprise knows;"
                    " see https://github.com/caronc/apprise/wiki"
                )

    async def send(self, title: str, text: str) -> bool:
        """See ``Sender.send``."""
        with contextlib.suppress(Exception):  # a plugin's mistake must not end the watch
            return bool(await self._apprise.async_notify(title=title, body=text))
        return False
