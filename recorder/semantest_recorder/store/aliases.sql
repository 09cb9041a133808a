-- name: all
SELECT old_id, new_id, state, since_ms, evidence, confidence, run_id FROM aliases ORDER BY since_ms, old_id, new_id;

-- name: say
INSERT INTO aliases (old_id, new_id, state, since_ms) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms;

-- name: detect
INSERT OR IGNORE INTO aliases (old_id, new_id, state, since_ms, evidence, confidence, run_id)
VALUES (?, ?, 'detected', ?, ?, ?, ?);

-- name: withdraw
DELETE FROM aliases WHERE old_id = ? AND new_id = ? AND state = 'detected';

-- Pairs of functions (?1, as JSON) of which some run has both. A function is there when a test has its id, or begins with it.

-- name: together_in_run
SELECT DISTINCT p.key FROM json_each(?1) p CROSS JOIN (SELECT ?2 AS run_key) r
WHERE (EXISTS (SELECT 1 FROM tests t CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = t.test_key
               WHERE t.id = p.value ->> 0)
       OR EXISTS (SELECT 1 FROM tests t CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = t.test_key
                  WHERE t.id > (p.value ->> 0) || '[' AND t.id < (p.value ->> 0) || '\'))
  AND (EXISTS (SELECT 1 FROM tests t CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = t.test_key
               WHERE t.id = p.value ->> 1)
       OR EXISTS (SELECT 1 FROM tests t CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = t.test_key
                  WHERE t.id > (p.value ->> 1) || '[' AND t.id < (p.value ->> 1) || '\'));

-- name: runs_before
SELECT run_key FROM runs WHERE since_ms <= ? ORDER BY since_ms DESC, run_key DESC LIMIT ?;

-- Runs that chose their tests in the same way and went through all of them, newest first; the first is to be compared.

-- name: run
SELECT r.run_key, r.since_ms FROM runs r
WHERE r.id = ? AND r.state IN ('passed', 'failed') AND NOT r.stopped_early AND NOT r.gaps;

-- name: run_before
SELECT r.run_key FROM runs r, runs own
WHERE own.run_key = ?1 AND (r.since_ms, r.run_key) < (own.since_ms, own.run_key) AND r.state IN ('passed', 'failed')
      AND NOT r.stopped_early AND NOT r.gaps
      AND r.branch IS own.branch
      AND json_extract(r.context, '$.ci.pullRequest') IS json_extract(own.context, '$.ci.pullRequest')
      AND json_extract(r.facts, '$.args') IS json_extract(own.facts, '$.args') AND r.deselected = own.deselected
ORDER BY r.since_ms DESC, r.run_key DESC LIMIT 1;

-- name: other_tests
SELECT test_key FROM results WHERE run_key = ?1 EXCEPT SELECT test_key FROM results WHERE run_key = ?2;

-- name: has_uncollected_file
SELECT EXISTS (SELECT 1 FROM results x JOIN tests t USING (test_key)
               WHERE x.run_key IN (?, ?) AND x.state = 'error' AND instr(t.id, '::') = 0);

-- name: tests
SELECT t.id, x.fingerprint FROM results x JOIN tests t USING (test_key) WHERE x.run_key = ?
ORDER BY x.position IS NULL, x.position, t.id;

-- name: ids
SELECT id FROM tests WHERE test_key IN (SELECT value FROM json_each(?));
