-- A declared source has a budget of rejections of its own; all other paths share one, named ''.
ALTER TABLE rejection ADD COLUMN budget TEXT NOT NULL DEFAULT '';
ALTER TABLE rejection ADD COLUMN number INTEGER NOT NULL DEFAULT 0; -- within its budget

UPDATE rejection
SET budget = source
WHERE code NOT IN ('request.not-found', 'request.unknown-source');

UPDATE rejection
SET number = numbered.number
FROM (
    SELECT seq, row_number() OVER (PARTITION BY budget ORDER BY seq) AS number FROM rejection
) AS numbered
WHERE rejection.seq = numbered.seq;

CREATE INDEX rejection_budget ON rejection (budget, number);

-- What the problems are made of, so that no body is read for them.
CREATE INDEX rejection_problem ON rejection (budget, code, at, id);
