-- name: closed_runs
SELECT run_key, iif(planned, planned, (SELECT ifnull(sum(total), 0) FROM suites s WHERE s.run_key = r.run_key)), since_ms
FROM runs r WHERE state NOT IN ('pending', 'running') AND since_ms IS NOT NULL ORDER BY since_ms DESC, run_key DESC LIMIT 1000;

-- name: verdicts
SELECT test_key, state, duration_ms, fingerprint FROM results
WHERE run_key = ? AND state NOT IN ('pending', 'running', 'interrupted', 'not_run', 'lost');

-- name: fixtures
SELECT test_key, max(ifnull(setup_ms, 0) + ifnull(teardown_ms, 0)) FROM attempts
WHERE run_key = ? AND (setup_ms IS NOT NULL OR teardown_ms IS NOT NULL) GROUP BY test_key;

-- name: test_ids
SELECT test_key, id FROM tests WHERE test_key IN (SELECT value FROM json_each(?));

-- name: all_test_ids
SELECT test_key, id FROM tests;

-- name: basis
SELECT count(*), max(ended_ms), max(run_key), (SELECT count(*) || ' ' || max(since_ms) FROM aliases)
FROM runs WHERE state NOT IN ('pending', 'running');
