-- name: next_due
SELECT min(due_at) FROM lane WHERE destination = :destination AND head IS NOT NULL;

-- name: standing
SELECT name, paused, failures, until, code, detail, changed_at
FROM destination
WHERE name = :destination;

-- name: events
SELECT
    id, source, topic, idempotency_key, ordering_key, version, received_at, headers, body,
    body_hash, conflict
FROM event
ORDER BY seq DESC
LIMIT :limit;

-- name: events_before
SELECT
    id, source, topic, idempotency_key, ordering_key, version, received_at, headers, body,
    body_hash, conflict
FROM event
WHERE seq < (SELECT seq FROM event WHERE id = :before)
ORDER BY seq DESC
LIMIT :limit;

-- name: event
SELECT
    id, source, topic, idempotency_key, ordering_key, version, received_at, headers, body,
    body_hash, conflict
FROM event
WHERE id = :id;

-- name: deliveries
SELECT
    delivery.id, event.id, route, destination, state, attempts, due_at, updated_at, code, detail
FROM delivery
CROSS JOIN event ON event.seq = delivery.event
WHERE delivery.id < :before
ORDER BY delivery.id DESC
LIMIT :limit;

-- name: deliveries_in_state
SELECT
    delivery.id, event.id, route, destination, state, attempts, due_at, updated_at, code, detail
FROM delivery
CROSS JOIN event ON event.seq = delivery.event
WHERE state = :state AND delivery.id < :before
ORDER BY delivery.id DESC
LIMIT :limit;

-- name: deliveries_of_event
SELECT
    delivery.id, event.id, route, destination, state, attempts, due_at, updated_at, code, detail
FROM event
CROSS JOIN delivery ON delivery.event = event.seq
WHERE
    event.id = :event_id AND delivery.id < :before
    AND (:state IS NULL OR delivery.state = :state)
ORDER BY delivery.id DESC
LIMIT :limit;

-- name: delivery
SELECT
    delivery.id, event.id, route, destination, state, attempts, due_at, updated_at, code, detail
FROM delivery
CROSS JOIN event ON event.seq = delivery.event
WHERE delivery.id = :id;

-- name: attempts
SELECT number, at, seconds, outcome, code, detail, records
FROM attempt
WHERE delivery = :delivery
ORDER BY number;

-- name: rejections
SELECT id, source, at, status, code, detail, headers, body
FROM rejection
ORDER BY seq DESC
LIMIT :limit;

-- name: tally
SELECT what, n FROM tally
UNION ALL
SELECT 'rejection', count(*) FROM rejection;

-- The oldest by state, since each is one step in the index; ids follow the order of arrival.
-- name: oldest_waiting
SELECT min(event.received_at)
FROM event
WHERE seq IN (
    SELECT event FROM delivery WHERE id = (SELECT min(id) FROM delivery WHERE state = 'pending')
    UNION ALL
    SELECT event FROM delivery WHERE id = (SELECT min(id) FROM delivery WHERE state = 'leased')
);

-- Steps from one name to the next, so that a million lanes cost as little as one.
-- name: destinations
WITH RECURSIVE known (name) AS (
    SELECT min(destination) FROM lane
    UNION ALL
    SELECT (SELECT min(destination) FROM lane WHERE destination > known.name)
    FROM known
    WHERE known.name IS NOT NULL
)
SELECT name FROM known WHERE name IS NOT NULL
UNION
SELECT name FROM destination
ORDER BY name;

-- name: bound
SELECT xid, id FROM binding
WHERE destination = :destination AND xid IN (SELECT value FROM json_each(:xids));
