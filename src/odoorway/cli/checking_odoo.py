"""What `odoorway check` and `schema pull` ask Odoo."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from odoorway.cli.checking_needs import CheckResult
from odoorway.cli.schema_file import OPERATIONS, Model, Right, Schema
from odoorway.clock import SystemClock
from odoorway.deliver.odoo.anyversion import server_version
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused
from odoorway.deliver.odoo.schema import ATTRIBUTES, required
from odoorway.deliver.odoo.transport import Caller

_SOON = 14 * 86400  # seconds before a key's end from which it is worth a warning


async def ask_odoo(
    connect: Callable[[], Caller], models: Iterable[str]
) -> tuple[list[CheckResult], Schema | None]:
    """Return what is wrong with the key, and what that Odoo has of *models*.

    Raises:
        SettingsError: its address, database, key or login is missing.
    """
    client = connect()
    try:
        odoo = Odoo(client, SystemClock())
        me = await _ask(odoo, "res.users", "context_get")
        if isinstance(me, CheckResult):
            return [me], None
        found = [await _key(odoo)]
        admin = await _ask(odoo, "ir.model.access", "has_access", operation="write") is True
        asked = {name: await _model(odoo, name, admin=admin) for name in sorted(models)}
        return found, Schema(await server_version(client.http), admin, asked)
    finally:
        await client.close()


async def _ask(odoo: Odoo, model: str, method: str, **body: Any) -> Any:
    """Return the answer, or the result of the check that it is."""
    try:
        return await odoo.ask(model, method, **body)
    except Refused as refused:
        verdict = refused.verdict
        return CheckResult("fail", f"{model}.{method}: {verdict.detail}", verdict.code)


async def _key(odoo: Odoo) -> CheckResult:
    """Tell when the newest key of this user ends; which of them is in use, Odoo does not say."""
    rows = await _ask(
        odoo, "res.users.apikeys", "search_read", domain=[], fields=["expiration_date"]
    )
    if not isinstance(rows, list) or not rows:
        return CheckResult(
            "warn", "when the API key expires is unknown: its user may not read that"
        )
    ends = [row["expiration_date"] for row in rows if row["expiration_date"]]
    if not ends:
        return CheckResult("ok", "the API key is valid and has no expiry")
    left = _seconds_left(min(ends))
    text = f"the API key is valid; of this user's keys one expires on {min(ends)[:10]}"
    return CheckResult(
        "warn" if left < _SOON else "ok", text, "odoo.bad-key" if left < _SOON else None
    )


def _seconds_left(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - time.time()


async def _model(odoo: Odoo, model: str, *, admin: bool) -> Model:
    fields = await _ask(odoo, model, "fields_get", attributes=list(ATTRIBUTES))
    if isinstance(fields, CheckResult):
        return Model(refused=(fields.what, fields.code or "odoo.unexpected-answer"))
    may = [
        one for one in OPERATIONS if await _ask(odoo, model, "has_access", operation=one) is True
    ]
    defaults = await _ask(odoo, model, "default_get", fields=required(fields))
    return Model(
        fields=fields,
        defaults=tuple(defaults) if isinstance(defaults, dict) else (),
        may=tuple(may),
        rights=tuple(await _rights(odoo, model)) if admin else (),
    )


async def _rights(odoo: Odoo, model: str) -> list[Right]:
    """Return which groups may do what, as only an administrator may ask."""
    flags = {f"perm_{one}": one for one in OPERATIONS}
    rows = await _ask(
        odoo,
        "ir.model.access",
        "search_read",
        domain=[["model_id.model", "=", model]],
        fields=["group_id", *flags],
    )
    return [
        Right(row["group_id"][1] if row["group_id"] else None, _allowed(row, flags))
        for row in (rows if isinstance(rows, list) else ())
    ]


def _allowed(row: dict[str, Any], flags: dict[str, str]) -> tuple[str, ...]:
    return tuple(one for flag, one in flags.items() if row[flag])
