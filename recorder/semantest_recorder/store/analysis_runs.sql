-- What comparisons of runs read. Runs are ordered by since_ms; results of a test are found run by run.

-- name: key
SELECT run_key FROM runs WHERE id = ?;

-- name: facts
SELECT json_extract(facts, '$.args'), json_extract(facts, '$.cwd'), json_extract(facts, '$.rootdir'), deselected, planned,
       (SELECT count(DISTINCT session) FROM sources s WHERE s.run_key = runs.run_key), state NOT IN ('pending', 'running')
FROM runs WHERE run_key = ?;

-- name: run_before
-- A pull request's branch may be that of another repository, and be called as ours is. A run in which no test came to
-- an end, such as one of `pytest -k nothing`, is no measure of anything.
SELECT r.id FROM runs r, runs own
WHERE own.id = ?1 AND (r.since_ms, r.run_key) < (own.since_ms, own.run_key)
      AND r.state NOT IN ('pending', 'running')
      AND r.branch IS own.branch
      AND EXISTS (SELECT 1 FROM results x WHERE x.run_key = r.run_key
                  AND x.state NOT IN ('not_run', 'interrupted', 'pending', 'running'))
      AND (json_extract(r.context, '$.ci.pullRequest') IS NULL
           OR json_extract(r.context, '$.ci.pullRequest') = json_extract(own.context, '$.ci.pullRequest'))
ORDER BY r.since_ms DESC, r.run_key DESC LIMIT 1;

-- A run of less than half as many tests as the largest of the last 20 is a rerun, or of one folder: no measure of a suite.

-- name: last_of_branch
WITH of_branch AS (
    SELECT id, planned, since_ms, run_key, json_extract(context, '$.ci.pullRequest') IS NOT NULL AS is_request FROM runs
    WHERE branch = ?1 AND id <> ?2 AND state IN ('passed', 'failed') AND NOT stopped_early AND planned > 0
          AND NOT shards_missing
), ended AS (
    SELECT * FROM of_branch WHERE is_request = (SELECT min(is_request) FROM of_branch) AND NOT (is_request AND ?3)
    ORDER BY since_ms DESC, run_key DESC LIMIT 20
)
SELECT id FROM ended WHERE 2 * planned >= (SELECT max(planned) FROM ended) ORDER BY since_ms DESC, run_key DESC LIMIT 1;

-- name: last_runs
SELECT id FROM runs WHERE ?1 IS NULL OR branch = ?1 AND json_extract(context, '$.ci.pullRequest') IS ?2
ORDER BY since_ms DESC, run_key DESC LIMIT ?3;

-- name: started
SELECT id, started_ms FROM runs WHERE id IN (SELECT value FROM json_each(?));

-- name: tests
SELECT t.id, x.state, x.duration_ms, x.fingerprint
FROM results x JOIN tests t USING (test_key) WHERE x.run_key = ? ORDER BY x.position IS NULL, x.position, x.test_key;

-- Runs up to one, of its branch and of no other pull request, newest first; and those before a run that is not here.

-- name: runs_up_to
SELECT r.run_key FROM runs r, runs own
WHERE own.id = ?1 AND (r.since_ms, r.run_key) <= (own.since_ms, own.run_key)
      AND r.branch IS own.branch
      AND (json_extract(r.context, '$.ci.pullRequest') IS NULL
           OR json_extract(r.context, '$.ci.pullRequest') = json_extract(own.context, '$.ci.pullRequest'))
ORDER BY r.since_ms DESC, r.run_key DESC LIMIT ?2;

-- name: runs_before
SELECT run_key FROM runs
WHERE (?1 IS NULL OR since_ms < ?1) AND branch IS ?2
      AND (json_extract(context, '$.ci.pullRequest') IS NULL OR CAST(json_extract(context, '$.ci.pullRequest') AS TEXT) = ?3)
ORDER BY since_ms DESC, run_key DESC LIMIT ?4;

-- name: keys_of_tests
SELECT t.test_key, t.id FROM json_each(?) n CROSS JOIN tests t ON t.id = n.value;

-- name: past
SELECT x.test_key, x.state, x.duration_ms FROM json_each(?1) r CROSS JOIN json_each(?2) k
     CROSS JOIN results x ON x.run_key = r.value AND x.test_key = k.value ORDER BY r.key;

-- name: run_heads
SELECT r.run_key, r.id, r.name, r.state, r.since_ms, r.branch, r."commit", json_extract(r.context, '$.git.dirty'),
       json_extract(r.facts, '$.pythonVersion'), json_extract(r.facts, '$.platform'),
       json_extract(r.context, '$.environment.packages'), r.labels
FROM json_each(?) n CROSS JOIN runs r ON r.run_key = n.value;

