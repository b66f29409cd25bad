"""What `odoorway check` asks Odoo: is it there, and would it take what the handlers write?"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from odoorway.cli.checking_needs import Finding, Need, Needs
from odoorway.clock import SystemClock
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused
from odoorway.deliver.odoo.schema import ATTRIBUTES, Fields, problems, required
from odoorway.deliver.odoo.transport import Caller
from odoorway.errors import SettingsError

_SOON = 14 * 86400  # seconds before a key's end from which it is worth a warning


async def ask_odoo(label: str, connect: Callable[[], Caller], needs: Needs) -> list[Finding]:
    """Return what the Odoo called *label* says to the settings and to what the handlers need."""
    try:
        client = connect()
    except SettingsError as error:
        return [Finding("fail", str(error))]
    try:
        odoo = Odoo(client, SystemClock())
        me = await _ask(odoo, "res.users", "context_get")
        if isinstance(me, Finding):
            return [me]
        found = [Finding("ok", label), await _key(odoo)]
        admin = await _ask(odoo, "ir.model.access", "has_access", operation="write") is True
        if admin:
            found.append(_ADMINISTRATOR)
        for model, need in sorted(needs.models.items()):
            found += [one async for one in _model(odoo, model, need, admin=admin)]
        return found
    finally:
        await client.close()


_ADMINISTRATOR = Finding(
    "warn",
    "the API key belongs to an administrator: whoever finds it may do everything in Odoo."
    " Make a user of the gateway's own, with the groups named below",
)


async def _ask(odoo: Odoo, model: str, method: str, **body: Any) -> Any:
    """Return the answer, or the Finding that it is."""
    try:
        return await odoo.ask(model, method, **body)
    except Refused as refused:
        verdict = refused.verdict
        return Finding("fail", f"{model}.{method}: {verdict.detail}", verdict.code)


async def _key(odoo: Odoo) -> Finding:
    """Tell when the newest key of this user ends; which of them is in use, Odoo does not say."""
    rows = await _ask(
        odoo, "res.users.apikeys", "search_read", domain=[], fields=["expiration_date"]
    )
    if not isinstance(rows, list) or not rows:
        return Finding("warn", "when the API key expires is unknown: its user may not read that")
    ends = [row["expiration_date"] for row in rows if row["expiration_date"]]
    if not ends:
        return Finding("ok", "the API key is valid and has no expiry")
    left = _seconds_left(min(ends))
    text = f"the API key is valid; of this user's keys one expires on {min(ends)[:10]}"
    return Finding("warn" if left < _SOON else "ok", text, "odoo.bad-key" if left < _SOON else None)


def _seconds_left(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - time.time()


async def _model(odoo: Odoo, model: str, need: Need, *, admin: bool) -> AsyncIterator[Finding]:
    fields = await _ask(odoo, model, "fields_get", attributes=list(ATTRIBUTES))
    if isinstance(fields, Finding):
        yield fields
        return
    operations = ("create", "write") if need.written else ("read",)
    for operation in operations:
        if await _ask(odoo, model, "has_access", operation=operation) is not True:
            text = f"this user may not {operation} {model}"
            yield Finding("fail", text, "odoo.access-denied")
            return
    defaults = await _ask(odoo, model, "default_get", fields=required(fields))
    found = set(_problems(need, fields, defaults if isinstance(defaults, dict) else {}))
    for one in sorted(found, key=lambda one: one.what):
        yield one
    if not any(one.level == "fail" for one in found):
        done = "may be written" if need.written else "may be read"
        groups = await _groups(odoo, model, operations) if admin else ""
        yield Finding("ok", f"{model} {done}; its {len(_names(need))} fields fit{groups}")


def _problems(need: Need, fields: Fields, defaults: dict[str, Any]) -> Iterator[Finding]:
    for name, where in need.searched.items():
        if name not in fields and name != "id":
            text = f"{need.model} has no field {name!r}"
            yield Finding("fail", text, "odoo.unknown-field", where)
    for one, where in need.written:
        for told in problems(one, fields, defaults):
            yield Finding(told.level, told.text, told.code, where)


def _names(need: Need) -> set[str]:
    return {*need.searched, *(name for one, _ in need.written for name in one.values)}


async def _groups(odoo: Odoo, model: str, operations: tuple[str, ...]) -> str:
    """Return which groups are enough for *model*, as only an administrator may ask."""
    domain = [["model_id.model", "=", model], *([f"perm_{one}", "=", True] for one in operations)]
    rows = await _ask(odoo, "ir.model.access", "search_read", domain=domain, fields=["group_id"])
    if not isinstance(rows, list):
        return ""
    names = {row["group_id"][1] for row in rows if row["group_id"]}
    return f"; any of these groups is enough: {', '.join(sorted(names))}" if names else ""
