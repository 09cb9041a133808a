-- name: runs
SELECT id, name, state, exit_code, started_ms, ended_ms, planned, deselected, stopped_early, stop_reason, gaps,
       quarantined, left_out, shard_count, shards_missing, facts_source, context_source, labels, facts, context
FROM runs ORDER BY since_ms DESC, run_key DESC LIMIT ?;

-- name: run
SELECT id, name, state, exit_code, started_ms, ended_ms, planned, deselected, stopped_early, stop_reason, gaps,
       quarantined, left_out, shard_count, shards_missing, facts_source, context_source, labels, facts, context
FROM runs WHERE id = ?;

-- name: last_run
SELECT id FROM runs ORDER BY since_ms DESC, run_key DESC LIMIT 1;

-- name: runs_by_prefix
SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY since_ms DESC, run_key DESC;

-- name: run_ids
SELECT id FROM runs ORDER BY since_ms DESC, run_key DESC LIMIT 1000;

-- name: since
SELECT id, coalesce(since_ms, 0.0) FROM runs WHERE id IN (SELECT value FROM json_each(?));

-- name: reruns
SELECT id, json_extract(facts, '$.rerunOf') FROM runs
WHERE instr(facts, '"rerunOf"') AND json_type(facts, '$.rerunOf') = 'array';

-- name: sources
SELECT s.source, r.id, s.session, s.worker, s.state, s.pid, s.host, s.exit_code, s.started_ms, s.ended_ms, s.gaps,
       s.crash_reason, s.crash_test_id, s.last_seq, s.last_ms, s.planned, s.plan_known, s.deselected, s.dropped,
       s.stopped_early, s.stop_reason, s.interrupted, s.cancelled, s.timed_out, s.plan_spans, s.expected,
       s.selection
FROM sources s JOIN runs r USING (run_key) WHERE r.id = ? ORDER BY s.source_key;

-- name: crashes
SELECT p.source, c.seq, s.source, c.time_ms, c.reason, c.test_id, c.attempt, c.phase, c.elapsed_ms, c.last_output
FROM crashes c JOIN runs r USING (run_key) JOIN sources p ON p.source_key = c.reporter_key
     JOIN sources s ON s.source_key = c.source_key
WHERE r.id = ? ORDER BY p.source, c.seq;

-- name: results
SELECT t.id, x.state, x.position, x.attempts, x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms,
       x.reason, x.suite_id, x.fingerprint, x.quarantine, x.repetitions, x.forgiven, x.markers
FROM results x JOIN tests t USING (test_key) WHERE x.run_key = (SELECT run_key FROM runs WHERE id = ?)
ORDER BY x.position IS NULL, x.position, x.test_key;

-- name: results_of
SELECT t.id, x.state, x.position, x.attempts, x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms,
       x.reason, x.suite_id, x.fingerprint, x.quarantine, x.repetitions, x.forgiven, x.markers
FROM json_each(?2) n CROSS JOIN tests t ON t.id = n.value CROSS JOIN results x ON x.test_key = t.test_key
WHERE x.run_key = (SELECT run_key FROM runs WHERE id = ?1) ORDER BY n.key;

-- name: results_in
SELECT t.id, x.state, x.position, x.attempts, x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms,
       x.reason, x.suite_id, x.fingerprint, x.quarantine, x.repetitions, x.forgiven, x.markers
FROM results x INDEXED BY results_not_passed JOIN tests t USING (test_key)
WHERE x.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND x.state IN (SELECT value FROM json_each(?2))
      AND x.state <> 'passed' AND x.state <> 'pending' AND x.state <> 'running'
ORDER BY x.position IS NULL, x.position, x.test_key LIMIT ?3;

-- name: slowest
SELECT t.id, x.state, x.position, x.attempts, x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms,
       x.reason, x.suite_id, x.fingerprint, x.quarantine, x.repetitions, x.forgiven, x.markers
FROM (SELECT test_key FROM results WHERE run_key = (SELECT run_key FROM runs WHERE id = ?1) AND duration_ms > 0
      ORDER BY duration_ms DESC, test_key LIMIT ?2) s CROSS JOIN tests t USING (test_key)
     CROSS JOIN results x ON x.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND x.test_key = s.test_key
ORDER BY x.duration_ms DESC, x.test_key;

-- name: planned
SELECT count(*) FROM results WHERE run_key = (SELECT run_key FROM runs WHERE id = ?) AND position IS NOT NULL;

-- name: warnings_told
SELECT coalesce(sum(count), 0) FROM warnings WHERE run_key = (SELECT run_key FROM runs WHERE id = ?);

-- name: attempts
SELECT t.id, s.source, a.attempt, a.worker, a.outcome, a.phase, a.started_ms, a.ended_ms, a.duration_ms, a.setup_ms,
       a.call_ms, a.teardown_ms, a.error_type, a.error_message, a.error_file, a.error_line, a.reason, a.last_output,
       a.subtests_passed, a.subtests_failed, a.timeout_ms, a.detail_seq, a.will_retry, a.judged, a.guessed, a.forgiven
FROM attempts a JOIN tests t USING (test_key) JOIN sources s USING (source_key)
WHERE a.run_key = (SELECT run_key FROM runs WHERE id = ?) ORDER BY a.test_key, a.attempt, a.source_key;

