"""Odoo 19's JSON-2 interface, by the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Json2Error(RuntimeError):
    """Odoo refused a call: its HTTP status and its body."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}: {body}")
        self.status = status
        self.body = body


def call(url: str, database: str, key: str, path: str, body: Mapping[str, object]) -> Any:
    """POST to `/json/2/<path>` past any proxy; the decoded answer, or `Json2Error`."""
    headers = {
        "Authorization": f"bearer {key}",
        "X-Odoo-Database": database,
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(f"{url}/json/2/{path}", json.dumps(body).encode(), headers)
    try:
        with _direct.open(request, timeout=120) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise Json2Error(refusal.code, refusal.read().decode(errors="replace")) from refusal
