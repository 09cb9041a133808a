-- name: sources_between
SELECT source_key, source, began_ms FROM (
    SELECT s.source_key, s.source,
           coalesce(min(s.started_ms, (SELECT b.received_ms FROM batches b WHERE b.source_key = s.source_key
                                       ORDER BY b.batch_key LIMIT 1)), 0.0) AS began_ms,
           (SELECT b.received_ms FROM batches b WHERE b.source_key = s.source_key
            ORDER BY b.batch_key DESC LIMIT 1) AS heard_ms
    FROM sources s WHERE s.last_seq > 0)
WHERE heard_ms >= ?1 - 3600000.0 AND began_ms <= ?2 + 3600000.0;

-- name: first_at
SELECT seq FROM events WHERE source_key = ?1 AND time_ms >= ?2 AND seq >= ?3 ORDER BY seq LIMIT 1;

-- name: batches_from
SELECT batch_key, first_seq, last_seq, received_ms FROM batches
WHERE source_key = ?1 AND batch_key > ?2 AND last_seq >= ?3 ORDER BY batch_key LIMIT ?4;

-- name: next_events
SELECT seq, type, time_ms, payload FROM events WHERE source_key = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3;

-- name: sources_by_age
SELECT source_key, source, coalesce(last_ms, 9e99) FROM sources WHERE last_seq > 0 ORDER BY 3 DESC;

-- name: last_events
SELECT seq, type, time_ms, payload FROM events WHERE source_key = ?1 AND wanted(type) ORDER BY seq DESC LIMIT ?2;
