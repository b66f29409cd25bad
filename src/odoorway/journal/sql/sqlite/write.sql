-- name: waiting
SELECT sum(n) FROM tally WHERE what IN ('pending', 'leased');

-- Rows come as one JSON array and bodies as one blob, so that a batch is one statement: the
-- writer's thread then needs the interpreter once a batch, not once a row. What is imported again
-- has the id that it had.
-- name: events_add
INSERT INTO event (
    id, source, topic, idempotency_key, ordering_key, version, received_at, headers,
    body_hash, conflict, body
)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    value -> 7, value ->> 8, value ->> 9,
    coalesce(substr(:bodies, value ->> 10, value ->> 11), x'') -- of no bytes at all, NULL
FROM jsonb_each(:rows) AS given
WHERE true -- tells SQLite that ON CONFLICT is no join
ORDER BY given.key
ON CONFLICT (id) DO NOTHING
RETURNING id, seq;

-- name: lanes_add
INSERT INTO lane (destination, source, ordering_key)
SELECT value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(:rows)
WHERE true
ON CONFLICT (destination, source, ordering_key) DO NOTHING;

-- name: deliveries_add
INSERT INTO delivery (event, lane, turn, route, destination, hold, state, due_at, updated_at)
SELECT
    value ->> 0, lane.id, NOT (held AND :replay), value ->> 4, destination, value ->> 5,
    'pending', value ->> 6, value ->> 6
FROM jsonb_each(:rows) AS given
CROSS JOIN lane
    ON destination = value ->> 1 AND source = value ->> 2 AND ordering_key = value ->> 3
ORDER BY given.key
RETURNING id, lane;

-- A lane without a head takes its first delivery, unless a dead letter holds it.
-- name: lanes_enter
UPDATE lane
SET
    (head, due_at) = (
        SELECT id, due_at FROM delivery
        WHERE lane = lane.id AND state = 'pending' AND waits_for IS NULL
        ORDER BY turn, id
        LIMIT 1
    )
WHERE id IN (SELECT value FROM json_each(:lanes)) AND head IS NULL AND (NOT held OR :replay);

-- name: deliveries_add_unrouted
INSERT INTO delivery (event, route, destination, state, due_at, updated_at, code, detail)
SELECT value ->> 0, '', '', 'skipped', value ->> 1, value ->> 1, value ->> 2, value ->> 3
FROM jsonb_each(:rows);

-- Changed after it is there: charts count what becomes dead.
-- name: unrouted_dead
UPDATE delivery SET state = 'dead'
WHERE event IN (SELECT value FROM json_each(:events)) AND route = '';

-- name: event_lane
SELECT seq, source, ordering_key FROM event WHERE id = :id;

-- name: lease_due
SELECT
    lane.id, lane.owner, delivery.recorded, delivery.lost, delivery.hold,
    delivery.id, event.id, delivery.route, delivery.destination, delivery.state,
    delivery.attempts, delivery.due_at, delivery.updated_at, delivery.code, delivery.detail,
    applied.version,
    event.id, event.source, event.topic, event.idempotency_key, event.ordering_key,
    event.version, event.received_at, event.headers, event.body, event.body_hash,
    event.conflict
FROM lane
CROSS JOIN delivery ON delivery.id = lane.head
CROSS JOIN event ON event.seq = delivery.event
LEFT JOIN applied ON applied.lane = lane.id AND applied.route = delivery.route
WHERE lane.destination = :destination AND lane.head IS NOT NULL AND lane.due_at <= :now
ORDER BY lane.due_at
LIMIT :limit;

-- Asked apart from lease_due: as a condition there it would be checked for every lane.
-- name: paused
SELECT 1 FROM destination WHERE name = :destination AND paused;

-- name: pause
INSERT INTO destination (name, paused, changed_at) VALUES (:destination, :paused, :now)
ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, changed_at = excluded.changed_at;

