-- name: passed
SELECT test_key, duration_ms FROM results WHERE run_key = ? AND state IN ('passed', 'xpassed');
