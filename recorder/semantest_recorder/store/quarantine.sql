-- name: past_runs
SELECT r.run_key, r.id, r.planned,
       r.state IN ('passed', 'failed') AND NOT r.stopped_early AND r.gaps = 0 AND json_extract(r.facts, '$.origin') IS NOT 'client'
FROM runs r WHERE r.state NOT IN ('pending', 'running') ORDER BY r.since_ms DESC, r.run_key DESC LIMIT ?;

-- name: tests_of_run
SELECT t.id FROM results x JOIN tests t USING (test_key) WHERE x.run_key = ? AND x.position IS NOT NULL ORDER BY x.position;

-- name: all_tests
SELECT id FROM tests ORDER BY id;

-- name: past_states
SELECT t.id, x.state FROM json_each(?1) r CROSS JOIN json_each(?2) i CROSS JOIN tests t ON t.id = i.value
     CROSS JOIN results x ON x.run_key = r.value AND x.test_key = t.test_key
WHERE x.attempts > 0 ORDER BY r.key;
