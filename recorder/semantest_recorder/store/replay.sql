-- name: log_batches
SELECT s.source, b.source_key, b.first_seq, b.last_seq, b.received_ms, s.holder
FROM batches b JOIN sources s USING (source_key) ORDER BY b.batch_key;

-- name: log_of_runs
SELECT s.source, b.source_key, b.first_seq, b.last_seq, b.received_ms, s.holder
FROM batches b JOIN sources s USING (source_key) JOIN runs r USING (run_key)
WHERE r.ended_ms IS NULL OR r.id IN (SELECT value FROM json_each(?)) ORDER BY b.batch_key;

-- name: log_events
SELECT type, time_ms, CAST(payload AS BLOB) FROM events WHERE source_key = ? AND seq BETWEEN ? AND ? ORDER BY seq;

-- name: openings
SELECT s.source_key, s.source, e.type, e.time_ms, e.payload
FROM old.sources s JOIN old.events e ON e.source_key = s.source_key AND e.seq = 1 ORDER BY s.source_key;

-- name: without_opening
SELECT s.source FROM old.sources s
WHERE EXISTS (SELECT 1 FROM old.events e WHERE e.source_key = s.source_key)
      AND NOT EXISTS (SELECT 1 FROM old.events e WHERE e.source_key = s.source_key AND e.seq = 1);

-- name: place_run
INSERT OR IGNORE INTO runs (run_key, id, state, received_ms)
VALUES ((SELECT run_key FROM old.runs WHERE id = ?1), ?1, 'running', (SELECT received_ms FROM old.runs WHERE id = ?1));

-- name: place_source
INSERT INTO sources (source_key, source, run_key, session, worker, holder)
VALUES (?1, ?2, (SELECT run_key FROM runs WHERE id = ?3), ?4, ?5, (SELECT holder FROM old.sources WHERE source_key = ?1));

-- name: copy_events
INSERT INTO events SELECT e.* FROM json_each(?) r CROSS JOIN old.events e
WHERE e.source_key = r.value ->> 0 AND e.seq BETWEEN r.value ->> 1 AND r.value ->> 2;

-- name: beyond_batches
SELECT s.source FROM sources s
WHERE (SELECT max(e.seq) FROM old.events e WHERE e.source_key = s.source_key) > s.last_seq
      OR (SELECT min(e.seq) FROM old.events e WHERE e.source_key = s.source_key) < 1;

-- name: copy_batches
INSERT INTO batches SELECT * FROM old.batches WHERE source_key IN (SELECT source_key FROM sources) ORDER BY batch_key;

-- name: copy_marks
INSERT INTO marks SELECT * FROM old.marks WHERE source_key IN (SELECT source_key FROM sources);

-- name: copy_meta
INSERT INTO meta SELECT * FROM old.meta;

-- name: copy_deleted_sources
INSERT INTO deleted_sources SELECT * FROM old.deleted_sources;

-- name: copy_aliases
INSERT INTO aliases SELECT * FROM old.aliases;

-- name: copy_alerts
INSERT INTO alerts SELECT * FROM old.alerts;

-- name: copy_judged_runs
INSERT INTO judged_runs SELECT * FROM old.judged_runs;

-- name: copy_silences
INSERT INTO silences SELECT * FROM old.silences;

-- name: copy_deliveries
INSERT INTO deliveries SELECT * FROM old.deliveries;

-- name: keep_quarantine
INSERT OR IGNORE INTO quarantine SELECT * FROM old.quarantine
WHERE kind NOT IN ('malformed', 'failed') AND source_key IN (SELECT source_key FROM sources);

-- name: count_events
SELECT ifnull(sum(last_seq - first_seq + 1), 0) FROM batches;