-- name: results_in_runs
SELECT x.run_key, t.id, x.state, x.attempts, x.duration_ms, x.worker, x.reason, x.fingerprint
FROM json_each(?1) n CROSS JOIN json_each(?2) k CROSS JOIN tests t ON t.id = k.value
     CROSS JOIN results x ON x.run_key = n.value AND x.test_key = t.test_key
ORDER BY n.key DESC;

-- name: past_durations
SELECT r.ended_ms - r.started_ms FROM runs r, runs own
WHERE own.id = ?1 AND (r.since_ms, r.run_key) < (own.since_ms, own.run_key) AND r.branch IS own.branch
      AND r.state IN ('passed', 'failed') AND NOT r.stopped_early AND r.ended_ms > r.started_ms
      AND 2 * r.planned >= own.planned AND r.planned <= 2 * own.planned
      AND (json_extract(r.context, '$.ci.pullRequest') IS NULL
           OR json_extract(r.context, '$.ci.pullRequest') = json_extract(own.context, '$.ci.pullRequest'))
ORDER BY r.since_ms DESC, r.run_key DESC LIMIT ?2;

-- The error of the last bad attempt of each test.

-- name: errors
SELECT t.id, x.state, a.outcome, a.phase, a.error_type, a.error_message, a.error_file, a.error_line, a.reason
FROM runs r CROSS JOIN json_each(?2) n CROSS JOIN tests t ON t.id = n.value
     CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = t.test_key
     CROSS JOIN attempts a ON a.run_key = r.run_key AND a.test_key = t.test_key
WHERE r.id = ?1 AND a.outcome IN ('failed', 'error', 'crashed', 'timeout', 'interrupted', 'lost')
ORDER BY t.test_key, a.attempt;

-- A test, under any of its names, newest first: in every run, in those of a branch, in those that are compared with a run.

-- name: every_run
TRUE

-- name: of_branch
r.branch = ?3 AND json_extract(r.context, '$.ci.pullRequest') IS ?4

-- name: like_run
EXISTS (SELECT 1 FROM runs own WHERE own.id = ?3 AND r.branch IS own.branch
        AND (json_extract(r.context, '$.ci.pullRequest') IS NULL
             OR json_extract(r.context, '$.ci.pullRequest') = json_extract(own.context, '$.ci.pullRequest')))

-- name: history
SELECT r.id, r.name, r.state, r.since_ms, r.branch,
       r."commit",
       json_extract(r.context, '$.git.dirty'), t.id, x.state, x.attempts, x.duration_ms, x.worker, x.reason, x.fingerprint,
       json_extract(r.facts, '$.pythonVersion'), json_extract(r.facts, '$.platform'),
       json_extract(r.context, '$.environment.packages'), r.labels
FROM runs r CROSS JOIN json_each(?1) n CROSS JOIN tests t ON t.id = n.value
     CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = t.test_key
WHERE {which}
ORDER BY r.since_ms DESC, r.run_key DESC, n.key LIMIT ?2;

-- What failed in a run, and in one run of certain tests.

-- name: failures
SELECT t.id, x.state, a.outcome, a.phase, a.error_type, a.error_message, a.error_file, a.error_line, a.reason
FROM (SELECT run_key, test_key, state, position FROM results INDEXED BY results_not_passed
      WHERE run_key = ?1 AND state IN ('failed', 'error', 'crashed', 'timeout', 'lost', 'flaky')
            AND state <> 'passed' AND state <> 'pending' AND state <> 'running'
      ORDER BY position IS NULL, position, test_key LIMIT ?2) x
     CROSS JOIN attempts a ON a.run_key = x.run_key AND a.test_key = x.test_key JOIN tests t ON t.test_key = x.test_key
WHERE a.outcome IN ('failed', 'error', 'crashed', 'timeout', 'lost')
ORDER BY x.position IS NULL, x.position, a.test_key, a.attempt, a.source_key;

-- name: failure_count
SELECT count(*) FROM results INDEXED BY results_not_passed
WHERE run_key = ? AND state IN ('failed', 'error', 'crashed', 'timeout', 'lost', 'flaky')
      AND state <> 'passed' AND state <> 'pending' AND state <> 'running';

-- name: failures_of_tests
SELECT r.id, t.id, '', a.outcome, a.phase, a.error_type, a.error_message, a.error_file, a.error_line, a.reason
FROM (SELECT run_key, id, since_ms FROM runs
      WHERE ?3 IS NULL OR (since_ms, run_key) <= (SELECT since_ms, run_key FROM runs WHERE id = ?3)
      ORDER BY since_ms DESC, run_key DESC LIMIT ?2) r CROSS JOIN json_each(?1) k
     CROSS JOIN attempts a ON a.run_key = r.run_key AND a.test_key = k.value JOIN tests t ON t.test_key = k.value
WHERE a.outcome IN ('failed', 'error', 'crashed', 'timeout', 'lost')
ORDER BY r.since_ms, r.run_key, k.key, a.attempt, a.source_key;
