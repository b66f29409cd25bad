-- Rows come as one JSON array, so that a batch is one statement. Most events are new, and a new
-- one has no row here.
-- name: seen_known
SELECT
    given.key,
    (
        SELECT event FROM seen
        WHERE
            source = given.value ->> 0 AND key = given.value ->> 1 AND topic = given.value ->> 2
            AND body_hash = given.value ->> 3
            AND (expires IS NULL OR expires > given.value ->> 4)
    )
FROM jsonb_each(:rows) AS given
WHERE EXISTS (
    SELECT 1 FROM seen
    WHERE
        source = given.value ->> 0 AND key = given.value ->> 1
        AND (expires IS NULL OR expires > given.value ->> 4)
);

-- name: seen_add
INSERT INTO seen (source, key, topic, body_hash, event, expires)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM jsonb_each(:rows)
WHERE true -- tells SQLite that ON CONFLICT is no join
ON CONFLICT (source, key, topic, body_hash) DO UPDATE SET
    event = excluded.event, expires = excluded.expires;

-- name: seen_before
DELETE FROM seen
WHERE (source, key) IN (SELECT value ->> 0, value ->> 1 FROM jsonb_each(:rows));

-- name: seen_forget
DELETE FROM seen
WHERE (source, key, topic, body_hash) IN (
    SELECT source, key, topic, body_hash FROM seen
    WHERE expires < :until
    ORDER BY expires
    LIMIT :limit
);
