-- Attempts that ended by themselves, or by pytest-timeout: what others took says nothing of the test.
-- {ms} is a column.

-- name: sums
SELECT test_key, count(*), sum({ms}), max({ms}) FROM attempts
WHERE run_key IN (SELECT value FROM json_each(?)) AND {ms} IS NOT NULL
      AND (outcome = 'passed' OR outcome IN ('failed', 'error', 'xfailed', 'xpassed', 'timeout'))
GROUP BY test_key;

-- name: samples
SELECT test_key, run_key, {ms} FROM attempts
WHERE run_key IN (SELECT value FROM json_each(?1)) AND test_key IN (SELECT value FROM json_each(?2))
      AND {ms} IS NOT NULL AND outcome IN ('passed', 'failed', 'error', 'xfailed', 'xpassed', 'timeout');

-- name: suites
SELECT t.suite, sum(a.{ms}) FROM attempts a JOIN tests t USING (test_key)
WHERE a.run_key = ? AND a.{ms} IS NOT NULL
      AND a.outcome IN ('passed', 'failed', 'error', 'xfailed', 'xpassed', 'timeout')
GROUP BY t.suite;
