"""What the API answers, for its description: each like a real answer of the demo."""

EVENT = "evt_0193b2c4d5e6f7a8b9c0d1e2f3a4"
_FIX = ["Look whether the record is in this database, and create it if it is missing."]
_KNOWN = {
    "code": "odoo.no-match",
    "title": "A record that is referred to does not exist",
    "cause": "The id, the external ID or the find() names a record that is not there.",
    "fix": _FIX,
}
FLOW = {
    "source": "shop", "destination": "odoo", "received": 24, "waiting": 0, "delivered": 21,
    "dead": 3, "skipped": 0, "oldest": None, "acknowledged_within": 0.005,
    "delivered_within": 0.25,
}  # fmt: skip
STATUS = {
    "health": "bad",
    "reasons": [{"level": "bad", "title": "3 dead letters", "detail": _KNOWN["title"]}],
    "events": 24,
    "rejections": 1,
    "deliveries": {
        "pending": 0,
        "leased": 0,
        "delivered": 21,
        "breached": 0,
        "skipped": 0,
        "dead": 3,
    },
    "oldest_waiting_seconds": None,
    "flows": [FLOW],
}
ROW = {
    "id": EVENT, "received": "2026-11-24 09:00:00", "received_at": 1795510800.0,
    "source": "shop", "topic": "orders/create", "about": "order/42",
    "deliveries": [{"route": "sale_order", "state": "dead", "code": "odoo.no-match"}],
}  # fmt: skip
ATTEMPT = {
    "number": 1, "at": "2026-11-24 09:00:00", "outcome": "dead", "code": "odoo.no-match",
    "detail": "no product.product with default_code = 'CUP'", "seconds": 0.12, "records": [],
}  # fmt: skip
DELIVERY = {
    "id": 7, "route": "sale_order", "destination": "odoo", "state": "dead",
    "code": "odoo.no-match", "due": "", "waits": False,
    "evidence": "no product.product with default_code = 'CUP'",
    "diagnosis": {**_KNOWN, "fixer": "integrator", "transient": False}, "commands": "",
    "attempts": [ATTEMPT],
}  # fmt: skip
WHOLE = {
    "id": EVENT, "source": "shop", "topic": "orders/create", "received": "2026-11-24 09:00:00",
    "received_at": 1795510800.0, "about": "order/42", "key": "42", "version": None,
    "conflict": False,
    "flaws": [{
        "code": "event.no-version", "title": "The event has no version",
        "detail": "the version's place json:updated_at names nothing in this body:"
                  " it is an object with id",
    }],
    "headers": [["x-shopify-topic", "orders/create"]],
    "pretty": '{\n  "id": 42\n}', "raw": '{"id": 42}', "deliveries": [DELIVERY],
}  # fmt: skip
PLANNED = {
    "route": "sale_order → odoo",
    "text": 'sale.order order 42\n  client_order_ref = "#1042"',
    "difference": "the same as was sent",
}
PROBLEM_GROUP = {
    "kind": "dead", "source": "shop", "destination": "odoo", "count": 3,
    "first": "2026-11-24 08:10:00", "last": "2026-11-24 09:00:00", "example": EVENT,
    "hours": [{"at": "2026-11-24 08:00:00", "count": 3}], "href": f"/events/{EVENT}", **_KNOWN,
}  # fmt: skip
REJECTION = {
    "id": "rej_0193b2c4d5e6f7a8b9c0d1e2f3a4", "source": "shop", "at": "2026-11-24 09:00:00",
    "status": 401, "code": "signature.mismatch", "detail": "",
    "headers": [["content-type", "application/json"]], "body": "{}",
    "title": "The signature does not match", "cause": "The secret differs from the platform's.",
    "fix": ["Copy the secret from the platform again."],
}  # fmt: skip
SOURCE = {
    "name": "shop", "platform": "Shopify", "secret_since": "2026-11-01 08:00:00",
    "endpoint": "https://hooks.example.com/in/shop", "last": "2026-11-24 09:00:00",
    "topics": "orders/create, orders/updated", "steps": ["Open Settings, Notifications."],
    "sample": "orders/create",
}  # fmt: skip
DESTINATION = {
    "name": "odoo", "url": "https://odoo.example.com", "stand": "delivering", "level": "good",
    "paused": False, "failures": 0, "code": None, "detail": "", "fix": [], "waiting": 0,
    "version": "19.0", "user": "Gateway", "key_expires": "2027-02-01 00:00:00", "batch": 400,
    "concurrency": 2, "delivered_a_minute": 12.4, "max_rate": 0.0,
}  # fmt: skip
LATENCY = {
    "at": 1795510800, "source": "shop", "destination": "odoo", "count": 12, "half_within": 0.25,
    "p95_within": 1.0,
}  # fmt: skip
JOB = {
    "id": "job_1", "text": "Replaying odoo.no-match of shop", "total": 12, "done": 3,
    "rate": 200.0, "seconds_left": 0.1, "ended": False, "cancelled": False, "error": "",
}  # fmt: skip
DEED = {"at": 1795510800.0, "who": "ada", "action": "pause", "detail": "odoo"}
