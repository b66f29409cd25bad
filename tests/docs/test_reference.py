"""The reference pages say what the code does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_command_log_event_and_diagnosis_is_documented() -> None:
    """A page made from the code is out of date as soon as the code says something else."""
    command = [sys.executable, ROOT / "scripts/docs", "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_named_in_a_diagnosis_exists() -> None:
    """A fix that names a setting names one that there is."""
    import re

    from odoorway.diagnose.catalog import CATALOG
    from odoorway.settings import Settings

    text = " ".join(step for d in CATALOG.values() for step in d.fix)
    named = set(re.findall(r"ODOORWAY_([A-Z_]+)", text))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}
