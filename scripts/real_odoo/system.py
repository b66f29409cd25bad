"""Small dealings with the machine: commands, ports, processes and progress lines."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
_BEGAN = time.monotonic()
_FOREIGN = ("PYTHON", "PG", "ODOO_", "VIRTUAL_ENV")


class SetupError(RuntimeError):
    """A real Odoo could not be obtained or started; the message is meant for the reader."""


def say(message: str) -> None:
    """Print a progress line with the seconds since this program began, on standard error."""
    print(f"[{time.monotonic() - _BEGAN:6.1f} s] {message}", file=sys.stderr, flush=True)


def environment(**extra: str) -> dict[str, str]:
    """The caller's environment without what would redirect Python, PostgreSQL or Odoo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return kept | extra


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    **options: Any,
) -> str:
    """Run a command to its end and return its output; raises `SetupError` with its last words."""
    words = [str(word) for word in command]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        words, cwd=cwd, env=env or environment(), input=stdin, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise SetupError(f"{words[0]} failed ({done.returncode}): {last}")
    return done.stdout


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def is_running(pid: int, argument: str) -> bool:
    """Whether `pid` lives and was started with `argument`, so a reused pid is never mistaken."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return argument.encode() in words
    return False


def wait_until(condition: Callable[[], bool], timeout: float, pause: float = 0.05) -> bool:
    """Wait until the condition holds; False when the time ran out first."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
