-- Which record of a destination an external ID means, where Odoo itself does not know it: one
-- that was adopted by a natural key.
CREATE TABLE binding (
    destination TEXT NOT NULL,
    xid TEXT NOT NULL,
    model TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (destination, xid)
) STRICT, WITHOUT ROWID;
