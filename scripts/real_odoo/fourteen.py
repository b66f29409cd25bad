"""A real Odoo 14, for what the versions before 19 answer: one server, on a clone of a template."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from real_odoo import cache, fetch, identities14
from real_odoo.postgres import ROLE, Postgres
from real_odoo.server import stop_idle_postgres
from real_odoo.system import LOOPBACK, SetupError, environment, free_port, run, say

PACKAGES, SUITE = ("odoo-14", "libjs-jquery"), "bullseye"  # the error page needs jquery
REQUIREMENTS = cache.PACKAGE / "requirements14.txt"
TEMPLATE = "odoo14_template"
MODULES = "sale_management,sale_stock,crm"
LOGIN = "gateway"
PYTHON = "3.9"


@dataclass(frozen=True)
class Odoo14:
    """A server that answers."""

    url: str
    database: str
    gateway_key: str
    login: str = LOGIN


def unavailable() -> str | None:
    """Why a real Odoo 14 cannot be had here, in one line; None when it can. Downloads nothing."""
    if not _venv_ready() and not _python():
        return f"Odoo 14's packages are pinned for Python {PYTHON}, and none is here."
    return None if _source_ready() else fetch.debian_problem()


@contextmanager
def serving(database: str) -> Iterator[Odoo14]:
    """Serve a fresh clone of the template inside the block; raises `SetupError`."""
    with cache.locked():
        postgres = Postgres()
        postgres.start()
        _ensure(postgres)
        postgres.clone(TEMPLATE, database)
    port = free_port()
    config = _configure(database, port)
    _copy_filestore(database)
    log = config.with_name("odoo.log").open("ab")
    process = subprocess.Popen(
        _command("-c", config), env=environment(PYTHONPATH=str(_packages())), cwd=config.parent,
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        url = f"http://{LOOPBACK}:{port}"
        _wait(url, process, config.with_name("odoo.log"))
        yield Odoo14(url, database, _key_file().read_text())
    finally:
        _end(process)
        log.close()
        with cache.locked():
            Postgres().drop(database)
            shutil.rmtree(config.parent, ignore_errors=True)
        stop_idle_postgres()


def _copy_filestore(database: str) -> None:
    store = _root() / "run" / TEMPLATE / "data/filestore" / TEMPLATE
    target = _root() / "run" / database / "data/filestore" / database
    shutil.copytree(store, target, dirs_exist_ok=True)


def _ensure(postgres: Postgres) -> None:
    """Have source, environment and template complete."""
    problem = unavailable()
    if problem:
        raise SetupError(problem)
    if not _venv_ready():
        say("installing Odoo 14's Python packages from PyPI")
        fetch.build_venv(_root() / "venv", str(_python()), REQUIREMENTS, _venv_mark())
    if not _source_ready():
        _unpack()
    if not cache.is_stamped(_key_file().parent, _template_mark(postgres)):
        _create_template(postgres)


def _unpack() -> None:
    work, downloads = cache.empty_work(_root() / "source"), cache.empty_work(_root() / "apt")
    for archive in fetch.download(downloads, SUITE, PACKAGES):
        run(["dpkg", "-x", archive, work])
    cache.publish(work, _root() / "source", cache.fingerprint(*PACKAGES))
    shutil.rmtree(downloads)


def _create_template(postgres: Postgres) -> None:
    say("initialising the template database of Odoo 14 (about a minute)")
    postgres.drop(TEMPLATE)
    cache.remove(_key_file().parent)
    config = _configure(TEMPLATE, free_port())
    words: list[str | Path] = [
        "-c",
        config,
        "-i",
        MODULES,
        "--without-demo=all",
        "--stop-after-init",
        "--no-http",
    ]
    _run(config.parent, *words)
    script = (
        f"import runpy; runpy.run_path({identities14.__file__!r})['main'](env, {LOGIN!r},"
        f" {str(_key_file())!r})\n"
    )
    cache.write_private(_key_file(), "")
    said = _run(config.parent, "shell", "-c", config, "--no-http", stdin=script)
    if not _key_file().read_text():
        _key_file().unlink()
        raise SetupError(f"Odoo 14's shell made no key: {said[-2000:]}")
    (_key_file().parent / ".complete").write_text(_template_mark(postgres))


def _run(folder: Path, *words: str | Path, stdin: str = "") -> str:
    variables = environment(PYTHONPATH=str(_packages()))
    return run(_command(*words), env=variables, cwd=folder, stdin=stdin)


def _command(*words: str | Path) -> list[str | Path]:
    return [_root() / "venv/bin/python", _root() / "source/usr/bin/odoo", *words]


def _configure(database: str, port: int) -> Path:
    """Write the configuration of *database*, private to its owner; return its path."""
    folder = _root() / "run" / database
    (folder / "data").mkdir(parents=True, exist_ok=True)
    postgres = Postgres()
    settings = {
        "addons_path": _packages() / "odoo" / "addons",
        "data_dir": folder / "data",
        "db_host": LOOPBACK,
        "db_port": postgres.port,
        "db_user": ROLE,
        "db_password": postgres.password,
        "db_name": database,
        "list_db": False,
        "http_interface": LOOPBACK,
        "http_port": port,
        "max_cron_threads": 0,
        "limit_time_real": 3600,
    }
    text = "".join(f"{name} = {value}\n" for name, value in settings.items())
    cache.write_private(folder / "odoo.conf", "[options]\n" + text)
    return folder / "odoo.conf"


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/web/webclient/locale/en_US", timeout=10)
            return
        time.sleep(0.1)
    raise SetupError(f"Odoo 14 does not answer. Its log ends: {log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _root() -> Path:
    return cache.root() / "fourteen"


def _packages() -> Path:
    return _root() / "source/usr/lib/python3/dist-packages"


def _key_file() -> Path:
    return _root() / "run" / TEMPLATE / "key"


def _template_mark(postgres: Postgres) -> str:
    return cache.fingerprint(MODULES, Path(identities14.__file__), postgres.identity())


def _source_ready() -> bool:
    return cache.is_stamped(_root() / "source", cache.fingerprint(*PACKAGES))


def _venv_ready() -> bool:
    return cache.is_stamped(_root() / "venv", _venv_mark())


def _venv_mark() -> str:
    return cache.fingerprint(REQUIREMENTS)


def _python() -> Path | None:
    """Return an interpreter that Odoo 14 runs on; a shim of pyenv may stand there and not run."""
    pyenv = sorted((Path.home() / ".pyenv/versions").glob(f"{PYTHON}.*/bin/python"))
    found = (shutil.which(f"python{PYTHON}"), *pyenv)
    return next((Path(one) for one in found if one and _runs(one)), None)


def _runs(interpreter: str | Path) -> bool:
    words = [interpreter, "-c", "import ensurepip, venv"]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0
