-- Attempts that ended by themselves, or by pytest-timeout: what others took says nothing of the test.
-- {ms} is a column.

-- name: sums
SELECT test_key, count(*), sum({ms}), max({ms}) FROM attempts
WHERE run_key IN (SELECT value FROM json_each(?)) AND {ms} IS NOT NULL
      AND (outcome = 'passed' OR outcome IN ('failed', 'error', 'xfailed', 'xpassed', 'timeout'))
GROUP BY test_key;

-- The longest times of a run: the one at a place.

-- name: long_time
SELECT {ms} FROM attempts
WHERE run_key = ?1 AND {ms} IS NOT NULL AND outcome IN ('passed', 'failed', 'error', 'xfailed', 'xpassed', 'timeout')
ORDER BY {ms} DESC LIMIT 1 OFFSET ?2;

-- Attempts come in the order of their runs: nothing is sorted.

-- name: long_ones
SELECT sum({ms}), group_concat(test_key) FILTER (WHERE {ms} >= ?2) FROM attempts
WHERE run_key IN (SELECT value FROM json_each(?1)) AND {ms} IS NOT NULL
      AND (outcome = 'passed' OR outcome IN ('failed', 'error', 'xfailed', 'xpassed', 'timeout'))
GROUP BY run_key;

-- name: tests
WITH r AS MATERIALIZED (SELECT value FROM json_each(?))
SELECT t.test_key, t.id FROM tests t
WHERE EXISTS (SELECT 1 FROM r CROSS JOIN attempts a ON a.run_key = r.value AND a.test_key = t.test_key
              WHERE a.{ms} IS NOT NULL AND a.outcome IN ('passed', 'failed', 'error', 'xfailed', 'xpassed', 'timeout'));

-- name: samples
SELECT test_key, run_key, {ms} FROM attempts
WHERE run_key IN (SELECT value FROM json_each(?1)) AND test_key IN (SELECT value FROM json_each(?2))
      AND {ms} IS NOT NULL AND outcome IN ('passed', 'failed', 'error', 'xfailed', 'xpassed', 'timeout');

-- name: suites
SELECT t.suite, sum(a.{ms}) FROM attempts a JOIN tests t USING (test_key)
WHERE a.run_key = ? AND a.{ms} IS NOT NULL
      AND a.outcome IN ('passed', 'failed', 'error', 'xfailed', 'xpassed', 'timeout')
GROUP BY t.suite;
