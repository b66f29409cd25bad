-- How a destination stands: what a person decided, and what its breaker learned.
CREATE TABLE destination (
    name TEXT PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0, -- by a person, until resumed
    failures INTEGER NOT NULL DEFAULT 0, -- of the whole destination, in a row
    until REAL NOT NULL DEFAULT 0, -- when the open breaker asks it again
    code TEXT,
    detail TEXT NOT NULL DEFAULT '',
    changed_at REAL NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The version of the last event that a route delivered in a lane.
CREATE TABLE applied (
    lane INTEGER NOT NULL REFERENCES lane (id),
    route TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (lane, route)
) STRICT, WITHOUT ROWID;
