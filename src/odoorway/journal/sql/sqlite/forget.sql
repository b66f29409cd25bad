-- The next events in order of arrival. Neither their length nor what stands before it reads the
-- overflow pages of a body.
-- name: stretch
SELECT
    seq, received_at, length(body),
    (SELECT group_concat(state, ' ') FROM delivery WHERE delivery.event = event.seq)
FROM event
WHERE seq > :after
ORDER BY seq
LIMIT :limit;

-- name: forget_attempts
DELETE FROM attempt
WHERE delivery IN (
    SELECT id FROM delivery WHERE event IN (SELECT value FROM json_each(:events))
);

-- name: forget_deliveries
DELETE FROM delivery WHERE event IN (SELECT value FROM json_each(:events));

-- name: forget_events
DELETE FROM event WHERE seq IN (SELECT value FROM json_each(:events));

-- name: forget_rejections
DELETE FROM rejection
WHERE seq IN (SELECT seq FROM rejection WHERE at < :until ORDER BY at LIMIT :limit);

-- name: forget_beats
DELETE FROM beat
WHERE (minute, what) IN (
    SELECT minute, what FROM beat WHERE minute < :minute ORDER BY minute, what LIMIT :limit
);
