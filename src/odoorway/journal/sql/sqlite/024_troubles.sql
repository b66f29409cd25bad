-- Deliveries that a person has to look at, dead or breached, in small rows of their own: what was
-- kept of dead letters alone, so that the page of problems scans neither.
DROP TRIGGER delivery_died;
DROP TRIGGER delivery_lives;
DROP TRIGGER dead_delivery_forgotten;
DROP TABLE dead_letter;
DROP TABLE dead_hour;

CREATE TABLE trouble (
    delivery INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, -- the delivery's state
    event TEXT NOT NULL, -- its id
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    code TEXT NOT NULL,
    topic TEXT NOT NULL,
    arrived REAL NOT NULL,
    at REAL NOT NULL -- when it came into that state
) STRICT;

CREATE INDEX trouble_group ON trouble (kind, source, destination, code, at);

-- How many of each kind came in each hour, of those that are in that state still.
CREATE TABLE trouble_hour (
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    code TEXT NOT NULL,
    hour INTEGER NOT NULL, -- Unix seconds / 3600
    n INTEGER NOT NULL,
    PRIMARY KEY (kind, source, destination, code, hour)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER trouble_added AFTER INSERT ON trouble BEGIN
    INSERT INTO trouble_hour (kind, source, destination, code, hour, n)
    VALUES (
        new.kind, new.source, new.destination, new.code, CAST(new.at / 3600 AS INTEGER), 1
    )
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER trouble_removed AFTER DELETE ON trouble BEGIN
    UPDATE trouble_hour SET n = n - 1
    WHERE
        kind = old.kind AND source = old.source AND destination = old.destination
        AND code = old.code AND hour = CAST(old.at / 3600 AS INTEGER);
    DELETE FROM trouble_hour
    WHERE
        kind = old.kind AND source = old.source AND destination = old.destination
        AND code = old.code AND hour = CAST(old.at / 3600 AS INTEGER) AND n = 0;
END;

INSERT INTO trouble (delivery, kind, event, source, destination, code, topic, arrived, at)
SELECT
    delivery.id, delivery.state, event.id, event.source, delivery.destination,
    coalesce(delivery.code, ''), event.topic, event.received_at, delivery.updated_at
FROM delivery
CROSS JOIN event ON event.seq = delivery.event
WHERE delivery.state IN ('dead', 'breached');

CREATE TRIGGER delivery_troubles AFTER UPDATE OF state ON delivery
WHEN
    old.state <> new.state
    AND (old.state IN ('dead', 'breached') OR new.state IN ('dead', 'breached')) BEGIN
    DELETE FROM trouble WHERE delivery = old.id;
    INSERT INTO trouble (delivery, kind, event, source, destination, code, topic, arrived, at)
    SELECT
        new.id, new.state, id, source, new.destination, coalesce(new.code, ''), topic,
        received_at, new.updated_at
    FROM event
    WHERE seq = new.event AND new.state IN ('dead', 'breached');
END;

CREATE TRIGGER trouble_forgotten AFTER DELETE ON delivery
WHEN old.state IN ('dead', 'breached') BEGIN
    DELETE FROM trouble WHERE delivery = old.id;
END;

CREATE TRIGGER trouble_inserted AFTER INSERT ON delivery
WHEN new.state IN ('dead', 'breached') BEGIN
    INSERT INTO trouble (delivery, kind, event, source, destination, code, topic, arrived, at)
    SELECT
        new.id, new.state, id, source, new.destination, coalesce(new.code, ''), topic,
        received_at, new.updated_at
    FROM event
    WHERE seq = new.event;
END;
