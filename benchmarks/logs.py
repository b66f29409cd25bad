"""How fast and in how little memory `odoorway doctor logs` reads a gigabyte of Odoo's log.

Prints its throughput as a ratio to reading the file and to one bare pass of a regular expression
that only finds where records begin; each pass runs in a process of its own, in turns.
"""

import argparse
import itertools
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from odoorway.doctor.logs.files import chunks
from odoorway.doctor.logs.reading import Reading

_MINUTE = "2026-11-23 00:00:"
_DAY = 1440  # minutes of a day
_LINES = 7000  # a minute, about a megabyte: 120 records a second
_WORKERS = [18791, 18792, 18793, 18794]
_QUIET = (
    "odoo.addons.base.models.ir_cron: Job 'Mail: queue' (3) starting",
    "odoo.addons.base.models.ir_cron: Job 'Mail: queue' (3) done in 0.021s",
    "odoo.models.unlink: User #2 deleted mail.compose.message records with IDs: [1841]",
)
_PAGES = ("/web/dataset/call_kw/sale.order/web_search_read", "/bus/im_status", "/web/image/442")
_FRAMES = "".join(
    f'  File "/usr/lib/python3/dist-packages/odoo/{name}.py", line {line}, in {function}\n'
    f"    return {function}(*args, **kwargs)\n"
    for name, line, function in (
        ("http", 2800, "__call__"),
        ("http", 2273, "_serve_db"),
        ("service/model", 184, "retrying"),
        ("http", 2328, "_serve_ir_http"),
        ("http", 2450, "dispatch"),
        ("addons/base/models/ir_http", 355, "_dispatch"),
        ("http", 788, "route_wrapper"),
    )
)
_FAILURE = (
    "odoo.http: Exception during request handling. \nTraceback (most recent call last):\n"
    + _FRAMES
    + '  File "/opt/addons/shop_{shop}/controllers/main.py", line {line}, in order\n'
    "    partner = values['customer_{shop}']\nKeyError: 'customer_{shop}'"
)
_PASSES = ("read", "regex", "doctor")


def minute(seed: int) -> bytes:
    """Return a minute of four workers' log: one request in a hundred fails with a traceback."""
    chance = random.Random(seed)
    lines = []
    for n in range(_LINES):
        head = f"{_MINUTE}{n * 60 // _LINES:02},{n % 1000:03} {chance.choice(_WORKERS)}"
        kind = chance.random()
        if kind < 0.008:
            shop = chance.randrange(40)
            failure = _FAILURE.format(shop=shop, line=shop + 20)
            lines.append(f"{head} ERROR prod {failure}")
            lines.append(_access(head, f"POST /shop_{shop}/order", 500, chance))
        elif kind < 0.2:
            lines.append(f"{head} INFO prod {chance.choice(_QUIET)} ")
        else:
            lines.append(_access(head, f"POST {chance.choice(_PAGES)}", 200, chance))
    return "\n".join(lines).encode() + b"\n"


def _access(head: str, request: str, status: int, chance: random.Random) -> str:
    took = f"{chance.randrange(40)} 0.{chance.randrange(999):03} 0.{chance.randrange(999):03}"
    return (
        f"{head} INFO prod werkzeug: 10.0.0.{chance.randrange(255)} - -"
        f' [23/Nov/2026 00:00:00] "{request} HTTP/1.0" {status} - {took}'
    )


def generate(path: Path, size: int) -> None:
    """Write *size* bytes of log, its time running on."""
    kinds = [minute(seed) for seed in range(8)]
    with path.open("wb") as file:
        for n in range(sys.maxsize):
            day, rest = divmod(n, _DAY)
            now = f"2026-11-{day + 1:02} {rest // 60:02}:{rest % 60:02}:"
            file.write(kinds[n % len(kinds)].replace(_MINUTE.encode(), now.encode()))
            if file.tell() >= size:
                return


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            yield block


def read(path: Path) -> int:
    """Only read the file."""
    return sum(map(len, _blocks(path)))


def regex(path: Path) -> int:
    """Find where each record begins, and no more."""
    first = re.compile(rb"\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ ")
    return sum(1 for block in _blocks(path) for _ in first.finditer(block))


def doctor(path: Path) -> int:
    """Do what the command does, without its screen."""
    reading = Reading()
    for _ in itertools.chain(reading.read(chunks(path, int)), reading.finish()):
        pass
    return reading.groups.incidents


def measured(name: str, path: Path) -> dict[str, float]:
    """Run one pass in a process of its own; return its seconds, its peak memory and its count."""
    command = [sys.executable, __file__, "--pass", name, str(path)]
    took: dict[str, float] = json.loads(
        subprocess.run(command, check=True, capture_output=True).stdout
    )
    return took


def run_pass(work: Callable[[Path], int], path: Path) -> None:
    """Run one pass in this process and print what it took."""
    began = time.process_time()
    found = work(path)
    took = time.process_time() - began
    status = Path("/proc/self/status").read_text()
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
    print(json.dumps({"seconds": took, "peak": peak, "found": found}))


def main() -> None:
    """Generate the log, run the passes in turns, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="megabytes of log")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--pass", dest="only", nargs=2, metavar=("NAME", "FILE"))
    options = parser.parse_args()
    if options.only:
        run_pass(globals()[options.only[0]], Path(options.only[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "odoo.log"
        generate(path, options.size * 10**6)
        report(path, options.rounds)


def report(path: Path, rounds: int) -> None:
    """Print each pass beside the plain reading."""
    runs = [{name: measured(name, path) for name in _PASSES} for _ in range(rounds)]
    size = path.stat().st_size / 1e6
    took = {name: statistics.median(run[name]["seconds"] for run in runs) for name in _PASSES}
    for name in _PASSES:
        one = runs[-1][name]
        print(
            f"{name:8} {size / took[name]:8.0f} MB/s of processor time"
            f"  {took['doctor'] / took[name]:6.2f} times as fast as doctor"
            f"  peak {one['peak']:4.0f} MiB  found {one['found']:.0f}"
        )


if __name__ == "__main__":
    main()
