-- name: people
SELECT name, role, secret, expires, is_token FROM person ORDER BY name;

-- name: person_put
INSERT INTO person (name, role, secret, expires, is_token)
VALUES (:name, :role, :secret, :expires, :is_token)
ON CONFLICT (name) DO UPDATE SET
    role = excluded.role, secret = excluded.secret, expires = excluded.expires,
    is_token = excluded.is_token;

-- name: person_remove
DELETE FROM person WHERE name = :name RETURNING name;

-- name: deed_add
INSERT INTO deed (at, who, action, detail) VALUES (:at, :who, :action, :detail);

-- name: deeds
SELECT at, who, action, detail FROM deed ORDER BY seq DESC LIMIT :limit;

-- The same secrets as before change nothing, so `since` stays.
-- name: secret_mark
INSERT INTO secret_mark (source, mark, since) VALUES (:source, :mark, :since)
ON CONFLICT (source) DO UPDATE SET mark = excluded.mark, since = excluded.since
WHERE mark <> excluded.mark
RETURNING source;

-- name: secret_marks
SELECT source, mark, since FROM secret_mark;
