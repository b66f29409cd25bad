-- How many took how long, minute by minute: up to the answer 202, and up to the destination.
CREATE TABLE latency (
    minute INTEGER NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL, -- empty: up to the 202
    bound REAL NOT NULL, -- seconds that they stayed under
    n INTEGER NOT NULL,
    PRIMARY KEY (minute, source, destination, bound)
) STRICT, WITHOUT ROWID;
