-- Dead letters by what people ask of them, in rows of their own that are small: deliveries and
-- events are wide, and a hundred thousand of each take a second to read. Kept right by triggers.
CREATE TABLE dead_letter (
    delivery INTEGER PRIMARY KEY,
    event TEXT NOT NULL, -- its id
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    code TEXT NOT NULL,
    topic TEXT NOT NULL,
    arrived REAL NOT NULL,
    died REAL NOT NULL
) STRICT;

CREATE INDEX dead_letter_group ON dead_letter (source, destination, code, died);

-- How many of each kind died in each hour, of those that are dead still.
CREATE TABLE dead_hour (
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    code TEXT NOT NULL,
    hour INTEGER NOT NULL, -- Unix seconds / 3600
    n INTEGER NOT NULL,
    PRIMARY KEY (source, destination, code, hour)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER dead_letter_added AFTER INSERT ON dead_letter BEGIN
    INSERT INTO dead_hour (source, destination, code, hour, n)
    VALUES (new.source, new.destination, new.code, CAST(new.died / 3600 AS INTEGER), 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER dead_letter_removed AFTER DELETE ON dead_letter BEGIN
    UPDATE dead_hour SET n = n - 1
    WHERE
        source = old.source AND destination = old.destination AND code = old.code
        AND hour = CAST(old.died / 3600 AS INTEGER);
    DELETE FROM dead_hour
    WHERE
        source = old.source AND destination = old.destination AND code = old.code
        AND hour = CAST(old.died / 3600 AS INTEGER) AND n = 0;
END;

INSERT INTO dead_letter (delivery, event, source, destination, code, topic, arrived, died)
SELECT
    delivery.id, event.id, event.source, delivery.destination, coalesce(delivery.code, ''),
    event.topic, event.received_at, delivery.updated_at
FROM delivery
CROSS JOIN event ON event.seq = delivery.event
WHERE delivery.state = 'dead';

CREATE TRIGGER delivery_died AFTER UPDATE OF state ON delivery
WHEN new.state = 'dead' AND old.state <> 'dead' BEGIN
    INSERT INTO dead_letter (delivery, event, source, destination, code, topic, arrived, died)
    SELECT
        new.id, id, source, new.destination, coalesce(new.code, ''), topic, received_at,
        new.updated_at
    FROM event
    WHERE seq = new.event;
END;

CREATE TRIGGER delivery_lives AFTER UPDATE OF state ON delivery
WHEN old.state = 'dead' AND new.state <> 'dead' BEGIN
    DELETE FROM dead_letter WHERE delivery = old.id;
END;

CREATE TRIGGER dead_delivery_forgotten AFTER DELETE ON delivery WHEN old.state = 'dead' BEGIN
    DELETE FROM dead_letter WHERE delivery = old.id;
END;