-- name: breaker_note
INSERT INTO destination (name, failures, until, code, detail, changed_at)
VALUES (:destination, :failures, :until, :code, :detail, :now)
ON CONFLICT (name) DO UPDATE SET
    failures = excluded.failures, until = excluded.until, code = excluded.code,
    detail = excluded.detail, changed_at = excluded.changed_at;

-- name: applied_note
INSERT INTO applied (lane, route, version)
SELECT delivery.lane, delivery.route, event.version
FROM delivery
CROSS JOIN event ON event.seq = delivery.event
WHERE delivery.id = :delivery AND event.version IS NOT NULL
ON CONFLICT (lane, route) DO UPDATE SET version = excluded.version;

-- name: lane_lease
UPDATE lane SET owner = :owner, due_at = :until WHERE id = :lane;

-- name: delivery_lease
UPDATE delivery SET state = 'leased', due_at = :until, updated_at = :now WHERE id = :id;

-- name: delivery_lease_lost
UPDATE delivery
SET lost = lost + 1, recorded = recorded + 1, code = :code, detail = :detail
WHERE id = :id;

-- name: delivery_lost_for_good
UPDATE delivery
SET state = 'dead', due_at = :now, updated_at = :now, code = :code, detail = :detail
WHERE id = :id;

-- name: renew_lanes
UPDATE lane SET due_at = :until
WHERE
    id IN (SELECT lane FROM delivery WHERE id IN (SELECT value FROM json_each(:ids)))
    AND owner = :owner AND head IN (SELECT value FROM json_each(:ids))
RETURNING head;

-- name: renew_deliveries
UPDATE delivery SET due_at = :until
WHERE id IN (SELECT value FROM json_each(:ids));

-- name: attempt_add
INSERT INTO attempt (delivery, number, at, seconds, outcome, code, detail, records, commands)
VALUES (:delivery, :number, :at, :seconds, :outcome, :code, :detail, :records, :commands);

-- name: leased_by
SELECT lane.id, delivery.hold, delivery.recorded, delivery.destination
FROM delivery
CROSS JOIN lane ON lane.id = delivery.lane
WHERE delivery.id = :delivery AND lane.head = delivery.id AND lane.owner = :owner;

-- name: delivery_settle
UPDATE delivery
SET
    state = :state, attempts = attempts + :counts, recorded = recorded + 1,
    due_at = :due_at, updated_at = :at, code = :code, detail = :detail, lost = 0,
    waits_for = :waits_for, waits_on = :waits_on
WHERE id = :delivery;

-- name: lane_retry
UPDATE lane SET owner = NULL, due_at = :due_at WHERE id = :lane;

-- name: lane_hold
UPDATE lane SET owner = NULL, head = NULL, due_at = NULL, held = 1 WHERE id = :lane;

-- name: lane_advance
UPDATE lane
SET
    owner = NULL, held = 0,
    (head, due_at) = (
        SELECT id, due_at FROM delivery
        WHERE lane = :lane AND state = 'pending' AND waits_for IS NULL
        ORDER BY turn, id
        LIMIT 1
    )
WHERE id = :lane;

-- name: leased_now
SELECT delivery.id, delivery.recorded, delivery.updated_at, delivery.due_at, lane.owner
FROM delivery
LEFT JOIN lane ON lane.id = delivery.lane
WHERE delivery.state = 'leased';

-- The time of the lease has passed, so due then is due now.
-- name: lane_release
UPDATE lane
SET owner = NULL, due_at = (SELECT updated_at FROM delivery WHERE delivery.id = lane.head)
WHERE id IN (SELECT lane FROM delivery WHERE state = 'leased');

-- name: delivery_release
UPDATE delivery SET state = 'pending', due_at = updated_at WHERE state = 'leased';

-- What was last touched in the future was so before the clock was set back. It waits from now on
-- for as long as it was to wait.
-- name: deliveries_redate
UPDATE delivery SET due_at = :now + max(0.0, due_at - updated_at), updated_at = :now
WHERE state IN ('pending', 'leased') AND destination = :destination AND updated_at > :now
RETURNING lane;

