-- name: quarantined
SELECT t.id, x.state FROM json_each(?) r CROSS JOIN results x ON x.run_key = r.value AND x.quarantine IS NOT NULL
     JOIN tests t USING (test_key) ORDER BY r.key;

-- name: passed
SELECT test_key, duration_ms FROM results WHERE run_key = ? AND state IN ('passed', 'xpassed');
