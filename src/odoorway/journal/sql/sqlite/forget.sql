-- name: sweep
SELECT began, at, seq, ended FROM sweep WHERE name = :name;

-- name: sweep_note
INSERT INTO sweep (name, began, at, seq, ended) VALUES (:name, :began, :at, :seq, :ended)
ON CONFLICT (name) DO UPDATE SET
    began = excluded.began, at = excluded.at, seq = excluded.seq, ended = excluded.ended;

-- The next events in order of arrival. Neither their length nor what stands before it reads the
-- overflow pages of a body. A dead letter that holds its lane is waited for: only its replay
-- lets the others go.
-- name: stretch
SELECT
    seq, received_at, length(body),
    (
        SELECT
            group_concat(
                iif(
                    state = 'dead' AND hold AND (SELECT held FROM lane WHERE lane.id = delivery.lane),
                    'pending', state
                ), ' '
            )
        FROM delivery
        WHERE delivery.event = event.seq
    )
FROM event
WHERE (received_at, seq) > (:at, :seq) AND received_at < :before
ORDER BY received_at, seq
LIMIT :limit;

-- name: lanes_of
SELECT delivery.lane, max(event.received_at)
FROM json_each(:events)
CROSS JOIN delivery ON delivery.event = value
CROSS JOIN event ON event.seq = delivery.event
WHERE delivery.lane IS NOT NULL
GROUP BY 1;

-- name: forget_attempts
DELETE FROM attempt
WHERE delivery IN (
    SELECT id FROM delivery WHERE event IN (SELECT value FROM json_each(:events))
);

-- name: forget_deliveries
DELETE FROM delivery WHERE event IN (SELECT value FROM json_each(:events));

-- name: forget_events
DELETE FROM event WHERE seq IN (SELECT value FROM json_each(:events));

-- name: idle_lanes
SELECT id, idle_at FROM lane WHERE idle_at < :until ORDER BY idle_at LIMIT :limit;

-- name: lanes_used
UPDATE lane SET idle_at = NULL
WHERE id IN (SELECT value ->> 0 FROM json_each(:lanes)) AND idle_at IS NOT NULL;

-- Empty is a lane without any delivery, whatever its state; none of these is held.
-- name: lanes_idle
UPDATE lane SET idle_at = given.at
FROM (SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(:lanes)) AS given
WHERE
    lane.id = given.id AND head IS NULL AND NOT held
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.lane = lane.id);

-- name: forget_applied
DELETE FROM applied
WHERE lane IN (
    SELECT id FROM lane
    WHERE id IN (SELECT value ->> 0 FROM json_each(:lanes)) AND idle_at < :until
);

-- name: forget_lanes
DELETE FROM lane
WHERE
    id IN (SELECT value ->> 0 FROM json_each(:lanes)) AND idle_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM applied WHERE applied.lane = lane.id);

-- name: forget_rejections
DELETE FROM rejection
WHERE seq IN (SELECT seq FROM rejection WHERE at < :until ORDER BY at LIMIT :limit);

-- name: forget_beats
DELETE FROM beat
WHERE (minute, what) IN (
    SELECT minute, what FROM beat WHERE minute < :minute ORDER BY minute, what LIMIT :limit
);
