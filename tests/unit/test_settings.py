"""Settings: where they come from, which wins, and what the errors say."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from odoorway import settings
from odoorway.errors import SettingsError
from odoorway.wiring import open_journal


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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("X-User@10.0.0.5/8", r"write X-User@10\.0\.0\.0/8"),
        ("X-User@10.0.0.0/40", "does not appear to be"),
        ("X-User@a:b", "does not appear to be"),
    ],
)
def test_a_proxys_network_that_is_none_is_refused_at_once(given: str, told: str) -> None:
    """Not at the first page that somebody asks for; the network that was meant is named."""
    with pytest.raises(SettingsError, match=told):
        settings.read({"ODOORWAY_CONSOLE_PROXY": given})


def test_a_proxy_is_one_address_or_a_network() -> None:
    """Of either version, with the header that it sets."""
    for given in ("X-User@10.0.0.0/8", "X-User@10.0.0.5", "X-User@fe80::/10"):
        read = settings.read({"ODOORWAY_CONSOLE_PROXY": given})
        assert read.proxy == ("X-User", ip_network(given.partition("@")[2]))
    assert settings.read({}).proxy is None


def test_the_key_is_in_no_text() -> None:
    """Neither the value's own text nor an error about it shows a secret."""
    read = settings.read({"ODOORWAY_ODOO_API_KEY": "hush-hush"})
    assert "hush" not in repr(read)
    assert "hush" not in str(read.model_dump())
    assert read.odoo_api_key.get_secret_value() == "hush-hush"


def test_every_flag_is_also_an_environment_variable() -> None:
    """Of every command: the names that are documented are those that Typer reads."""
    from typer.main import get_command

    from odoorway.cli.common import variables
    from odoorway.cli.main import app

    found = [name for name, _ in variables(get_command(app))]
    assert {"ODOORWAY_TRY_EXPLAIN", "ODOORWAY_JSON", "ODOORWAY_PORT"} <= set(found)
    assert {*found} == set(_as_typer_reads_them(get_command(app), auto_envvar_prefix="ODOORWAY"))


def _as_typer_reads_them(command: Any, parent: Any = None, **settings: Any) -> Iterator[str]:
    """Yield the variables that each command's own context leads to."""
    context = command.context_class(command, info_name=command.name, parent=parent, **settings)
    children = getattr(command, "commands", {})
    for child in children.values():
        yield from _as_typer_reads_them(child, context)
    for option in command.params if not children else ():
        if option.param_type_name == "option" and option.name != "help":
            yield option.envvar or f"{context.auto_envvar_prefix}_{option.name.upper()}"


def test_a_flag_of_a_command_is_no_unknown_setting() -> None:
    """And one that is misspelt gets its hint as a setting does."""

    def known() -> set[str]:
        return {"ODOORWAY_TRY_EXPLAIN"}

    settings.read({"ODOORWAY_TRY_EXPLAIN": "1"}, known=known)
    with pytest.raises(SettingsError, match="did you mean ODOORWAY_TRY_EXPLAIN"):
        settings.read({"ODOORWAY_TRY_EXPLANE": "1"}, known=known)


def test_the_flags_are_asked_for_only_by_a_name_that_is_no_setting() -> None:
    """To know them all takes importing every command."""

    def known() -> set[str]:
        pytest.fail("asked for the flags")

    assert settings.read({"ODOORWAY_PORT": "1", "PATH": "/bin"}, known=known).port == 1


def test_a_journal_that_is_none_is_refused_without_its_password() -> None:
    """PostgreSQL is not there yet; its address is no file's name, and its password no message."""
    given = settings.read({"ODOORWAY_JOURNAL": "postgresql://me:s3cret@db/x"})
    with pytest.raises(SettingsError, match="postgresql:// is no journal yet") as refused:
        open_journal(given, serve=True)
    assert "s3cret" not in str(refused.value)
