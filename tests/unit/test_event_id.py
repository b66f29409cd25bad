"""Ids of events: they sort by time, and no two are the same."""

import random
import subprocess
import sys

from odoorway.model.event import new_id

FORKING = """
import os
from odoorway.model.event import new_id
new_id("evt", 0.0)
for _ in range(3):
    child = os.fork()
    if child == 0:
        os.write(1, new_id("evt", 1.0).encode() + b"\\n")
        os._exit(0)
    os.waitpid(child, 0)
os.write(1, new_id("evt", 1.0).encode() + b"\\n")
"""


def test_ids_sort_by_time() -> None:
    """Whatever the random half says."""
    ids = [new_id("evt", now) for now in (1.0, 1.5, 9.9, 1_790_000_000.0)]
    assert ids == sorted(ids)


def test_processes_that_were_forked_never_share_ids() -> None:
    """Each would otherwise go on with the numbers of the one that forked it."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )
    assert len(set(done.stdout.split())) == 4


def test_a_seed_in_hooks_repeats_no_ids() -> None:
    """Who seeds Python's generator in hooks.py would get the same ids after each start."""
    random.seed(7)
    first = new_id("evt", 1.0)
    random.seed(7)
    assert new_id("evt", 1.0) != first
