-- name: codes
SELECT run_key, coalesce(json_type(context, '$.git.dirty'), 'false') = 'false', "commit",
       json_extract(facts, '$.pythonVersion'), json_extract(facts, '$.platform'),
       json_extract(context, '$.environment.packages'), labels
FROM runs WHERE run_key IN (SELECT value FROM json_each(?));

-- name: not_good
SELECT run_key, test_key, state = 'flaky' OR (repetitions IS NOT NULL AND attempts > 1)
FROM results INDEXED BY results_not_passed
WHERE run_key IN (SELECT value FROM json_each(?)) AND state <> 'passed' AND state <> 'pending' AND state <> 'running'
      AND state IN ('flaky', 'failed', 'error', 'crashed', 'timeout');

-- name: numbers_bad
SELECT run_key, count(*) FROM results
WHERE run_key IN (SELECT value FROM json_each(?)) AND state <> 'passed' AND state <> 'pending' AND state <> 'running'
      AND state IN ('flaky', 'failed', 'error', 'crashed', 'timeout')
GROUP BY run_key;

-- name: closed
SELECT id, run_key FROM runs WHERE id IN (SELECT value FROM json_each(?)) AND state NOT IN ('pending', 'running');

-- name: judged
SELECT count(*) FROM (SELECT 1 FROM results
WHERE run_key = ? AND state IN ('passed', 'xpassed', 'flaky', 'failed', 'error', 'crashed', 'timeout') LIMIT ?);

-- Of a test that was to run several times the attempts where it was bad: in another leg of a matrix it may have passed.

-- name: observations
SELECT test_key, run_key, state,
       coalesce(iif(repetitions IS NULL, NULL, (
           SELECT count(*) FROM attempts a WHERE a.run_key = results.run_key AND a.test_key = results.test_key
           GROUP BY source_key HAVING sum(outcome IN ('failed', 'error', 'crashed', 'timeout')) ORDER BY 1 DESC LIMIT 1
       )), attempts), fingerprint, duration_ms, repetitions IS NOT NULL
FROM results
WHERE run_key IN (SELECT value FROM json_each(?1)) AND test_key IN (SELECT value FROM json_each(?2));

-- name: errors
SELECT a.error_type, coalesce(a.error_message, a.reason)
FROM attempts a
WHERE a.test_key IN (SELECT test_key FROM tests WHERE id IN (SELECT value FROM json_each(?1)))
     AND a.run_key IN (SELECT value FROM json_each(?2))
     AND a.outcome IN ('failed', 'error', 'crashed', 'timeout', 'interrupted', 'lost')
ORDER BY a.started_ms;
