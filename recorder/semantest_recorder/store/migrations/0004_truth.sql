-- Which places of a plan are known: a chunk that is said twice counts once.
ALTER TABLE sources ADD COLUMN plan_spans TEXT NOT NULL DEFAULT '';
UPDATE sources SET plan_spans = '0-' || plan_known WHERE plan_known > 0;

-- Whose token may go on with a source.
ALTER TABLE sources ADD COLUMN holder TEXT;
