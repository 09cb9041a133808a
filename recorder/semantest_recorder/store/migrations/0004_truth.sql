-- Which places of a plan are known: a chunk that is said twice counts once.
ALTER TABLE sources ADD COLUMN plan_spans TEXT NOT NULL DEFAULT '';
UPDATE sources SET plan_spans = '0-' || plan_known WHERE plan_known > 0;

-- Whose token may go on with a source.
ALTER TABLE sources ADD COLUMN holder TEXT;

-- Runs in time: a clock that is ahead makes no run the last one.
ALTER TABLE runs ADD COLUMN received_ms REAL;
ALTER TABLE runs ADD COLUMN since_ms REAL GENERATED ALWAYS AS (min(started_ms, coalesce(received_ms, started_ms))) VIRTUAL;
UPDATE runs SET received_ms =
    (SELECT min(b.received_ms) FROM sources s JOIN batches b USING (source_key) WHERE s.run_key = runs.run_key);
DROP INDEX runs_by_start;
CREATE INDEX runs_by_time ON runs (since_ms);
