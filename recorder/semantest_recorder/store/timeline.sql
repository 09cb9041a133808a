-- name: sources_between
SELECT source_key, source, coalesce(started_ms, 0.0) FROM sources
WHERE last_seq > 0 AND (last_ms IS NULL OR last_ms >= ?1 - 3600000.0) AND (started_ms IS NULL OR started_ms <= ?2 + 3600000.0);

-- name: first_at
SELECT seq FROM events WHERE source_key = ?1 AND time_ms >= ?2 ORDER BY seq LIMIT 1;

-- name: next_events
SELECT seq, type, time_ms, payload FROM events WHERE source_key = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3;

-- name: sources_by_age
SELECT source_key, source, coalesce(last_ms, 9e99) FROM sources WHERE last_seq > 0 ORDER BY 3 DESC;

-- name: last_events
SELECT seq, type, time_ms, payload FROM events WHERE source_key = ?1 AND wanted(type) ORDER BY seq DESC LIMIT ?2;
