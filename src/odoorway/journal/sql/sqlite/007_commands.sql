-- What the handler wanted written, as it was sent: to be compared with what it would want today.
ALTER TABLE attempt ADD COLUMN commands TEXT NOT NULL DEFAULT '';
