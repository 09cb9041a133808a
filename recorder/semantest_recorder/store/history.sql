-- name: recent_runs
SELECT run_key FROM runs WHERE state NOT IN ('pending', 'running') ORDER BY since_ms DESC, run_key DESC LIMIT ?;

-- name: flaky_tests
SELECT DISTINCT test_key FROM results
WHERE state = 'flaky' AND run_key IN (SELECT value FROM json_each(?));

-- name: flaky_results
SELECT t.id, x.state, x.duration_ms FROM json_each(?1) k CROSS JOIN json_each(?2) r
     CROSS JOIN results x ON x.run_key = r.value AND x.test_key = k.value JOIN tests t ON t.test_key = k.value
WHERE x.attempts > 0;

-- name: passed
SELECT test_key, duration_ms FROM results WHERE run_key = ? AND state IN ('passed', 'xpassed');

-- name: test_ids
SELECT test_key, id FROM tests WHERE test_key IN (SELECT value FROM json_each(?));
