-- name: sources
SELECT s.source_key, s.source, s.session, s.worker, r.id,
       (SELECT ifnull(max(e.seq), 0) FROM events e WHERE e.source_key = s.source_key),
       (SELECT max(b.received_ms) FROM batches b WHERE b.source_key = s.source_key)
FROM sources s JOIN runs r USING (run_key) ORDER BY s.source_key;

-- name: events
SELECT seq, type, time_ms, CAST(payload AS BLOB) FROM events WHERE source_key = ? AND seq BETWEEN ? AND ? ORDER BY seq;

-- name: no_table
SELECT lower(name) FROM sqlite_schema
WHERE lower(name) IN ('runs', 'sources', 'events', 'batches', 'marks') AND type NOT IN ('table', 'index') LIMIT 1;

-- name: recorded_session
SELECT 1 FROM sources WHERE session = ? AND last_seq > 0 AND holder IS NOT ? LIMIT 1;

-- name: known
SELECT s.source_key, s.last_seq, s.holder, r.id FROM sources s JOIN runs r USING (run_key) WHERE s.source = ?;