-- name: lanes_redate
UPDATE lane SET due_at = (SELECT due_at FROM delivery WHERE delivery.id = lane.head)
WHERE id IN (SELECT value FROM json_each(:lanes)) AND head IS NOT NULL;

-- name: rejection_add
INSERT INTO rejection (id, source, at, status, code, detail, headers, body, budget, number)
VALUES (
    :id, :source, :at, :status, :code, :detail, :headers, :body, :budget,
    1 + coalesce((SELECT max(number) FROM rejection WHERE budget = :budget), 0)
)
RETURNING number;

-- name: rejection_forget
DELETE FROM rejection WHERE budget = :budget AND number <= :number;

-- name: bind
INSERT INTO binding (destination, xid, model, id)
SELECT :destination, value ->> 1, value ->> 0, value ->> 2 FROM jsonb_each(:rows)
WHERE true
ON CONFLICT (destination, xid) DO UPDATE SET model = excluded.model, id = excluded.id;

-- name: unbind
DELETE FROM binding
WHERE destination = :destination AND xid IN (SELECT value FROM json_each(:xids));

-- name: held_before
SELECT 1 FROM delivery WHERE event = :event AND route = :route AND hold LIMIT 1;

-- A replay takes the place of the dead letter: nobody has to look at that one any more.
-- name: replay_supersedes
UPDATE delivery
SET state = 'skipped', code = :code, detail = 'replayed', updated_at = :now
WHERE event = :event AND route = :route AND state IN ('dead', 'breached')
RETURNING id;

-- name: latency_add
INSERT INTO latency (minute, source, destination, bound, n)
VALUES (:minute, :source, :destination, :bound, :count)
ON CONFLICT DO UPDATE SET n = n + excluded.n;

-- name: latency_forget
DELETE FROM latency WHERE minute < :since;

-- name: touch
UPDATE tally SET n = n WHERE what = 'event';

-- Deliveries that stood aside, and whose time has come.
-- name: aside_due
UPDATE delivery SET waits_for = NULL
WHERE destination = :destination AND state = 'pending' AND waits_for IS NOT NULL AND due_at <= :now
RETURNING lane;

-- name: aside
SELECT 1 FROM delivery
WHERE destination = :destination AND state = 'pending' AND waits_for IS NOT NULL
LIMIT 1;

-- name: aside_for
SELECT id, waits_on FROM delivery
WHERE destination = :destination AND waits_for = :model AND state = 'pending'
ORDER BY id
LIMIT 1000;

-- What stands aside in a lane in which something was delivered: it may be what was waited for.
-- name: aside_in_lane
SELECT id FROM delivery WHERE lane = :lane AND state = 'pending' AND waits_for IS NOT NULL;

-- A woken try takes the place of the one that was due: it spends no further attempt.
-- name: wake
UPDATE delivery SET waits_for = NULL, due_at = :now, attempts = max(0, attempts - 1)
WHERE id IN (SELECT value FROM json_each(:ids))
RETURNING lane;

-- A lane whose head is not under way takes the first of those that may go.
-- name: lanes_look_again
UPDATE lane
SET
    (head, due_at) = (
        SELECT id, due_at FROM delivery
        WHERE lane = lane.id AND state = 'pending' AND waits_for IS NULL
        ORDER BY turn, id
        LIMIT 1
    )
WHERE
    id IN (SELECT value FROM json_each(:lanes)) AND NOT held
    AND (head IS NULL OR (SELECT state FROM delivery WHERE delivery.id = lane.head) <> 'leased');

-- What of an event is not settled, and not under way.
-- name: waiting_of
SELECT delivery.id, delivery.lane, delivery.recorded
FROM event
CROSS JOIN delivery ON delivery.event = event.seq
WHERE
    event.id = :id AND delivery.lane IS NOT NULL
    AND delivery.state IN ('pending', :also);

-- name: give_up
UPDATE delivery
SET
    state = CASE state WHEN 'breached' THEN 'delivered' ELSE 'skipped' END,
    code = :code, detail = :detail, updated_at = :now, waits_for = NULL,
    recorded = recorded + 1
WHERE id = :delivery;
