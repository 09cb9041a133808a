-- A pull request's branch may be that of another repository, and be called as ours is: see `pull_request_of`.

-- name: window
SELECT run_key, id, state, coalesce(since_ms, 0.0), started_ms, ended_ms, branch, "commit", shards_missing,
       json_extract(context, '$.ci.pullRequest'), planned
FROM runs
WHERE state NOT IN ('pending', 'running') AND coalesce(since_ms, 0.0) >= ?1
      AND (?2 IS NULL OR branch = ?2 AND json_extract(context, '$.ci.pullRequest') IS ?3)
      AND coalesce(since_ms, 0.0) < ?5
ORDER BY since_ms DESC, run_key DESC LIMIT ?4;

-- name: began
SELECT coalesce(since_ms, 0.0) FROM runs WHERE id = ?;

-- name: keys
SELECT run_key FROM runs
WHERE state NOT IN ('pending', 'running')
      AND (?1 IS NULL OR branch = ?1 AND json_extract(context, '$.ci.pullRequest') IS ?2)
ORDER BY since_ms, run_key;

-- name: pull_request_of
SELECT json_extract(context, '$.ci.pullRequest') FROM runs
WHERE branch = ?1
      AND NOT EXISTS (SELECT 1 FROM runs WHERE branch = ?1 AND json_extract(context, '$.ci.pullRequest') IS NULL)
ORDER BY since_ms DESC, run_key DESC LIMIT 1;

-- name: branches
SELECT DISTINCT branch FROM runs WHERE branch IS NOT NULL ORDER BY branch;

-- name: test_ids
SELECT test_key, id FROM tests WHERE test_key IN (SELECT value FROM json_each(?));

-- name: test_keys
SELECT test_key, id FROM tests WHERE id IN (SELECT value FROM json_each(?));
