-- Most tests passed: only the states of the others are told one by one, and nothing has to be sorted.

-- name: states
SELECT run_key, count(*), group_concat(state) FILTER (WHERE state <> 'passed') FROM results
WHERE run_key IN (SELECT value FROM json_each(?)) GROUP BY run_key;

-- name: keys
SELECT run_key, id FROM runs WHERE id IN (SELECT value FROM json_each(?));
