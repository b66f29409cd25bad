"""The template database: Odoo with its modules, users and products, cloned for every server."""

from __future__ import annotations

import json
import time
from pathlib import Path

from real_odoo import cache, fetch, identities, program
from real_odoo.postgres import Postgres
from real_odoo.system import SetupError, free_port, say

NAME = "odoo19_template"
MODULES = "base_automation,sale_management,sale_stock,crm,stock,account,rpc,api_doc"
_REFRESH_SECONDS = (identities.DAYS - 14) * 86400


def ensure(postgres: Postgres) -> None:
    """Have everything ready to clone: source, environment, running PostgreSQL, template, keys."""
    with cache.locked():
        fetch.ensure()
        postgres.start()
        if not is_ready(postgres):
            _create(postgres)
        elif time.time() - _keys_file().stat().st_mtime > _REFRESH_SECONDS:
            _configure()
            _create_identities()


def is_ready(postgres: Postgres) -> bool:
    """Whether the template was completed, in this very PostgreSQL cluster, by this recipe."""
    return _keys_file().exists() and cache.is_stamped(program.folder(NAME), _mark(postgres))


def keys() -> dict[str, str]:
    """The API keys of `admin` and `gateway`, valid in every clone."""
    found: dict[str, str] = json.loads(_keys_file().read_text())
    return found


def _create(postgres: Postgres) -> None:
    postgres.drop(NAME)
    cache.remove(program.folder(NAME))
    _configure()
    say("initialising the template database (about a minute)")
    program.once(NAME, "-i", MODULES, "--without-demo=all", "--stop-after-init", "--no-http")
    _create_identities()
    (program.folder(NAME) / ".complete").write_text(_mark(postgres))


def _configure() -> None:
    program.configure(NAME, ports=(free_port(), free_port()))


def _create_identities() -> None:
    say("creating users, keys and products")
    out = program.folder(NAME) / "keys.json"
    cache.write_private(out, "")
    script = f"import runpy; runpy.run_path({identities.__file__!r})['main'](env, {str(out)!r})\n"
    said = program.once(NAME, "--no-http", subcommand="shell", stdin=script)
    if not out.read_text():
        raise SetupError(f"Odoo's shell made no keys: {said[-2000:]}")
    out.replace(_keys_file())


def _keys_file() -> Path:
    return cache.root() / "keys.json"


def _mark(postgres: Postgres) -> str:
    return cache.fingerprint(MODULES, Path(identities.__file__), postgres.identity())
