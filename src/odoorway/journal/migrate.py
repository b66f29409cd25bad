"""The schema's version: numbered ``.sql`` files, each applied once, in one transaction."""

import apsw

from odoorway.errors import JournalUnavailable
from odoorway.journal.statements import folder


def latest() -> int:
    """Return the schema version that this program works with."""
    return max(_migrations())


def migrate(connection: apsw.Connection) -> None:
    """Bring the journal to this program's schema; a crash leaves it at a whole version.

    Raises:
        JournalUnavailable: the journal is newer than the program.
    """
    done = version(connection)
    if done > latest():
        raise JournalUnavailable(_newer(connection.filename, done))
    for number, script in sorted(_migrations().items()):
        if number > done:
            with connection:
                connection.execute(f"{script}\nPRAGMA user_version = {number};")


def require_current(connection: apsw.Connection) -> None:
    """Check the schema without changing it, for those who do not own the journal.

    Raises:
        JournalUnavailable: the journal is newer or older than the program.
    """
    done = version(connection)
    if done > latest():
        raise JournalUnavailable(_newer(connection.filename, done))
    if done < latest():
        raise JournalUnavailable(
            f"journal {connection.filename} has schema {done}, this program needs {latest()}:"
            " start `odoorway run` with this version once, it brings the journal up to date"
        )


def version(connection: apsw.Connection) -> int:
    """Return the journal's schema version, 0 for an empty file."""
    return int(connection.pragma("user_version"))


def _newer(name: str, done: int) -> str:
    return (
        f"journal {name} has schema {done}, this program knows {latest()} at most: a newer"
        " Odoorway wrote it; upgrade this one, or restore the backup made before the upgrade"
    )


def _migrations() -> dict[int, str]:
    return {
        int(file.name.split("_")[0]): file.read_text("utf-8")
        for file in folder("sqlite").iterdir()
        if file.name[0].isdigit()
    }
