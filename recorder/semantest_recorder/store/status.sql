-- name: open_runs
SELECT r.id, (SELECT coalesce(s.stop_reason, 'cancelled') FROM sources s
              WHERE s.run_key = r.run_key AND (s.cancelled OR s.timed_out) LIMIT 1)
FROM runs r WHERE r.state IN ('pending', 'running') ORDER BY r.started_ms, r.run_key;

-- name: open_processes
SELECT session, worker FROM sources s
WHERE run_key = (SELECT run_key FROM runs WHERE id = ?) AND worker <> ? AND state = 'open' AND NOT EXISTS
      (SELECT 1 FROM sources m WHERE m.source = s.session || '.main' AND m.run_key = s.run_key AND m.state = 'ended')
ORDER BY source_key;

-- name: outcomes
SELECT t.id, a.attempt, a.outcome FROM attempts a JOIN tests t USING (test_key)
WHERE a.run_key = (SELECT run_key FROM runs WHERE id = ?) ORDER BY a.test_key, a.attempt, a.source_key;

-- name: has_run
SELECT 1 FROM runs WHERE id = ?;

-- name: result_counts
SELECT state, count(*) FROM results WHERE run_key = (SELECT run_key FROM runs WHERE id = ?) GROUP BY state;

-- name: suite_counts
SELECT count(*), count(ended_ms) FROM suites WHERE run_key = (SELECT run_key FROM runs WHERE id = ?);

-- name: totals
SELECT (SELECT coalesce(sum(last_seq), 0) FROM sources), (SELECT count(*) FROM runs), (SELECT count(*) FROM results),
       (SELECT count(*) FROM suites);

-- name: active_counts
SELECT x.state, count(*) FROM results x JOIN runs r USING (run_key)
WHERE r.state IN ('pending', 'running') GROUP BY x.state;

-- name: results_page
SELECT t.test_key, t.id, x.state, x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms, x.reason, x.suite_id,
       iif(x.repetitions IS NULL, max(x.attempts - 1, 0), 0) AS retries
FROM results x JOIN tests t USING (test_key)
WHERE x.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND x.test_key > ?2 ORDER BY x.test_key LIMIT ?3;

-- name: error_of_test
SELECT a.error_type, a.error_message, a.error_file, a.error_line,
       (SELECT e.payload FROM events e WHERE e.source_key = a.source_key AND e.seq = a.detail_seq)
FROM attempts a
WHERE a.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND a.test_key = ?2
      AND a.error_message IS NOT NULL ORDER BY a.attempt DESC LIMIT 1;

-- name: details_of_test
SELECT x.type, e.time_ms, x.source_key, x.seq
FROM test_events x JOIN events e ON e.source_key = x.source_key AND e.seq = x.seq
WHERE x.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND x.test_key = ?2
ORDER BY e.time_ms, x.source_key, x.seq LIMIT ?3;

-- name: payload
SELECT payload FROM events WHERE source_key = ? AND seq = ?;
