"""The reference pages say what the code does."""

import subprocess
import sys
from pathlib import Path

from odoorway.telemetry import Log

ROOT = Path(__file__).resolve().parents[2]


def test_every_log_event_happens() -> None:
    """A log event that nothing writes would be waited for in vain."""
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    assert [one for one in Log.__members__ if f"Log.{one}" not in source] == []


def test_every_setting_command_log_event_and_diagnosis_is_documented() -> None:
    """A page made from the code is out of date as soon as the code says something else."""
    command = [sys.executable, str(ROOT / "scripts/docs"), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
