-- Leases in a row that ended without an outcome: the process died, or was stopped for too long.
ALTER TABLE delivery ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
