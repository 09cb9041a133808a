-- The suites of a run know how many tests it has, and the index results_not_passed those that did not pass: one statement,
-- so that both are of one moment.

-- name: states
SELECT run_key, NULL, sum(total), sum(done) FROM suites
WHERE run_key IN (SELECT value FROM json_each(?1)) GROUP BY run_key
UNION ALL
SELECT run_key, state, count(*), 0 FROM results
WHERE run_key IN (SELECT value FROM json_each(?1))
      AND state <> 'passed' AND state <> 'pending' AND state <> 'running' GROUP BY run_key, state;

-- name: all_states
SELECT run_key, state, count(*) FROM results
WHERE run_key IN (SELECT value FROM json_each(?)) GROUP BY run_key, state;

-- name: keys
SELECT run_key, id FROM runs WHERE id IN (SELECT value FROM json_each(?));
