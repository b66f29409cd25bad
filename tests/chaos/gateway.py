"""``odoorway run`` in a process of its own, whose clock and lease the test sets.

Run as a program it is the command itself: only what tells the time is replaced, by the machine's
clock and an offset that is read from a file, and how long a lease lasts.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from acceptance.gateway_process import ROOT, GatewayProcess

HOOKS = Path(__file__).with_name("hooks.py")
SECRET = "a-secret-of-the-chaos"
PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Sample:
    """What a gateway's process holds."""

    pid: int
    rss: int  # bytes
    descriptors: int


class ChaosGateway(GatewayProcess):
    """``odoorway run`` on its own journal; stopped, killed and moved in time by the test."""

    def __init__(self, folder: Path, odoo: tuple[str, str, str], receiver: str, lease: float):
        super().__init__(
            folder,
            *odoo,
            odoo_timeout=2,
            handler_seconds=1,
            retry_cap=5,
            retry_attempts=14,
            lookup_life=5,
        )
        self.lease, self.kills, self._offset = lease, 0, folder / "clock-offset"
        self.env |= {
            "CHAOS_FOLDER": str(folder),
            "CHAOS_LEASE": str(lease),
            "CHAOS_OFFSET": str(self._offset),
            "CHAOS_RECEIVER": receiver,
            "CHAOS_SECRET": SECRET,
            "PYTHONPATH": str(ROOT / "tests"),
        }
        self.move(0)

    def start(self, **_: object) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chaos.gateway", "run", str(HOOKS)],
                cwd=self.folder,
                env=self.env,
                stdout=log,
                stderr=log,
            )

    def move(self, seconds: float) -> None:
        """Let its clock be off by that much from now on."""
        beside = self._offset.with_suffix(".new")
        beside.write_text(str(seconds))
        beside.rename(self._offset)

    def kill(self) -> None:
        assert self.process
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        self.process.kill()
        assert self.process.wait(20) == -signal.SIGKILL
        self.kills += 1

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        while self.state() != "T":
            assert self.process.poll() is None

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def state(self) -> str:
        assert self.process
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def sample(self) -> Sample | None:
        """Return what it holds; None while it is not there."""
        assert self.process
        proc = Path(f"/proc/{self.process.pid}")
        try:
            rss = int((proc / "statm").read_text().split()[1]) * PAGE
            return Sample(self.process.pid, rss, len(list((proc / "fd").iterdir())))
        except OSError:
            return None

    def left(self) -> list[str]:
        """Return the processes that any gateway of this run left behind."""
        ours = f"CHAOS_FOLDER={self.folder}".encode()
        found = []
        for one in Path("/proc").glob("[0-9]*"):
            try:
                if ours in (one / "environ").read_bytes().split(b"\0"):
                    found.append(f"{one.name}: {(one / 'stat').read_text()}")
            except OSError:
                continue
        return found


def _main() -> None:
    from odoorway import clock, wiring
    from odoorway.cli.main import main
    from odoorway.dispatch.dispatcher import DispatchLimits

    offset = Path(os.environ["CHAOS_OFFSET"])

    def now(_: clock.SystemClock) -> float:
        return time.time() + float(offset.read_text())

    clock.SystemClock.now = now  # type: ignore[method-assign, assignment]  # in this process only
    lease = float(os.environ["CHAOS_LEASE"])
    vars(wiring)["DispatchLimits"] = partial(DispatchLimits, lease=lease)
    main()


if __name__ == "__main__":
    _main()
