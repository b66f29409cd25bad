"""A running Odoo on a database of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from real_odoo import cache, json2, program, template
from real_odoo.postgres import Postgres, checked
from real_odoo.system import LOOPBACK, SetupError, free_port, is_free, is_running, wait_until


@dataclass
class RealOdoo:
    """A server in a session of its own, on a clone of the template; its context ends in `drop`."""

    database: str
    port: int
    gevent_port: int
    workers: int = 0
    addons: list[str] = field(default_factory=list)
    pid: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def start(  # noqa: PLR0913 (all but the first have defaults)
        cls,
        database: str,
        *,
        workers: int = 0,
        addons: Sequence[Path] = (),
        install: Sequence[str] = (),
        port: int | None = None,
        keep: bool = False,
    ) -> RealOdoo:
        """Set up what is missing, clone the template (or `keep` the database), serve, and answer.

        A server already on this database is stopped. When it does not come to answer, it is
        stopped again and `SetupError` ends with its log.
        """
        if checked(database) == template.NAME:
            raise SetupError(f"{database} is the template itself; choose another name.")
        with cache.locked():
            postgres = Postgres()
            template.ensure(postgres)
            for earlier in [found for found in cls.running() if found.database == database]:
                earlier.stop()
            if not (keep and postgres.exists(database)):
                _clone(postgres, database)
            words = [str(folder.resolve()) for folder in addons]
            server = cls(database, port or free_port(), free_port(), workers, words)
            server._launch(install)
        server._wait_or_stop()
        return server

    @classmethod
    def running(cls) -> list[RealOdoo]:
        """Every server of this cache that lives, whichever process started it."""
        files = (cache.root() / "run").glob("*/server.json")
        servers = [cls(**json.loads(file.read_text())) for file in files]
        return [server for server in servers if server.is_alive()]

    @property
    def url(self) -> str:
        """The server's base address."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return program.folder(self.database) / "odoo.log"

    @property
    def admin_key(self) -> str:
        """An API key of the administrator."""
        return template.keys()["admin"]

    @property
    def gateway_key(self) -> str:
        """An API key of the user `gateway`, who may sell and create contacts, nothing else."""
        return template.keys()["gateway"]

    def is_alive(self) -> bool:
        """Whether the server's process lives."""
        if self._process is not None:
            return self._process.poll() is None
        return is_running(self.pid, str(program.configuration(self.database)))

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until the server answers with its database; raises `SetupError` with its log."""
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self.is_alive() or time.monotonic() > deadline:
                last = self.log.read_text(errors="replace")[-3000:]
                raise SetupError(f"Odoo on {self.database} does not answer. Its log ends: {last}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Have the server stopped in good order, or killed after twenty seconds."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            wait_until(lambda: not self.is_alive(), 20)
        self.kill()

    def kill(self) -> None:
        """Have every process of the server dead at once (SIGKILL) and its port free."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        wait_until(lambda: not self.is_alive() and is_free(self.port), 10)

    def restart(self) -> None:
        """Stop, or recover from a kill: same port, same database; returns when it answers."""
        self.stop()
        with cache.locked():
            Postgres().start()
            self._launch()
        self.wait_ready()

    def drop(self) -> None:
        """Stop the server and drop its database, its files and, after the last, PostgreSQL."""
        self.stop()
        with cache.locked():
            postgres = Postgres()
            postgres.start()
            postgres.drop(self.database)
            shutil.rmtree(program.folder(self.database), ignore_errors=True)
        stop_idle_postgres()

    def json2(self, model: str, method: str, *, key: str | None = None, **body: object) -> Any:
        """Call a method through JSON-2, as the administrator unless told; raises `Json2Error`."""
        return json2.call(self.url, self.database, key or self.admin_key, f"{model}/{method}", body)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drop()

    def _launch(self, install: Sequence[str] = ()) -> None:
        program.configure(
            self.database,
            ports=(self.port, self.gevent_port),
            workers=self.workers,
            addons=[Path(folder) for folder in self.addons],
        )
        if install:
            program.install(self.database, install)
        self._process = program.spawn(self.database)
        self.pid = self._process.pid
        known = {name: value for name, value in vars(self).items() if name != "_process"}
        cache.write_private(program.folder(self.database) / "server.json", json.dumps(known))

    def _answers(self) -> bool:
        try:
            self.json2("res.users", "search_count", domain=[])
        except (OSError, json2.Json2Error):
            return False
        return True

    def _wait_or_stop(self) -> None:
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise


def stop_idle_postgres() -> None:
    """Stop PostgreSQL when no server of this cache is left."""
    with cache.locked():
        if not RealOdoo.running():
            Postgres().stop()


def _clone(postgres: Postgres, database: str) -> None:
    postgres.clone(template.NAME, database)
    shutil.rmtree(program.folder(database), ignore_errors=True)
    program.copy_filestore(template.NAME, database)
