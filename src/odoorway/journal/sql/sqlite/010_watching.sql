-- When a source sent last, and how long it is silent at times, without reading an event.
CREATE INDEX event_rhythm ON event (source, received_at);

CREATE INDEX rejection_at ON rejection (at);

-- Since when a source has the secrets that it has; the mark does not reveal them.
CREATE TABLE secret_mark (
    source TEXT PRIMARY KEY,
    mark TEXT NOT NULL,
    since REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- It was kept as text in the audit log: "<source> <mark>", and the newest counts.
INSERT INTO secret_mark (source, mark, since)
SELECT substr(detail, 1, instr(detail, ' ') - 1), substr(detail, instr(detail, ' ') + 1), at
FROM deed
WHERE
    seq IN (
        SELECT max(seq) FROM deed
        WHERE action = 'secret' AND instr(detail, ' ') > 1
        GROUP BY substr(detail, 1, instr(detail, ' ') - 1)
    );
