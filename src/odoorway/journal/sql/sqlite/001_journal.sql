-- Accepted requests: append-only. The body stands last, so that reading the rest of a row
-- never follows its overflow pages.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    topic TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    version TEXT,
    received_at REAL NOT NULL,
    headers TEXT NOT NULL, -- JSON: [[name, value], ...]
    body_hash TEXT NOT NULL,
    conflict INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX event_identity ON event (source, idempotency_key, body_hash);

-- One row an ordering key and destination. `due_at` is when the head may next be leased: its
-- arrival, its retry, or the end of its lease, so that an expired lease is simply due.
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    destination TEXT NOT NULL,
    source TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    head INTEGER, -- the one delivery that may go, if any
    due_at REAL,
    owner TEXT, -- who leased the head
    held INTEGER NOT NULL DEFAULT 0, -- by a dead letter, until a replay is delivered
    UNIQUE (destination, source, ordering_key)
) STRICT;

CREATE INDEX lane_due ON lane (destination, due_at) WHERE head IS NOT NULL;

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    event INTEGER NOT NULL REFERENCES event (seq),
    lane INTEGER REFERENCES lane (id), -- none for an event without a route
    turn INTEGER NOT NULL DEFAULT 1, -- 0: replayed into a held lane, goes before the others
    route TEXT NOT NULL,
    destination TEXT NOT NULL,
    hold INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, -- those that count
    recorded INTEGER NOT NULL DEFAULT 0, -- all of them: the last attempt's number
    due_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    code TEXT,
    detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX delivery_next ON delivery (lane, turn, id) WHERE state = 'pending';
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_state ON delivery (state, id);

CREATE TABLE attempt (
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    number INTEGER NOT NULL,
    at REAL NOT NULL,
    seconds REAL NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    detail TEXT NOT NULL,
    records TEXT NOT NULL, -- JSON: [[model, external ID, database id], ...]
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejection (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    at REAL NOT NULL,
    status INTEGER NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- How many there are, kept right by triggers whoever writes: counting rows would take longer
-- the more of them there are.
CREATE TABLE tally (
    what TEXT PRIMARY KEY,
    n INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO tally (what)
VALUES ('event'), ('pending'), ('leased'), ('delivered'), ('dead'), ('skipped');

CREATE TRIGGER event_added AFTER INSERT ON event BEGIN
    UPDATE tally SET n = n + 1 WHERE what = 'event';
END;

CREATE TRIGGER delivery_added AFTER INSERT ON delivery BEGIN
    UPDATE tally SET n = n + 1 WHERE what = new.state;
END;

CREATE TRIGGER delivery_changed AFTER UPDATE OF state ON delivery
WHEN old.state <> new.state BEGIN
    UPDATE tally SET n = n - 1 WHERE what = old.state;
    UPDATE tally SET n = n + 1 WHERE what = new.state;
END;
