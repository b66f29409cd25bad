"""nginx from Debian's archive, started by hand on loopback for a test's time."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real_odoo import cache, fetch
from real_odoo.system import SetupError, is_free, run


def program() -> Path:
    """Return nginx's program, fetched once into the cache; raises `SetupError` where it cannot."""
    here = shutil.which("nginx")
    if here:
        return Path(here)
    folder = cache.root() / "nginx"
    found = folder / "usr/sbin/nginx"
    if not cache.is_stamped(folder, "nginx"):
        problem = fetch.debian_problem()
        if problem:
            raise SetupError(problem)
        work = cache.empty_work(folder)
        downloads = cache.empty_work(cache.root() / "apt-nginx")
        for archive in fetch.download(downloads, fetch.codename(), ["nginx"]):
            run(["dpkg", "-x", archive, work])
        cache.publish(work, folder, "nginx")
        shutil.rmtree(downloads)
    return found


@contextmanager
def serving(folder: Path, servers: str, port: int) -> Iterator[None]:
    """Serve the given `server` blocks inside the block; *port* is one of theirs."""
    conf = folder / "nginx.conf"
    temporary = "".join(
        f"{name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(
        f"daemon off; pid {folder / 'pid'}; error_log {folder / 'error.log'};\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}{servers}\n}}\n"
    )
    process = subprocess.Popen([program(), "-p", folder, "-c", conf, "-e", folder / "error.log"])
    try:
        _wait(folder, process, port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait(folder: Path, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while is_free(port):
        if process.poll() is not None or time.monotonic() > deadline:
            log = folder / "error.log"
            raise SetupError(f"nginx does not listen: {log.read_text() if log.exists() else ''}")
        time.sleep(0.05)