-- name: attempts_of
SELECT t.id, s.source, a.attempt, a.worker, a.outcome, a.phase, a.started_ms, a.ended_ms, a.duration_ms, a.setup_ms,
       a.call_ms, a.teardown_ms, a.error_type, a.error_message, a.error_file, a.error_line, a.reason, a.last_output,
       a.subtests_passed, a.subtests_failed, a.timeout_ms, a.detail_seq, a.will_retry, a.judged, a.guessed, a.forgiven
FROM json_each(?2) n CROSS JOIN tests t ON t.id = n.value CROSS JOIN attempts a ON a.test_key = t.test_key
     JOIN sources s USING (source_key)
WHERE a.run_key = (SELECT run_key FROM runs WHERE id = ?1) ORDER BY a.test_key, a.attempt, a.source_key;

-- name: suites
SELECT suite_id, total, done, passed, failed, skipped, started_ms, ended_ms, name, told_started_ms, told_ended_ms
FROM suites WHERE run_key = (SELECT run_key FROM runs WHERE id = ?) ORDER BY started_ms IS NULL, started_ms, suite_id;

-- name: warnings
SELECT s.source, w.seq, w.category, w.message, w.test_id, w.file, w.line, w.count
FROM warnings w JOIN sources s USING (source_key)
WHERE w.run_key = (SELECT run_key FROM runs WHERE id = ?) ORDER BY w.source_key, w.seq;

-- name: warnings_of
SELECT s.source, w.seq, w.category, w.message, w.test_id, w.file, w.line, w.count
FROM warnings w JOIN sources s USING (source_key)
WHERE w.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND w.test_id = ?2 ORDER BY w.source_key, w.seq;

-- name: bad_around
WITH own AS (
    SELECT x.run_key, x.test_key, coalesce(x.position, 9e15) AS place FROM tests t CROSS JOIN results x USING (test_key)
    WHERE t.id = ?2 AND x.run_key = (SELECT run_key FROM runs WHERE id = ?1)
), bad AS (
    SELECT test_key, coalesce(position, 9e15) AS place FROM results INDEXED BY results_not_passed
    WHERE run_key = (SELECT run_key FROM runs WHERE id = ?1)
          AND state IN ('failed', 'error', 'crashed', 'timeout', 'lost', 'interrupted', 'flaky')
          AND state <> 'passed' AND state <> 'pending' AND state <> 'running'
)
SELECT (SELECT t.id FROM bad b JOIN tests t USING (test_key), own WHERE (b.place, b.test_key) < (own.place, own.test_key)
        ORDER BY b.place DESC, b.test_key DESC LIMIT 1),
       (SELECT t.id FROM bad b JOIN tests t USING (test_key), own WHERE (b.place, b.test_key) > (own.place, own.test_key)
        ORDER BY b.place, b.test_key LIMIT 1),
       (SELECT count(*) FROM bad b, own WHERE (b.place, b.test_key) < (own.place, own.test_key)),
       (SELECT count(*) FROM bad);

-- name: test_events
SELECT t.id, s.source, e.seq, e.attempt, e.type
FROM test_events e JOIN tests t USING (test_key) JOIN sources s USING (source_key)
WHERE e.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND t.id = ?2 ORDER BY e.source_key, e.seq;

-- name: pictures
SELECT t.id, s.source, e.seq, e.type,
       EXISTS (SELECT 1 FROM attempts a WHERE a.run_key = e.run_key AND a.test_key = e.test_key
               AND a.outcome IN ('failed', 'error', 'crashed', 'timeout', 'interrupted', 'lost'))
FROM test_events e JOIN tests t USING (test_key) JOIN sources s USING (source_key)
WHERE e.run_key = (SELECT run_key FROM runs WHERE id = ?) AND e.type IN ('test/screenshot', 'test/attachment')
ORDER BY e.test_key, e.source_key, e.seq;

-- name: step_events
SELECT t.id, d.attempt, s.source, d.type, e.time_ms, e.payload
FROM test_events d JOIN tests t USING (test_key) JOIN sources s USING (source_key)
     JOIN events e ON e.source_key = d.source_key AND e.seq = d.seq
WHERE d.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND d.type IN ('test/step/start', 'test/step/end')
ORDER BY d.source_key, d.seq LIMIT ?2;

-- name: payload
SELECT payload FROM events WHERE source_key = (SELECT source_key FROM sources WHERE source = ?) AND seq = ?;

-- name: history
SELECT r.id, r.name, r.state, r.since_ms, r.branch, r."commit", json_extract(r.context, '$.git.dirty'),
       t.id, x.state, x.attempts, x.duration_ms, x.worker, x.reason, x.fingerprint
FROM runs r CROSS JOIN json_each(?1) n CROSS JOIN tests t ON t.id = n.value
     CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = t.test_key
ORDER BY r.since_ms DESC, r.run_key DESC, n.key LIMIT ?2;

-- name: find_tests
SELECT id FROM tests WHERE instr(id, ?1) > 0 ORDER BY id <> ?1, length(id), id LIMIT ?2;

-- name: origins
SELECT s.session, e.type, e.payload
FROM runs r JOIN sources s USING (run_key) JOIN events e USING (source_key)
WHERE r.id = ? AND s.worker IN ('main', 'shipper') AND e.seq < 100
      AND e.type IN ('run/start', 'run/selection', 'run/context')
ORDER BY s.source_key, e.seq;
