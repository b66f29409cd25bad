"""The API's own description, OpenAPI 3.1, with examples. Pure."""

from typing import Any

from odoorway import __version__
from odoorway.console import examples
from odoorway.console.jobs import RATE, RATES
from odoorway.model.delivery import State

_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_FILTERS = {
    "source": ({"type": "string"}, "shop"),
    "topic": ({"type": "string"}, "orders/create"),
    "state": ({"type": "string", "enum": [*map(str, State)]}, "dead"),
    "ordering_key": ({"type": "string"}, "order/42"),
    "external_id": ({"type": "string"}, "shop_order_42"),
    "text": ({"type": "string"}, "ada@example.com"),
    "since": ({"type": "string", "format": "date-time"}, "2026-11-24T00:00:00Z"),
    "until": ({"type": "string", "format": "date-time"}, "2026-11-25T00:00:00Z"),
    "limit": ({"type": "integer", "minimum": 1, "maximum": 200}, 50),
    "cursor": ({"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, 1000),
}
_CALLS: tuple[tuple[str, str, str, Any], ...] = (
    ("get", "/status", "Whether orders flow, and what needs a person", examples.STATUS),
    ("get", "/events", "Events, the newest first; `next` is the cursor of the next page",
     {"events": [examples.ROW], "next": 4711, "searched_to": None}),
    ("get", "/events/{id}", "One event with its deliveries and attempts", examples.WHOLE),
    ("get", "/events/{id}/dry-run", "What today's handlers would do; writes nothing",
     {"routes": [examples.PLANNED]}),
    ("post", "/events/{id}/replay", "Deliver an event again", {"deliveries": 1}),
    ("post", "/events/{id}/give-up", "Settle what waits of an event as skipped",
     {"deliveries": 1}),
    ("post", "/events/{id}/try-now", "Try what waits of an event now", {"deliveries": 1}),
    ("get", "/problems", "Dead letters and rejections by cause",
     {"problems": [examples.PROBLEM_GROUP]}),
    ("get", "/rejections/{id}", "One refused request", examples.REJECTION),
    ("get", "/sources", "Each source with its endpoint", {"sources": [examples.SOURCE]}),
    ("post", "/sources/{name}/test", "Send a source its own recorded sample, signed",
     {"topic": "orders/create", "answered": "HTTP 202"}),
    ("get", "/destinations", "How each destination stands",
     {"destinations": [examples.DESTINATION]}),
    ("post", "/destinations/{name}/pause", "Deliver nothing more to a destination",
     {"name": "odoo", "paused": True}),
    ("post", "/destinations/{name}/resume", "Let a destination go on",
     {"name": "odoo", "paused": False}),
    ("get", "/history", "What arrived and was settled, and how long that took, over time",
     {"flow": [{"at": 1795525200, "what": "received", "count": 12}],
      "latency": [examples.LATENCY]}),
    ("get", "/replays", "The bulk replays", {"replays": [examples.JOB]}),
    ("post", "/replays", "Replay all dead letters of a filter", examples.JOB),
    ("get", "/replays/{id}", "How far a bulk replay is", examples.JOB),
    ("post", "/replays/{id}/cancel", "Stop a bulk replay", examples.JOB),
    ("get", "/audit", "Who did what; administrators only", {"deeds": [examples.DEED]}),
)  # fmt: skip


def document(server: str) -> dict[str, Any]:
    """Return the description of the API as it is served at *server*."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path, summary, example in _CALLS:
        paths.setdefault(f"/api/v1{path}", {})[method] = _call(method, path, summary, example)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Odoorway",
            "version": __version__,
            "description": "The webhook gateway for Odoo: what arrived, what became of it, replay.",
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _PROBLEM},
        },
    }


_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
    },
}


def _call(method: str, path: str, summary: str, example: Any) -> dict[str, Any]:
    good = "202" if method == "post" else "200"
    schema = {"type": "object"}
    answer = {"description": summary, "content": _content("application/json", schema, example)}
    refusals = {"401": "No valid token", "403": "The role is not enough", "503": "No journal"}
    if "{" in path:
        refusals["404"] = "There is no such thing"
    if path in {"/events", "/history", "/replays"}:
        refusals["400"] = "The filter is wrong"
    told: dict[str, Any] = {
        "summary": summary,
        "operationId": f"{method}{path.replace('/', '_').replace('{', '').replace('}', '')}",
        "parameters": _parameters(path),
        "responses": {good: answer, **{code: _refusal(text) for code, text in refusals.items()}},
    }
    if (method, path) == ("post", "/replays"):
        told["requestBody"] = {"content": _content("application/json", _CHOSEN, _CHOSEN_EXAMPLE)}
    return told


_CHOSEN = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("source", "destination", "code", "topic"), _TEXT),
        "since": _TIME,
        "until": _TIME,
        "rate": {"type": "number", "minimum": RATES[0], "maximum": RATES[1], "default": RATE},
    },
}
_CHOSEN_EXAMPLE = {"source": "shop", "code": "odoo.no-match", "rate": 50}


def _parameters(path: str) -> list[dict[str, Any]]:
    if path == "/events":
        return [
            {"name": name, "in": "query", "schema": schema, "example": example}
            for name, (schema, example) in _FILTERS.items()
        ]
    if path == "/history":
        schema = {"type": "string", "enum": ["1h", "24h", "7d"], "default": "1h"}
        return [{"name": "range", "in": "query", "schema": schema, "example": "24h"}]
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    values = {"id": examples.EVENT, "name": "odoo"}
    why = {"name": "reason", "in": "query", "schema": _TEXT, "example": "the shop cancelled it"}
    dead = {"type": "string", "enum": ["", "dead"], "default": ""}
    only = {"name": "only", "in": "query", "schema": dead, "example": "dead"}
    return [
        *(
            {"name": one, "in": "path", "required": True, "schema": _TEXT, "example": values[one]}
            for one in names
        ),
        *([why] if path.endswith("/give-up") else []),
        *([only] if path == "/events/{id}/replay" else []),
    ]


def _refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    example = {"type": "about:blank", "title": text, "status": 400}
    return {"description": text, "content": _content("application/problem+json", schema, example)}


def _content(kind: str, schema: Any, example: Any) -> dict[str, Any]:
    return {kind: {"schema": schema, "example": example}}
