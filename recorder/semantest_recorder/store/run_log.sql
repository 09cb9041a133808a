-- What is in a run besides its tests.

-- name: planned
SELECT count(position) FROM results WHERE run_key = ?;

-- name: warnings
SELECT category, message, file, line, sum(count), count(DISTINCT test_id), min(test_id), count(*) OVER ()
FROM warnings WHERE run_key = ? GROUP BY category, message, file, line
ORDER BY sum(count) DESC, category, message, file, line LIMIT ?;

-- name: events
SELECT s.source, e.seq, e.type, e.time_ms, substr(e.payload, 1, :characters), length(e.payload)
FROM sources s CROSS JOIN events e USING (source_key)
WHERE s.run_key = :run_key AND e.type NOT LIKE 'test/%' AND (:type = '' OR e.type = :type)
      AND (:time_ms IS NULL OR (e.time_ms, s.source_key, e.seq) > (:time_ms, :source_key, :seq))
ORDER BY e.time_ms, s.source_key, e.seq LIMIT :most;

-- name: place
SELECT e.time_ms, s.source_key, e.seq FROM sources s JOIN events e USING (source_key)
WHERE s.run_key = ? AND s.source = ? AND e.seq = ?;
