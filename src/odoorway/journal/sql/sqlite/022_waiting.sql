-- What a delivery waits for: it stands aside and lets the later ones of its lane pass. The model
-- of a record, empty for a time; `waits_on` are the record's values, as JSON.
ALTER TABLE delivery ADD COLUMN waits_for TEXT;
ALTER TABLE delivery ADD COLUMN waits_on TEXT NOT NULL DEFAULT '{}';

CREATE INDEX delivery_aside ON delivery (destination, due_at)
WHERE state = 'pending' AND waits_for IS NOT NULL;

CREATE INDEX delivery_waits ON delivery (destination, waits_for, id)
WHERE state = 'pending' AND waits_for IS NOT NULL;

CREATE INDEX delivery_aside_in_lane ON delivery (lane)
WHERE state = 'pending' AND waits_for IS NOT NULL;

DROP INDEX delivery_next;
CREATE INDEX delivery_next ON delivery (lane, turn, id)
WHERE state = 'pending' AND waits_for IS NULL;
