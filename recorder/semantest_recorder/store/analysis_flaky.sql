-- name: codes
SELECT run_key, coalesce(json_type(context, '$.git.dirty'), 'false') = 'false',
       coalesce(json_extract(context, '$.git.commit'), json_extract(context, '$.ci.commit')),
       json_extract(facts, '$.pythonVersion'), json_extract(facts, '$.platform'),
       json_extract(context, '$.environment.packages'), labels
FROM runs WHERE run_key IN (SELECT value FROM json_each(?));

-- The second condition follows from the third, and is done with most rows in half the time.
-- name: not_good
SELECT run_key, test_key, state FROM results
WHERE run_key IN (SELECT value FROM json_each(?)) AND state <> 'passed'
      AND state IN ('flaky', 'failed', 'error', 'crashed', 'timeout');

-- name: judged
SELECT count(*) FROM results
WHERE run_key = ? AND state IN ('passed', 'xpassed', 'flaky', 'failed', 'error', 'crashed', 'timeout');

-- name: observations
SELECT test_key, run_key, state, attempts, fingerprint, duration_ms FROM results
WHERE run_key IN (SELECT value FROM json_each(?1)) AND test_key IN (SELECT value FROM json_each(?2));

-- name: errors
SELECT a.error_type, a.error_message
FROM attempts a
WHERE a.test_key IN (SELECT test_key FROM tests WHERE id IN (SELECT value FROM json_each(?1)))
     AND a.run_key IN (SELECT value FROM json_each(?2))
     AND a.outcome IN ('failed', 'error', 'crashed', 'timeout', 'interrupted', 'lost')
ORDER BY a.started_ms;
