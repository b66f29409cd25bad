"""A small disk of the run's own, to be filled: a tmpfs, which root may mount."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Disk:
    """A mounted disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Take every byte that is left, also those that came free since."""
        left = os.statvfs(self.path)
        with self._filler.open("ab") as filler:
            end = filler.tell()
            try:
                if left.f_bavail:
                    os.posix_fallocate(filler.fileno(), end, left.f_bavail * left.f_frsize)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Disk | None]:
    """Mount one inside the block; None where this process may not."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "odoorway-chaos", str(path)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield Disk(path)
    finally:
        for one in path.glob("journal.db*"):  # to be looked at
            shutil.copy(one, path.parent)
        subprocess.run(["umount", "-l", str(path)], check=True)
