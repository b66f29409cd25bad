"""`odoorway doctor`, as a user types it."""

import json
import subprocess
import sys

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
