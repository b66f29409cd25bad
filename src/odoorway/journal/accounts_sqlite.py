"""Accounts in the journal's SQLite file."""

from collections.abc import Sequence
from dataclasses import asdict

from odoorway.journal.accounts import Deed, Person, Role, SecretMark
from odoorway.journal.rows import Row
from odoorway.journal.sqlite import SqliteJournal
from odoorway.journal.statements import load

SQL = load("sqlite", "accounts")


class SqliteAccounts:
    """Implements ``Accounts`` beside a SqliteJournal, through its connections."""

    def __init__(self, journal: SqliteJournal) -> None:
        """Use the file of *journal*."""
        self._journal = journal

    async def people(self) -> Sequence[Person]:
        """See ``Accounts.people``."""
        rows: list[Row] = await self._journal.query(lambda db: db.execute(SQL["people"]).fetchall())
        return [Person(row[0], Role(row[1]), row[2], row[3], bool(row[4])) for row in rows]

    async def put(self, person: Person) -> None:
        """See ``Accounts.put``."""
        row = asdict(person)
        await self._journal.change(lambda db: db.execute(SQL["person_put"], row) and None)

    async def remove(self, name: str) -> bool:
        """See ``Accounts.remove``."""
        removed = await self._journal.change(
            lambda db: db.execute(SQL["person_remove"], {"name": name}).fetchall()
        )
        return bool(removed)

    async def note(self, deed: Deed) -> None:
        """See ``Accounts.note``."""
        row = asdict(deed)
        await self._journal.change(lambda db: db.execute(SQL["deed_add"], row) and None)

    async def deeds(self, limit: int = 100) -> Sequence[Deed]:
        """See ``Accounts.deeds``."""
        asked = {"limit": limit}
        rows: list[Row] = await self._journal.query(
            lambda db: db.execute(SQL["deeds"], asked).fetchall()
        )
        return [Deed(*row) for row in rows]

    async def mark_secrets(self, marks: Sequence[SecretMark]) -> Sequence[str]:
        """See ``Accounts.mark_secrets``."""
        rows = [asdict(one) for one in marks]
        changed: list[Row] = await self._journal.change(
            lambda db: db.executemany(SQL["secret_mark"], rows).fetchall()
        )
        return [source for (source,) in changed]

    async def secret_marks(self) -> Sequence[SecretMark]:
        """See ``Accounts.secret_marks``."""
        rows: list[Row] = await self._journal.query(
            lambda db: db.execute(SQL["secret_marks"]).fetchall()
        )
        return [SecretMark(*row) for row in rows]
