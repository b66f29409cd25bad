"""`odoorway doctor logs` as a user types it: the screen, JSON, exit codes."""

import gzip
import json
import os
import re
import subprocess
import sys

import pytest
from odoo_logs import RECORDED

from odoorway.cli.main import main

FAILED = RECORDED["19_http_keyerror_traceback"]
CSRF = RECORDED["19_csrf_missing_multiline_warning"]
FINE = re.sub(rb"\" 404 ", b'" 200 ', RECORDED["19_nodb_404"])


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """Run the program in a folder of its own; return its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["odoorway", "doctor", "logs", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def piped(log: bytes, *words: str, encoding: str = "utf-8") -> tuple[int, str]:
    """Run the program in a process of its own with the log on standard input."""
    program = "from odoorway.cli.main import main; main()"
    command = [sys.executable, "-c", program, "doctor", "logs", "-", *words]
    done = subprocess.run(
        command,
        input=log,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout.decode(encoding)


def test_one_screen(doctor, tmp_path):
    """The screen names what failed, where, in which request, how often, and the fix."""
    (tmp_path / "odoo.log").write_bytes(FAILED + CSRF + CSRF)
    code, shown, _ = doctor("odoo.log")
    assert code == 1
    assert "3 failed, in 2 ways  2026-11-23 22:31:40 to 2026-11-23 22:29:50" in shown
    assert "2× No CSRF validation token" in shown
    assert "POST /probe/http/csrf → 400" in shown
    assert "fix: Set csrf=False in the route" in shown
    assert "KeyError: 'order_id'" in shown
    assert "/opt/odoo/addons/hook_probe/controllers.py:58 in provoke" in shown
    assert "    return payload['order_id']" in shown
    assert "The route takes a POST" not in shown
    assert "The route takes a POST" in doctor("odoo.log", "--verbose")[1]


def test_the_worst_in_full_and_the_rest_in_brief(doctor, tmp_path):
    """A log with many kinds of failures still fits a screen; --limit 0 shows all in full."""
    (tmp_path / "odoo.log").write_bytes(b"".join(RECORDED.values()))
    _, shown, _ = doctor("odoo.log")
    assert len(shown.splitlines()) < 75
    assert "also failed" in shown
    assert "for your information" in shown
    _, everything, _ = doctor("odoo.log", "--limit", "0")
    assert "also failed" not in everything
    assert "Remove readonly=True from the route." in everything


def test_a_log_in_which_nothing_failed(doctor, tmp_path):
    (tmp_path / "odoo.log").write_bytes(FINE)
    code, shown, _ = doctor("odoo.log")
    assert (code, shown.startswith("nothing failed")) == (0, True)


def test_json():
    """A program gets each group with its line, its diagnosis with cause and fix, and the times."""
    code, shown = piped(CSRF + FAILED, "--json")
    report = json.loads(shown)
    assert (code, report["incidents"], report["problems"]) == (1, 2, [])
    csrf, failed = report["groups"]
    assert csrf["diagnosis"]["code"] == "odoo.csrf"
    assert csrf["diagnosis"]["fix"]
    assert csrf["requests"] == {"POST /probe/http/csrf": 1}
    assert failed["line"]["line"] == 58
    assert failed["line"]["code"] == "return payload['order_id']"
    assert failed["statuses"] == {"500": 1}
    assert failed["sample"].startswith("Exception during request handling.")
    assert (report["first"], report["last"]) == (csrf["first"][:-3] + "637", failed["last"])


def test_rotated_files_tell_one_story(doctor, tmp_path):
    """A request whose traceback ended the old file and whose end begins the new one is tied."""
    traceback, _, access = FAILED.strip().rpartition(b"\n")
    (tmp_path / "odoo.log.1.gz").write_bytes(gzip.compress(traceback))
    (tmp_path / "odoo.log").write_bytes(access)
    _, shown, _ = doctor("odoo.log", "--rotated", "--json")
    (group,) = json.loads(shown)["groups"]
    assert (group["kind"], group["statuses"]) == ("KeyError", {"500": 1})


def test_a_damaged_file_is_told_and_the_rest_read(doctor, tmp_path):
    (tmp_path / "odoo.log.1.gz").write_bytes(gzip.compress(FAILED * 99)[:-20])
    (tmp_path / "odoo.log").write_bytes(CSRF)
    code, shown, _ = doctor("odoo.log.1.gz", "odoo.log")
    assert code == 1
    assert "not read: odoo.log.1.gz: the rest is damaged" in shown
    assert "No CSRF validation token" in shown


def test_a_pipe_that_is_followed():
    """Each failure is told as it comes, the first of its sort in full."""
    _, shown = piped(FAILED + FAILED, "--follow", "--json")
    first, second = map(json.loads, shown.splitlines())
    assert first["group"]["line"]["line"] == 58
    assert (second["count"], second["status"], "group" in second) == (2, 500, False)
    _, shown = piped(FAILED + FAILED, "--follow")
    assert shown.count("return payload['order_id']") == 1
    assert "POST /probe/http/raise/sudo_key 500  2×" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope.log"], "nope.log: No such file or directory"),
        (["readme.txt"], "no line of this is of Odoo's log"),
        (["odoo.log.zst"], "packed by zstd"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_exit_code_4(doctor, tmp_path, words, said):
    """A file that is missing or no log is told in one line, never as a traceback."""
    (tmp_path / "readme.txt").write_text("hello\nworld\n")
    (tmp_path / "odoo.log.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(50))
    code, _, error = doctor(*words)
    assert code == 4
    assert said in error
    assert len(error.splitlines()) == 1


def test_a_terminal_that_knows_ascii_only():
    """A letter that the terminal lacks is written as its number, and ends nothing."""
    code, shown = piped(FAILED.replace(b"'order_id'\n", "'注文'\n".encode()), encoding="ascii")
    assert code == 1
    assert r"\u6ce8\u6587" in shown
