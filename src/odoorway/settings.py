"""Settings: from environment, ``.env`` and flags to one frozen value."""

import difflib
import ipaddress
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from odoorway.errors import SettingsError

PREFIX = "ODOORWAY_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseModel):
    """Every setting. ``ODOORWAY_<NAME>`` in the environment or ``.env``, ``--<name>`` as a flag."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    odoo_url: str = Field("", description="Odoo's address, like https://odoo.example.com")
    odoo_database: str = Field("", description="the database's name")
    odoo_api_key: SecretStr = Field(SecretStr(""), description="an API key of the gateway's user")
    odoo_login: str = Field("", description="that user's login; needed for Odoo 14 to 18 only")
    odoo_protocol: str = Field(
        "auto",
        pattern="^(auto|json2|jsonrpc)$",
        description="auto asks Odoo's version; json2 (19 on) or jsonrpc (14 to 19)",
    )
    odoo_timeout: float = Field(60.0, gt=0, description="seconds to wait for one answer of Odoo")
    journal: str = Field(
        "odoorway.db",
        description="the journal's file, or 'memory' for one that goes with the process",
    )
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8088, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    console_host: str = Field("127.0.0.1", description="the address of metrics and console")
    console_port: int = Field(
        8089, ge=-1, le=65535, description="its port; 0 takes a free one, -1 serves no console"
    )
    url: str = Field(
        "", description="for commands: the console of a running gateway; else the journal is asked"
    )
    token: SecretStr = Field(SecretStr(""), description="for commands with --url: an API token")
    console_login: str = Field(
        "auto",
        pattern="^(auto|always|never)$",
        description="auto wants a login as soon as console_host is not loopback",
    )
    console_proxy: str = Field(
        "",
        pattern="^$|^[A-Za-z0-9-]+@[0-9a-fA-F.:/]+$",
        description="header@network of a proxy that names the user, like X-User@10.0.0.0/8",
    )
    alerts: SecretStr = Field(
        SecretStr(""), description="where to tell when something is wrong: apprise URLs, by spaces"
    )
    alert_backlog: float = Field(
        900.0, gt=0, description="seconds an event may wait before somebody is told"
    )
    keep_days: float = Field(
        90.0, ge=0, description="days that delivered events are kept; 0 keeps them for ever"
    )
    keep_skipped_days: float = Field(
        30.0,
        ge=0,
        description="days that events are kept with which nothing was to do, or that no route"
        " wanted; 0 for ever",
    )
    keep_dead_days: float = Field(
        365.0, ge=0, description="days that events with a dead letter are kept; 0 for ever"
    )
    keep_rejected_days: float = Field(
        30.0, ge=0, description="days that refused requests are kept; 0 for ever"
    )
    keep_key_days: float = Field(
        90.0,
        ge=0,
        description="days for which an event that comes again under its platform's event id is"
        " known, whether it is still kept or not; 0 for ever",
    )
    repeat_window: float = Field(
        600.0,
        ge=0,
        description="seconds for which an equal body from a source without event ids is taken for"
        " a repeat, unless something else about the same thing came since; 0 takes none for one",
    )
    keep_size: int = Field(
        0,
        ge=0,
        description="megabytes (of 1,000,000 bytes) that the journal may hold before the oldest"
        " delivered and skipped events are removed earlier; 0 sets no limit",
    )
    masked: str = Field(
        "", description="payload fields not to show or export, like email,phone,address1"
    )
    max_body: int = Field(5 * 1024 * 1024, gt=0, description="bytes of a body, sent and unpacked")
    max_in_flight: int = Field(512, gt=0, description="requests at once; more are answered 429")
    max_buffered: int = Field(256 * 1024 * 1024, gt=0, description="bytes of all bodies at once")
    max_waiting: int = Field(5_000_000, gt=0, description="deliveries that may wait")
    read_timeout: float = Field(20.0, gt=0, description="seconds for a request's head, and body")
    grace: float = Field(25.0, gt=0, description="seconds to finish in after SIGTERM")
    batch: int = Field(400, gt=0, le=1000, description="deliveries in one batch, at most")
    max_concurrency: int = Field(
        2, gt=0, le=32, description="batches under way to a destination at once, at most"
    )
    max_rate: float = Field(
        0.0, ge=0, description="deliveries a second to a destination, at most; 0 sets no limit"
    )
    lookup_life: float = Field(
        30.0, ge=0, description="seconds for which the answer to a find() is used again"
    )
    retry_base: float = Field(10.0, gt=0, description="seconds the first retry waits at most")
    retry_cap: float = Field(21600.0, gt=0, description="seconds any retry waits at most")
    retry_attempts: int = Field(34, gt=0, description="attempts before a dead letter")
    handler_seconds: float = Field(
        10.0, gt=0, description="seconds that one run of a handler may take"
    )
    handler_memory: int = Field(
        512, gt=0, description="megabytes that a handler's process may hold beside the gateway's"
    )
    handler_processes: int = Field(
        2, gt=0, le=64, description="processes that run handlers, beside the gateway's own"
    )
    log_payloads: bool = Field(
        default=False,
        description="true writes each payload into the log too, with the masked fields hidden",
    )
    log_format: str = Field("console", pattern="^(console|json)$", description="console or json")

    @field_validator("console_proxy")
    @classmethod
    def _is_a_network(cls, text: str) -> str:
        """Refuse what is no network now, not at the first page that somebody asks for."""
        if text:
            proxy_of(text)
        return text

    @property
    def proxy(self) -> tuple[str, Network] | None:
        """The header that names the user, and the network of the proxy that may set it."""
        return proxy_of(self.console_proxy) if self.console_proxy else None

    @property
    def masked_fields(self) -> tuple[str, ...]:
        """The names of ``masked``."""
        return tuple(name.strip() for name in self.masked.split(",") if name.strip())


def proxy_of(text: str) -> tuple[str, Network]:
    """Return header and network of ``header@network``.

    Raises:
        ValueError: it is no network; when only its host bits are too many, the one meant is named.
    """
    header, _, network = text.partition("@")
    given = ipaddress.ip_interface(network)
    if given.ip != given.network.network_address:
        raise ValueError(f"{network} is one host of a network; write {header}@{given.network}")
    return header, given.network


def environment(folder: Path) -> dict[str, str]:
    """Return the process's environment over the ``.env`` of *folder*."""
    from_file = {k: v for k, v in dotenv_values(folder / ".env").items() if v is not None}
    return {**from_file, **os.environ}


