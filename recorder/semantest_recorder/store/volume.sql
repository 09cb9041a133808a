-- name: runs
SELECT id, state FROM runs;

-- name: totals
SELECT (SELECT count(*) FROM tests), (SELECT count(*) FROM suites), (SELECT coalesce(sum(last_seq), 0) FROM sources);
