"""What an Odoo tells of itself and of the gateway's user: for people, asked now and then."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from odoorway.clock import Clock
from odoorway.deliver.odoo.anyversion import server_version
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused
from odoorway.deliver.odoo.transport import Caller, TransportFailure

_GOOD_FOR = 3600.0  # seconds an answer is shown again


@dataclass(frozen=True, slots=True)
class About:
    """Version, user and the end of the user's first key to end, as far as Odoo tells."""

    version: str = ""
    user: str = ""
    key_expires: float | None = None  # Unix seconds


class Asker:
    """Asks one Odoo, at most once an hour; what it does not tell stays empty."""

    def __init__(self, connect: Callable[[], Caller], clock: Clock) -> None:
        """Ask through a client that *connect* makes."""
        self._connect, self._clock = connect, clock
        self._known, self._until = About(), 0.0

    async def about(self) -> About:
        """Return what is known; never raises."""
        now = self._clock.now()
        if now >= self._until:
            self._until = now + _GOOD_FOR
            self._known = await self._ask()
        return self._known

    async def _ask(self) -> About:
        client = self._connect()
        try:
            version = await server_version(client.http)
            odoo = Odoo(client, self._clock)
            me = await odoo.ask("res.users", "context_get")
            users = await odoo.ask("res.users", "read", ids=[me["uid"]], fields=["login"])
            return About(version, str(users[0]["login"]), await self._expiry(odoo))
        except (Refused, TransportFailure, LookupError, TypeError):
            self._until = self._clock.now() + 60.0  # it may be back soon
            return About()
        finally:
            await client.close()

    async def _expiry(self, odoo: Odoo) -> float | None:
        try:
            rows = await odoo.ask(
                "res.users.apikeys", "search_read", domain=[], fields=["expiration_date"]
            )
            ends = [str(row["expiration_date"]) for row in rows if row["expiration_date"]]
            return min(_seconds(end) for end in ends) if ends else None
        except (Refused, KeyError, TypeError, ValueError, OverflowError):
            return None


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()