def read(
    environ: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
    *,
    known: Callable[[], Collection[str]] = tuple,
) -> Settings:
    """Return the settings of *environ*, with those *flags* that are not None over them.

    *known* returns the variables of commands' own flags: no settings, and no mistakes either. It
    is asked only when there is a name that is no setting's, as to answer it takes a second.

    Raises:
        SettingsError: a name is unknown or a value is wrong; the message says which.
    """
    ours = {
        variable: variable.removeprefix(PREFIX).lower()
        for variable in environ
        if variable.startswith(PREFIX)
    }
    strange = [variable for variable, name in ours.items() if name not in Settings.model_fields]
    if strange:
        _refuse_unknown(strange, known())
    found: dict[str, Any] = {
        name: environ[variable] for variable, name in ours.items() if variable not in strange
    }
    found.update({k: v for k, v in (flags or {}).items() if v is not None})
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _refuse_unknown(strange: Collection[str], known: Collection[str]) -> None:
    names = [*known, *(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)]
    for variable in strange:
        if variable not in known:
            near = difflib.get_close_matches(variable.upper(), names, 1, cutoff=0.8)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"unknown setting {variable.upper()}{hint}")


def _explain(error: ValidationError) -> str:
    lines = []
    for one in error.errors(include_url=False, include_input=False):
        name = str(one["loc"][0])
        meaning = Settings.model_fields[name].description if name in Settings.model_fields else ""
        lines.append(
            f"{PREFIX}{name.upper()} (--{name.replace('_', '-')}): {one['msg']}; it is {meaning}"
        )
    return "\n".join(lines)
