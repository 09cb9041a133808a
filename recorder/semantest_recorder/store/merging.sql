-- name: sources
SELECT s.source_key, s.source, s.session, s.worker, r.id,
       (SELECT ifnull(max(e.seq), 0) FROM events e WHERE e.source_key = s.source_key),
       (SELECT max(b.received_ms) FROM batches b WHERE b.source_key = s.source_key)
FROM sources s JOIN runs r USING (run_key) ORDER BY s.source_key;

-- name: events
SELECT seq, type, time_ms, CAST(payload AS BLOB) FROM events WHERE source_key = ? AND seq BETWEEN ? AND ? ORDER BY seq;

-- name: known
SELECT s.source_key, s.last_seq, s.holder, r.id FROM sources s JOIN runs r USING (run_key) WHERE s.source = ?;
