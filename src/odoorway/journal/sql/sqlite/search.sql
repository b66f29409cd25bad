-- name: newest_event
SELECT coalesce(max(seq), 0) FROM event;

-- Looks at a stretch of the newest events only, so that a rare match costs no more than a page;
-- the body is asked for last, since reading it follows its overflow pages. An external ID is
-- looked for in the text of the records first, which is cheap, and then in each.
-- name: search
SELECT
    seq, id, source, topic, idempotency_key, ordering_key, version, received_at, headers, body,
    body_hash, conflict
FROM event
WHERE
    seq < :before AND seq >= :stop
    AND (:ordering_key = '' OR ordering_key = :ordering_key)
    AND (:source = '' OR source = :source)
    AND (:topic = '' OR topic = :topic)
    AND (:since IS NULL OR received_at >= :since)
    AND (:until IS NULL OR received_at < :until)
    AND (
        :state IS NULL
        OR EXISTS (SELECT 1 FROM delivery WHERE delivery.event = event.seq AND state = :state)
    )
    AND (
        :external_id = ''
        OR EXISTS (
            SELECT 1 FROM delivery
            CROSS JOIN attempt ON attempt.delivery = delivery.id
            CROSS JOIN json_each(attempt.records) AS record
            WHERE
                delivery.event = event.seq AND instr(attempt.records, :external_id)
                AND (
                    record.value ->> 1 = :external_id
                    OR substr(record.value ->> 1, -length(:external_id) - 1)
                    IN ('_' || :external_id, '.' || :external_id)
                )
        )
    )
    AND (:text = '' OR instr(body, CAST(:text AS BLOB)))
ORDER BY seq DESC
LIMIT :limit;

-- name: search_about
SELECT
    seq, id, source, topic, idempotency_key, ordering_key, version, received_at, headers, body,
    body_hash, conflict
FROM event INDEXED BY event_about
WHERE
    ordering_key = :ordering_key AND seq < :before
    AND (:source = '' OR source = :source)
    AND (:topic = '' OR topic = :topic)
    AND (:since IS NULL OR received_at >= :since)
    AND (:until IS NULL OR received_at < :until)
    AND (
        :state IS NULL
        OR EXISTS (SELECT 1 FROM delivery WHERE delivery.event = event.seq AND state = :state)
    )
    AND (:text = '' OR instr(body, CAST(:text AS BLOB)))
ORDER BY seq DESC
LIMIT :limit;

-- name: event_time
SELECT received_at FROM event WHERE seq >= :seq ORDER BY seq LIMIT 1;

-- Reads no body: its length stands before it.
-- name: sizes
SELECT seq, length(body) FROM event WHERE seq > :after ORDER BY seq LIMIT :limit;

-- name: deliveries_of
SELECT
    event.seq, delivery.id, event.id, route, destination, state, attempts, due_at, updated_at,
    code, detail
FROM json_each(:events)
CROSS JOIN event ON event.seq = value
CROSS JOIN delivery ON delivery.event = event.seq
ORDER BY delivery.id DESC;

-- name: attempts_of
SELECT delivery.id, number, at, seconds, outcome, attempt.code, attempt.detail, records, commands
FROM json_each(:events)
CROSS JOIN delivery ON delivery.event = value
CROSS JOIN attempt ON attempt.delivery = delivery.id
ORDER BY delivery.id, number;
