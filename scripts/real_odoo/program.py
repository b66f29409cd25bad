"""Odoo's own command line on one database: its configuration file and how it is invoked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from real_odoo import cache, fetch
from real_odoo.postgres import ROLE, Postgres
from real_odoo.system import LOOPBACK, SetupError, environment, run


def folder(database: str) -> Path:
    """Where this database's configuration, log and files live."""
    return cache.root() / "run" / database


def configuration(database: str) -> Path:
    """This database's configuration file."""
    return folder(database) / "odoo.conf"


def filestore(database: str) -> Path:
    """Where Odoo keeps this database's attachments."""
    return folder(database) / "data" / "filestore" / database


def configure(
    database: str, *, ports: tuple[int, int], workers: int = 0, addons: Sequence[Path] = ()
) -> None:
    """Write the configuration, private to its owner, for the PostgreSQL that runs now."""
    (folder(database) / "data").mkdir(parents=True, exist_ok=True)
    settings = _settings(database, ports, workers, addons)
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    cache.write_private(configuration(database), "[options]\n" + lines)


def _settings(
    database: str, ports: tuple[int, int], workers: int, addons: Sequence[Path]
) -> dict[str, object]:
    postgres, found = Postgres(), fetch.distribution()
    shipped = [found / "odoo" / "addons", found / "addons"]
    return {
        "addons_path": ",".join(str(path) for path in [*(p.resolve() for p in addons), *shipped]),
        "data_dir": folder(database) / "data",
        "db_host": LOOPBACK,
        "db_port": postgres.port,
        "db_user": ROLE,
        "db_password": postgres.password,
        "db_name": database,
        "list_db": False,
        "http_interface": LOOPBACK,
        "http_port": ports[0],
        "gevent_port": ports[1],
        "workers": workers,
        "max_cron_threads": 0,
        "limit_time_cpu": 3600,
        "limit_time_real": 3600,
        "server_wide_modules": "base,rpc,web",
        "log_level": "info",
    }


def copy_filestore(template: str, database: str) -> None:
    """Give a cloned database its template's attachments, as links: Odoo never rewrites them."""
    source, target = filestore(template), filestore(database)
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def command(database: str, subcommand: str = "server") -> list[str | Path]:
    """The words that invoke Odoo on this database; more options may follow."""
    return [fetch.python(), fetch.program(), subcommand, "-c", configuration(database)]


def variables() -> dict[str, str]:
    """The environment Odoo runs in."""
    return environment(PYTHONPATH=str(fetch.distribution()), PYTHONDONTWRITEBYTECODE="")


def once(database: str, *options: str, subcommand: str = "server", stdin: str = "") -> str:
    """Run Odoo to its end and return its output; raises `SetupError` when it fails."""
    words = [*command(database, subcommand), *options]
    return run(words, env=variables(), cwd=folder(database), stdin=stdin)


def install(database: str, modules: Sequence[str]) -> None:
    """Install modules; raises `SetupError` for one that Odoo does not find or cannot install."""
    said = once(database, "-i", ",".join(modules), "--stop-after-init", "--no-http")
    if "invalid module names" in said:  # Odoo itself only warns
        raise SetupError(f"Odoo finds no module among its addons for one of {', '.join(modules)}.")


def spawn(database: str) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own, its output appended to the log."""
    with (folder(database) / "odoo.log").open("ab") as log:
        return subprocess.Popen(
            command(database), env=variables(), cwd=folder(database), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
