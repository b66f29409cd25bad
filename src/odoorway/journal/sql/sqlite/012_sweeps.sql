-- Events by arrival: what is old is found among any number of what is not, and what is dated in
-- the future stands behind all that is not.
CREATE INDEX event_age ON event (received_at);

-- How far each walk through the events came; the next goes on from there.
CREATE TABLE sweep (
    name TEXT PRIMARY KEY,
    began REAL NOT NULL, -- when this round began
    at REAL NOT NULL, -- the arrival of the event that was looked at last, and its number
    seq INTEGER NOT NULL,
    ended INTEGER NOT NULL -- the round has looked at all that is old enough
) STRICT, WITHOUT ROWID;

-- Tells whether a lane is empty.
CREATE INDEX delivery_lane ON delivery (lane);

-- The arrival of the last event of a lane that is empty, while its applied versions are kept.
ALTER TABLE lane ADD COLUMN idle_at REAL;
CREATE INDEX lane_idle ON lane (idle_at) WHERE idle_at IS NOT NULL;

-- Until now nothing removed a lane. Nobody knows when these became empty: today at the latest.
UPDATE lane
SET idle_at = unixepoch()
WHERE
    head IS NULL AND NOT held
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.lane = lane.id);
