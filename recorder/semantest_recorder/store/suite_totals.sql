-- What is in the suites of a run. The states of tests that passed are what is left of the totals: few did not.

-- name: totals
SELECT coalesce(x.suite_id, t.suite), count(*), sum(x.duration_ms)
FROM results x JOIN tests t USING (test_key) WHERE x.run_key = ? GROUP BY 1;

-- name: not_passed
SELECT coalesce(x.suite_id, t.suite), x.state, count(*)
FROM results x JOIN tests t USING (test_key) WHERE x.run_key = ? AND x.state <> 'passed' GROUP BY 1, 2;
