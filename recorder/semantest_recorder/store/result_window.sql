-- Windows of a run's results. {where} stands for the conditions that were chosen, {order} for one of the orders; both are
-- texts of this file. `tests` is joined so that SQLite leaves it out where no condition and no order needs it. What is in a
-- suite begins with its name and `/` or `::`, so it is between the name and the name with `;`.

-- name: keys
SELECT test_key FROM (SELECT x.test_key, {order} AS k FROM results x LEFT JOIN tests t USING (test_key) WHERE {where})
WHERE :key IS NULL OR (k, test_key) > (:key, :test_key) ORDER BY k, test_key LIMIT :most;

-- name: keys_backwards
SELECT test_key FROM (SELECT x.test_key, {order} AS k FROM results x LEFT JOIN tests t USING (test_key) WHERE {where})
WHERE :key IS NULL OR (k, test_key) < (:key, :test_key) ORDER BY k DESC, test_key DESC LIMIT :most;

-- name: place
SELECT {order}, x.test_key FROM tests t CROSS JOIN results x ON x.test_key = t.test_key
WHERE x.run_key = :run_key AND t.id = :test;

-- name: states
SELECT count(*), group_concat(x.state) FILTER (WHERE x.state <> 'passed'), group_concat(x.test_key)
FROM results x LEFT JOIN tests t USING (test_key) WHERE {where};

-- name: rows
SELECT x.test_key, t.id, x.state, x.attempts, x.duration_ms, x.worker, coalesce(x.suite_id, t.suite), x.markers, x.reason,
       x.repetitions, x.quarantine IS NOT NULL, x.forgiven
FROM json_each(?2) n CROSS JOIN results x ON x.run_key = ?1 AND x.test_key = n.value CROSS JOIN tests t USING (test_key)
ORDER BY n.key;

-- name: errors
SELECT a.test_key, a.error_type, substr(a.error_message, 1, 2000)
FROM json_each(?2) n CROSS JOIN attempts a ON a.run_key = ?1 AND a.test_key = n.value
WHERE a.error_type IS NOT NULL OR a.error_message IS NOT NULL ORDER BY a.test_key, a.attempt, a.source_key;

-- name: where_run
x.run_key = :run_key

-- name: where_states
x.state IN (SELECT value FROM json_each(:states))

-- name: where_worker
x.worker = :worker

-- name: where_marker
x.markers <> '[]' AND EXISTS (SELECT 1 FROM json_each(x.markers) WHERE value = :marker)

-- name: where_suite
coalesce(x.suite_id, t.suite) BETWEEN :suite AND :suite || ';'
AND (coalesce(x.suite_id, t.suite) = :suite OR substr(coalesce(x.suite_id, t.suite), length(:suite) + 1, 1) = '/'
     OR substr(coalesce(x.suite_id, t.suite), length(:suite) + 1, 2) = '::')

-- name: where_found
x.test_key IN (SELECT value FROM json_each(:found))

-- name: where_text
(t.id LIKE :text ESCAPE '\' OR x.reason LIKE :text ESCAPE '\'
 OR x.test_key IN (SELECT a.test_key FROM attempts a
                   WHERE a.run_key = :run_key AND a.error_message IS NOT NULL AND a.error_message LIKE :text ESCAPE '\'))

-- name: order_plan
coalesce(x.position, 9000000000000)

-- name: order_duration
-x.duration_ms

-- name: order_name
t.id

-- name: order_state
coalesce(x.position, 900000000) + 1000000000 * CASE x.state
    WHEN 'crashed' THEN 0 WHEN 'lost' THEN 1 WHEN 'timeout' THEN 2 WHEN 'error' THEN 3 WHEN 'failed' THEN 4
    WHEN 'interrupted' THEN 5 WHEN 'not_run' THEN 6 WHEN 'flaky' THEN 7 WHEN 'running' THEN 8 WHEN 'pending' THEN 9
    WHEN 'xpassed' THEN 10 WHEN 'xfailed' THEN 11 WHEN 'skipped' THEN 12 ELSE 13 END
