-- Results of a run for lists of them. {order} is one of the orders in result_list.py: no word of anybody else.

-- name: chosen
SELECT id, state, position, attempts, duration_ms, worker, file, line, started_ms, ended_ms, reason, suite_id,
       fingerprint, quarantine, repetitions, forgiven, markers, k, t
FROM (SELECT s.id, x.*, {order} AS k, x.test_key AS t
      FROM results x JOIN tests s USING (test_key)
      WHERE x.run_key = :run_key AND (:states IS NULL OR x.state IN (SELECT value FROM json_each(:states)))
            AND (:worker IS NULL OR x.worker = :worker)
            AND (:suite IS NULL OR coalesce(x.suite_id, s.suite) = :suite)
            AND (:text IS NULL OR instr(lower(s.id), lower(:text))))
WHERE (:after IS NULL OR (k, t) > (:after, :tie))
ORDER BY k, t LIMIT :most;

-- name: number
SELECT count(*) FROM results x JOIN tests s USING (test_key)
WHERE x.run_key = :run_key AND (:states IS NULL OR x.state IN (SELECT value FROM json_each(:states)))
      AND (:worker IS NULL OR x.worker = :worker)
      AND (:suite IS NULL OR coalesce(x.suite_id, s.suite) = :suite)
      AND (:text IS NULL OR instr(lower(s.id), lower(:text)));

-- name: one
SELECT s.id, x.state, x.position, x.attempts, x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms,
       x.reason, x.suite_id, x.fingerprint, x.quarantine, x.repetitions, x.forgiven, x.markers
FROM tests s CROSS JOIN results x ON x.test_key = s.test_key
WHERE s.id = :test AND x.run_key = :run_key;

-- name: alike
SELECT s.id FROM results x JOIN tests s USING (test_key)
WHERE x.run_key = ?1 AND instr(s.id, ?2) > 0 ORDER BY length(s.id), s.id LIMIT ?3;

-- name: run_key
SELECT run_key FROM runs WHERE id = ?;
