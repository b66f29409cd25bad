-- By what a repeat is known. Rows live by `expires`, whatever becomes of their events: with a
-- platform's event id one a key, topic and body, without one the last event of what it is about.
CREATE TABLE seen (
    source TEXT NOT NULL,
    key TEXT NOT NULL, -- id:<the platform's>, or about:<ordering key>
    topic TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    event TEXT NOT NULL, -- the id of the event that a repeat is answered with
    expires REAL, -- none: never
    PRIMARY KEY (source, key, topic, body_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_expires ON seen (expires) WHERE expires IS NOT NULL;

INSERT INTO seen (source, key, topic, body_hash, event, expires)
SELECT source, 'id:' || idempotency_key, topic, body_hash, id, received_at + 90 * 86400
FROM event
WHERE substr(idempotency_key, 1, 7) <> 'sha256:';

INSERT INTO seen (source, key, topic, body_hash, event, expires)
SELECT source, 'about:' || ordering_key, topic, body_hash, id, received_at + 600
FROM event
WHERE
    substr(idempotency_key, 1, 7) = 'sha256:'
    AND received_at > (SELECT received_at FROM event ORDER BY seq DESC LIMIT 1) - 600
    AND NOT EXISTS (
        SELECT 1 FROM event AS later
        WHERE
            later.ordering_key = event.ordering_key AND later.seq > event.seq
            AND later.source = event.source
    );

DROP INDEX event_identity;
