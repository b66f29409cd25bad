"""Settings: where they come from, which wins, and what the errors say."""

from pathlib import Path

import pytest

from odoorway import settings
from odoorway.errors import SettingsError


def test_flags_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each layer overrides only what it names."""
    (tmp_path / ".env").write_text("ODOORWAY_PORT=1001\nODOORWAY_HOST=file\nODOORWAY_BATCH=7\n")
    monkeypatch.setenv("ODOORWAY_PORT", "1002")
    monkeypatch.setenv("ODOORWAY_HOST", "environment")
    read = settings.read(settings.environment(tmp_path), {"port": 1003, "batch": None})
    assert (read.port, read.host, read.batch) == (1003, "environment", 7)


def test_an_unknown_name_is_an_error_with_a_hint() -> None:
    """A misspelt setting must not be ignored."""
    with pytest.raises(SettingsError, match="ODOORWAY_ODO_URL; did you mean ODOORWAY_ODOO_URL"):
        settings.read({"ODOORWAY_ODO_URL": "x"})


def test_a_wrong_value_names_the_variable_and_the_flag() -> None:
    """And says what the setting is."""
    with pytest.raises(SettingsError, match=r"ODOORWAY_PORT \(--port\).*the port to listen on"):
        settings.read({"ODOORWAY_PORT": "many"})


def test_the_key_is_in_no_text() -> None:
    """Neither the value's own text nor an error about it shows a secret."""
    read = settings.read({"ODOORWAY_ODOO_API_KEY": "hush-hush"})
    assert "hush" not in repr(read)
    assert "hush" not in str(read.model_dump())
    assert read.odoo_api_key.get_secret_value() == "hush-hush"
