"""The command line of `scripts/odoo`."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from real_odoo import cache, program, template
from real_odoo.fetch import unavailable
from real_odoo.postgres import Postgres
from real_odoo.server import RealOdoo, stop_idle_postgres
from real_odoo.system import SetupError, say

UNAVAILABLE = 3
INTERRUPTED = 130
_PREFIX = "ODOORWAY_ODOO"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 3 that a real Odoo cannot be had here, 1 another failure."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SetupError as problem:
        print(f"odoo: {problem}", file=sys.stderr)
        if unavailable():
            return UNAVAILABLE
        stop_idle_postgres()
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/odoo",
        description="A real Odoo 19 with its own PostgreSQL, for tests and benchmarks.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "check", _check, "say whether a real Odoo can be had here (exit 3: no)")
    _add(commands, "setup", _setup, "fetch and initialise everything start needs")
    _add(commands, "status", _status, "show what is ready and what runs")
    start = _add(commands, "start", _start, "serve a fresh clone of the template in the background")
    start.add_argument("--db", default="odoorway", metavar="NAME", help="database (odoorway)")
    start.add_argument("--keep-db", action="store_true", help="keep the database if it exists")
    start.add_argument("--port", type=int, metavar="N", help="HTTP port (default: a free one)")
    start.add_argument("--workers", type=int, default=0, metavar="N", help="processes (0: threads)")
    start.add_argument("--addons", type=Path, action="extend", nargs="+", default=[], metavar="DIR")
    start.add_argument("--install", default="", metavar="MODULE,...", help="modules to install")
    start.add_argument("--foreground", action="store_true", help="stay; an interrupt stops it")
    start.add_argument("--json", action="store_true", help="print JSON")
    stop = _add(commands, "stop", _stop, "stop a server and keep its database")
    which = stop.add_mutually_exclusive_group()
    which.add_argument("--db", default="odoorway", metavar="NAME", help="database (odoorway)")
    which.add_argument("--all", action="store_true", help="stop every server and PostgreSQL")
    shell = _add(commands, "shell", _shell, "open Odoo's Python shell on a database")
    shell.add_argument("--db", default="odoorway", metavar="NAME", help="database (odoorway)")
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(command=run)
    return parser


def _check(_: argparse.Namespace) -> int:
    problem = unavailable()
    print(problem or "a real Odoo 19 can be had here.")
    return UNAVAILABLE if problem else 0


def _setup(_: argparse.Namespace) -> int:
    template.ensure(Postgres())
    stop_idle_postgres()
    say(f"ready in {cache.root()}")
    return 0


def _start(options: argparse.Namespace) -> int:
    if options.foreground:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = RealOdoo.start(
        options.db,
        workers=options.workers,
        addons=options.addons,
        install=[name for name in options.install.split(",") if name],
        port=options.port,
        keep=options.keep_db,
    )
    say(f"Odoo answers on {server.url}")
    print(_as_json(server) if options.json else _as_lines(server), flush=True)
    return _stay(server) if options.foreground else 0


def _stay(server: RealOdoo) -> int:
    """Wait until the server is gone or this program is interrupted, which stops the server."""
    try:
        while server.is_alive():
            time.sleep(0.5)
        return 1
    finally:
        server.stop()
        stop_idle_postgres()


def _as_lines(server: RealOdoo) -> str:
    values = {"URL": server.url, "DATABASE": server.database, "API_KEY": server.gateway_key}
    return "\n".join(f"{_PREFIX}_{name}={value}" for name, value in values.items())


def _as_json(server: RealOdoo) -> str:
    names = ("url", "database", "admin_key", "gateway_key", "port", "pid", "workers")
    found = {name: getattr(server, name) for name in names}
    return json.dumps(found | {"log": str(server.log), "dsn": Postgres().dsn(server.database)})


def _stop(options: argparse.Namespace) -> int:
    servers = [s for s in RealOdoo.running() if options.all or s.database == options.db]
    for server in servers:
        server.stop()
        print(f"stopped {server.database}")
    if not servers:
        print("nothing to stop")
    stop_idle_postgres()
    return 0


def _shell(options: argparse.Namespace) -> int:
    Postgres().start()
    if not Postgres().exists(options.db):
        raise SetupError(f"there is no database {options.db}: begin with scripts/odoo start.")
    words = [*program.command(options.db, "shell"), "--no-http", f"--db_port={Postgres().port}"]
    try:
        return subprocess.run(words, env=program.variables(), check=False).returncode
    finally:
        stop_idle_postgres()


def _status(_: argparse.Namespace) -> int:
    problem, postgres = unavailable(), Postgres()
    print(f"cache     {cache.root()}")
    print(f"can be had {'no: ' + problem if problem else 'yes'}")
    print(f"template  {'ready' if template.is_ready(postgres) else 'not initialised'}")
    print(f"postgres  {'port ' + str(postgres.port) if postgres.is_running() else 'stopped'}")
    for server in RealOdoo.running():
        print(f"server    {server.database} {server.url} pid {server.pid} log {server.log}")
    return 0
