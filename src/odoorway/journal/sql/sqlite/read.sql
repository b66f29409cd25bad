-- name: next_due
SELECT min(due_at) FROM (
    SELECT min(due_at) AS due_at FROM lane
    WHERE destination = :destination AND head IS NOT NULL
    UNION ALL
    SELECT min(due_at) FROM delivery
    WHERE destination = :destination AND state = 'pending' AND waits_for IS NOT NULL
);

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
SELECT number, at, seconds, outcome, code, detail, records, commands
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

-- name: dead_letters
SELECT trouble.delivery, trouble.event, route, trouble.destination, hold
FROM trouble
CROSS JOIN delivery ON delivery.id = trouble.delivery
WHERE
    trouble.delivery > :after AND trouble.delivery <= :last AND kind = 'dead'
    AND (:source = '' OR source = :source)
    AND (:destination = '' OR trouble.destination = :destination)
    AND (:code = '' OR trouble.code = :code)
    AND (:topic = '' OR topic = :topic)
    AND (:since IS NULL OR arrived >= :since)
    AND (:until IS NULL OR arrived < :until)
ORDER BY trouble.delivery
LIMIT :limit;

-- name: count_dead
SELECT count(*)
FROM trouble
WHERE
    kind = 'dead'
    AND (:source = '' OR source = :source)
    AND (:destination = '' OR destination = :destination)
    AND (:code = '' OR code = :code)
    AND (:topic = '' OR topic = :topic)
    AND (:since IS NULL OR arrived >= :since)
    AND (:until IS NULL OR arrived < :until);

-- name: trouble_hours
SELECT kind, source, destination, code, hour, n FROM trouble_hour ORDER BY 1, 2, 3, 4, 5;

-- name: trouble_first
SELECT at FROM trouble
WHERE kind = :kind AND source = :source AND destination = :destination AND code = :code
ORDER BY at
LIMIT 1;

-- name: trouble_last
SELECT at, event FROM trouble
WHERE kind = :kind AND source = :source AND destination = :destination AND code = :code
ORDER BY at DESC, delivery DESC
LIMIT 1;

-- No more than so many are looked at: who has to know does not need to know how many more.
-- name: waiting_hours
SELECT
    event.source, delivery.destination, coalesce(delivery.code, ''),
    CAST(event.received_at / 3600 AS INTEGER), count(*),
    min(event.received_at), max(event.received_at), max(event.id)
FROM (
    SELECT event, destination, code FROM delivery
    WHERE state = 'pending' AND waits_for IS NOT NULL
    LIMIT 20000
) AS delivery
CROSS JOIN event ON event.seq = delivery.event
WHERE event.received_at < :long_ago
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4;

-- name: rejection_hours
SELECT
    budget, '', code, CAST(at / 3600 AS INTEGER), count(*), min(at), max(at), max(id)
FROM rejection
GROUP BY 1, 3, 4
ORDER BY 1, 3, 4;

-- name: flows
SELECT source, destination, state, n FROM flow WHERE n > 0 ORDER BY source, destination;

-- name: beats
SELECT minute, what, n FROM beat WHERE minute >= :minute ORDER BY minute;

-- Of one source, from the index alone; what is dated in the future tells nothing.
-- name: rhythm
WITH lately (at) AS (
    SELECT received_at FROM event
    WHERE source = :source AND received_at <= :now
    ORDER BY received_at DESC
    LIMIT :history + 1
),

silences (at, gap) AS (
    SELECT at, lag(at) OVER (ORDER BY at DESC) - at FROM lately
)

SELECT max(at), count(gap), max(gap) FROM silences;

-- name: rejected_since
SELECT count(*) FROM rejection WHERE at > :at;

-- name: oldest
WITH waiting (event, destination) AS (
    SELECT * FROM (
        SELECT event, destination FROM delivery WHERE state = 'pending' ORDER BY id LIMIT 1000
    )
    UNION ALL
    SELECT * FROM (
        SELECT event, destination FROM delivery WHERE state = 'leased' ORDER BY id LIMIT 1000
    )
)

SELECT event.source, waiting.destination, min(event.received_at)
FROM waiting
CROSS JOIN event ON event.seq = waiting.event
GROUP BY 1, 2;

-- name: latency
SELECT minute / :minutes * :minutes, source, destination, bound, sum(n)
FROM latency
WHERE minute >= :minute
GROUP BY 1, 2, 3, 4;

-- name: rejection
SELECT id, source, at, status, code, detail, headers, body FROM rejection WHERE id = :id;
