-- name: states
SELECT state, count(*) FROM results WHERE run_key = ? GROUP BY state;

-- name: first_runs
SELECT x.test_key, min(r.key) FROM json_each(?) r CROSS JOIN results x ON x.run_key = r.value GROUP BY x.test_key;
