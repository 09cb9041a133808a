-- name: of_all
SELECT test_key, duration_ms FROM results
WHERE run_key IN (SELECT value FROM json_each(?)) AND (state = 'passed' OR state = 'xpassed');

-- name: of_some
SELECT test_key, duration_ms FROM json_each(?1) r CROSS JOIN json_each(?2) k
     CROSS JOIN results x ON x.run_key = r.value AND x.test_key = k.value
WHERE state = 'passed' OR state = 'xpassed';
