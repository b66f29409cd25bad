-- Who may use the console and the API.
CREATE TABLE person (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    secret TEXT NOT NULL, -- argon2 of a password, SHA-256 of a token
    expires REAL, -- of a token
    is_token INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What people did; append-only.
CREATE TABLE deed (
    seq INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
