"""`odoorway doctor`, as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

CLI = [sys.executable, "-c", "from odoorway.cli.main import main; main()", "doctor"]


def doctor(*words: str, pasted: str = "", code: int = 0) -> str:
    done = subprocess.run(
        [*CLI, *words], input=pasted, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_explain_a_code() -> None:
    """The cause, the steps, and what differs by version; a misspelt one gets a hint."""
    said = doctor("explain", "odoo.login-required")
    assert "auth='public'" in said
    assert "Odoo 14 to 17:" in said
    assert "odoo.csrf" in doctor("explain", "odoo.crsf", code=2)


def test_explain_what_was_pasted() -> None:
    """An answer from curl -i; escape sequences in it stay harmless."""
    answer = (
        "HTTP/1.1 400 BAD REQUEST\r\nContent-Type: text/html\r\n\r\n<title>400 Bad Request</title>"
        "Session expired (invalid CSRF token)\x1b[2J"
    )
    assert "csrf=False" in doctor("explain", pasted=answer)
    told = json.loads(doctor("explain", "--json", pasted=answer))
    assert told["diagnosis"]["code"] == "odoo.csrf"
    assert "\x1b" not in doctor("explain", pasted="UserError\x1b[2J: \x1b]0;x\x07", code=1)


def test_explain_says_when_it_cannot_tell() -> None:
    """Unsure, the two nearest, and what to paste beside it."""
    said = doctor("explain", "500", code=1)
    assert "unsure" in said
    assert "log lines" in said
    told = json.loads(doctor("explain", "500", "--json", code=1))
    assert (told["sure"], len(told["nearest"])) == (False, 2)


def test_probe_shows_its_requests_and_its_findings() -> None:
    """A dry run sends nothing; nobody there is said with its cause, and exit code 4."""
    said = doctor("probe", "https://odoo.example.com/hook", "--dry-run")
    assert "PROPFIND" in said
    assert "network.refused" in doctor("probe", "http://127.0.0.1:1/hook", "-v", code=4)
    told = json.loads(doctor("probe", "http://127.0.0.1:1/hook", "--json", code=4))
    assert told["findings"][0]["code"] == "network.refused"
    doctor("probe", "odoo.example.com", code=2)
    doctor("probe", "http://x/", "--send", __file__, "--secret", "s", code=2)


def test_addons_ends_with_one_for_an_error(tmp_path: Path) -> None:
    """Text, JSON, SARIF and GitHub, and what --fix leaves."""
    (tmp_path / "__manifest__.py").write_text("{}")
    (tmp_path / "__init__.py").write_text(
        "from odoo import http\n\n\nclass A(http.Controller):\n"
        "    @http.route('a', type='http', auth='user')\n    def a(self):\n        return 'a'\n"
    )
    assert "no leading slash" in doctor("addons", str(tmp_path), code=1)
    for form in ("json", "sarif"):
        assert json.loads(doctor("addons", str(tmp_path), "--format", form, code=1))
    assert "::error" in doctor("addons", str(tmp_path), "--format", "github", code=1)
    assert "nothing found" in doctor("addons", str(tmp_path), "--fix")
