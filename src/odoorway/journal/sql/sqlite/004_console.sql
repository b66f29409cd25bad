-- What the console shows, kept right by triggers whoever writes: counting rows would take longer
-- the more of them there are.
CREATE TABLE flow (
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (source, destination, state)
) STRICT, WITHOUT ROWID;

INSERT INTO flow (source, destination, state, n)
SELECT event.source, delivery.destination, delivery.state, count(*)
FROM delivery
CROSS JOIN event ON event.seq = delivery.event
GROUP BY 1, 2, 3;

CREATE TRIGGER flow_added AFTER INSERT ON delivery BEGIN
    INSERT INTO flow (source, destination, state, n)
    VALUES ((SELECT source FROM event WHERE seq = new.event), new.destination, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER flow_changed AFTER UPDATE OF state ON delivery
WHEN old.state <> new.state BEGIN
    UPDATE flow SET n = n - 1
    WHERE
        source = (SELECT source FROM event WHERE seq = old.event)
        AND destination = old.destination AND state = old.state;
    INSERT INTO flow (source, destination, state, n)
    VALUES ((SELECT source FROM event WHERE seq = new.event), new.destination, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- What happened in each minute, for charts.
CREATE TABLE beat (
    minute INTEGER NOT NULL,
    what TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (minute, what)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER beat_received AFTER INSERT ON event BEGIN
    INSERT INTO beat (minute, what, n) VALUES (CAST(new.received_at / 60 AS INTEGER), 'received', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER beat_settled AFTER UPDATE OF state ON delivery
WHEN new.state IN ('delivered', 'dead') AND old.state <> new.state BEGIN
    INSERT INTO beat (minute, what, n)
    VALUES (CAST(new.updated_at / 60 AS INTEGER), new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE INDEX event_about ON event (ordering_key, seq);
