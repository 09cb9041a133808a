-- What changes with every event, with every deletion, and with every alias.

-- name: run
SELECT r.state, total(s.last_seq), count(s.source_key), r.run_key
FROM runs r LEFT JOIN sources s USING (run_key) WHERE r.id = ? GROUP BY r.run_key;

-- name: closed_runs
SELECT count(*), coalesce(max(run_key), 0), total(since_ms) FROM runs WHERE state NOT IN ('pending', 'running');

-- name: closed_sources
SELECT count(*), total(last_seq) FROM sources s JOIN runs r USING (run_key)
WHERE r.state NOT IN ('pending', 'running');

-- name: aliases
SELECT count(*), total(since_ms), coalesce(group_concat(state, ''), '') FROM aliases;

-- name: runs
SELECT r.id, r.state, total(s.last_seq), count(s.source_key)
FROM json_each(?) n CROSS JOIN runs r ON r.id = n.value LEFT JOIN sources s USING (run_key) GROUP BY r.run_key;
