"""What a gateway elsewhere holds, by its API: the lists and the one event of `--url`."""

import json
from collections.abc import Iterator
from typing import Any

from rich.table import Table

from odoorway.cli.output import out, safe
from odoorway.cli.remote import Remote
from odoorway.diagnose.catalog import CATALOG

_PAGE = 200  # events the API gives at once, at most


def list_there(remote: Remote, limit: int, *, as_json: bool) -> None:
    """List events there, newest first."""
    rows = list(_events(remote, limit))
    if as_json:
        print(json.dumps(rows))
        return
    table = Table("event", "received", "source", "topic", "deliveries", box=None, pad_edge=False)
    for row in rows:
        states = ", ".join(safe(one["state"]) for one in row["deliveries"])
        table.add_row(*(safe(row[key]) for key in ("id", "received", "source", "topic")), states)
    out.print(table if rows else "No events yet.")


def dead_there(remote: Remote, limit: int, *, as_json: bool) -> None:
    """List dead letters there, newest first, each with its fix."""
    found = [
        {"event_id": row["id"], "received": row["received"], **one}
        for row in _events(remote, limit, state="dead")
        for one in row["deliveries"]
        if one["state"] == "dead"
    ]
    if as_json:
        print(json.dumps(found))
        return
    for one in found:
        out.print(
            f"[bold red]{safe(one['code'])}[/]  {safe(one['event_id'])}  route {safe(one['route'])}"
            f"  [dim]{safe(one['received'])}[/]"
        )
        if one["code"] in CATALOG:
            out.print(f"  [green]fix:[/] {CATALOG[one['code']].fix[0]}")
    if not found:
        out.print("[green]No dead letters.[/]")


def show_there(remote: Remote, event_id: str, *, as_json: bool) -> None:
    """Show one event there with all that became of it."""
    event = remote.get("events", event_id)
    if as_json:
        print(json.dumps(event))
        return
    out.rule(f"[bold]{safe(event['id'])}[/]", align="left", style="dim")
    out.print(
        f"{safe(event['source'])}  {safe(event['topic'])}  received {safe(event['received'])}"
    )
    out.print(f"about {safe(event['about'])}, key {safe(event['key'])}", style="dim")
    out.rule("headers", align="left", style="dim")
    for name, value in event["headers"]:
        out.print(f"[dim]{safe(name)}:[/] {safe(value)}", soft_wrap=True)
    out.rule("payload", align="left", style="dim")
    out.print(safe(event["pretty"]), soft_wrap=True)
    for delivery in reversed(event["deliveries"]):
        _show_delivery(delivery)


def _show_delivery(delivery: dict[str, Any]) -> None:
    route = safe(delivery["route"]) or "none"
    title = f"delivery {delivery['id']}, route {route}: {safe(delivery['state'])}"
    out.rule(title, align="left", style="dim")
    for one in delivery["attempts"]:
        out.print(
            f"{one['number']}. {safe(one['at'])}  {safe(one['outcome'])}  {safe(one['code'])}"
        )
        if one["detail"]:
            out.print(safe(one["detail"]), soft_wrap=True)
        for record in one["records"]:
            out.print(
                f"   wrote {safe(record['model'])} {record['id']}  [dim]{safe(record['xid'])}[/]"
            )
    known = delivery["diagnosis"]
    if known:
        out.print(f"[bold]{safe(known['title'])}.[/] {safe(known['cause'])}")
        for number, step in enumerate(known["fix"], 1):
            out.print(f"  {number}. {safe(step)}")


def _events(remote: Remote, limit: int, **narrowed: str) -> Iterator[dict[str, Any]]:
    """Yield up to *limit* events, page by page."""
    asked = {**narrowed, "limit": str(min(limit, _PAGE))}
    left = limit
    while left > 0:
        page = remote.get("events", **asked)
        yield from page["events"][:left]
        left -= len(page["events"])
        if page["next"] is None:
            return
        asked["cursor"] = str(page["next"])
