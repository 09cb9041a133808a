-- The log of a run, a source after the other.

-- name: sources
SELECT source_key, source FROM sources
WHERE run_key = (SELECT run_key FROM runs WHERE id = ?1) AND source_key >= ?2 ORDER BY source_key;

-- name: types
SELECT seq, type FROM events WHERE source_key = ? AND seq > ? ORDER BY seq LIMIT ?;

-- name: event
SELECT time_ms, payload FROM events WHERE source_key = ? AND seq = ?;
