-- What there is to choose from. A payload's weight stands for all rows that its event leads to.

-- name: runs
SELECT r.id, r.name, r.state, r.started_ms, r.ended_ms, r.labels, r.branch,
       (SELECT max(b.received_ms) FROM sources s JOIN batches b USING (source_key) WHERE s.run_key = r.run_key)
FROM runs r ORDER BY r.since_ms DESC, r.run_key DESC;

-- name: weights
SELECT r.id, count(*), sum(length(CAST(e.payload AS BLOB)))
FROM events e JOIN sources s USING (source_key) JOIN runs r USING (run_key) GROUP BY r.run_key;

-- A run leaves the view of everybody in one transaction; its rows follow in pieces.

-- name: run_to_delete
SELECT r.run_key, r.ended_ms,
       (SELECT max(b.received_ms) FROM sources s JOIN batches b USING (source_key) WHERE s.run_key = r.run_key)
FROM runs r WHERE r.id = ?;

-- name: bury_sources
INSERT OR REPLACE INTO deleted_sources (source, last_seq, run_id, deleted_ms)
SELECT source, last_seq, ?2, ?3 FROM sources
WHERE run_key = ?1 AND last_seq > 0 AND substr(source, 1, 5) <> 'live/';

-- name: note_unswept
INSERT INTO unswept (source_key, run_key) SELECT source_key, run_key FROM sources WHERE run_key = ?;

-- name: drop_sources
DELETE FROM sources WHERE run_key = ?;

-- name: drop_run
DELETE FROM runs WHERE run_key = ?;

-- name: next_unswept
SELECT source_key, run_key FROM unswept ORDER BY run_key, source_key LIMIT 1;

-- name: count_unswept
SELECT count(DISTINCT run_key) FROM unswept;

-- name: swept
DELETE FROM unswept WHERE source_key = ?;

-- name: run_is_left
SELECT count(*) FROM unswept WHERE run_key = ?;

-- Up to ?2 rows of a source.

-- name: sweep_events
DELETE FROM events WHERE source_key = ?1
AND seq <= (SELECT max(seq) FROM (SELECT seq FROM events WHERE source_key = ?1 ORDER BY seq LIMIT ?2));

-- name: sweep_batches
DELETE FROM batches WHERE batch_key IN (SELECT batch_key FROM batches WHERE source_key = ?1 LIMIT ?2);

-- name: sweep_quarantine
DELETE FROM quarantine WHERE source_key = ?1
AND seq <= (SELECT max(seq) FROM (SELECT seq FROM quarantine WHERE source_key = ?1 ORDER BY seq LIMIT ?2));

-- name: sweep_marks
DELETE FROM marks WHERE source_key = ?1
AND seq <= (SELECT max(seq) FROM (SELECT seq FROM marks WHERE source_key = ?1 ORDER BY seq LIMIT ?2));

-- Up to ?2 rows of a run.

-- name: sweep_crashes
DELETE FROM crashes WHERE run_key = ?1 AND (reporter_key, seq) IN
(SELECT reporter_key, seq FROM crashes WHERE run_key = ?1 LIMIT ?2);

-- name: sweep_suites
DELETE FROM suites WHERE run_key = ?1 AND suite_id IN (SELECT suite_id FROM suites WHERE run_key = ?1 LIMIT ?2);

-- name: sweep_warnings
DELETE FROM warnings WHERE run_key = ?1 AND (source_key, seq) IN
(SELECT source_key, seq FROM warnings WHERE run_key = ?1 LIMIT ?2);

-- name: sweep_attempts
DELETE FROM attempts WHERE run_key = ?1 AND (test_key, source_key, attempt) IN
(SELECT test_key, source_key, attempt FROM attempts WHERE run_key = ?1 LIMIT ?2);

-- name: sweep_test_events
DELETE FROM test_events WHERE run_key = ?1 AND (test_key, source_key, seq) IN
(SELECT test_key, source_key, seq FROM test_events WHERE run_key = ?1 LIMIT ?2) RETURNING test_key;

-- name: sweep_results
DELETE FROM results WHERE run_key = ?1 AND test_key IN (SELECT test_key FROM results WHERE run_key = ?1 LIMIT ?2)
RETURNING test_key;

-- Tests that no run has any more; the newest runs are asked first, for they have most tests.

-- name: sweep_tests
DELETE FROM tests WHERE test_key IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
    SELECT 1 FROM (SELECT run_key FROM runs ORDER BY run_key DESC) AS r
    WHERE EXISTS (SELECT 1 FROM results x WHERE x.run_key = r.run_key AND x.test_key = tests.test_key)
       OR EXISTS (SELECT 1 FROM test_events e WHERE e.run_key = r.run_key AND e.test_key = tests.test_key))
RETURNING id;

-- name: count_runs
SELECT count(*) FROM runs;
