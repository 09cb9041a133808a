-- What two databases are compared by: every table is here under its name (tests hold that), keys resolved to names.
-- The columns that tell which row it is stand first; comparison.py knows how many.
-- Of the whole database:

-- name: meta
SELECT key, value FROM meta;

-- name: tests
SELECT id AS test, suite, function, params FROM tests;

-- name: deleted_sources
SELECT source, last_seq, run_id, deleted_ms FROM deleted_sources;

-- name: aliases
SELECT old_id, new_id, state, since_ms, evidence, confidence, run_id FROM aliases;

-- name: alerts
SELECT rule, subject, kind, severity, state, since_ms, seen_ms, summary, branch, run_id, test_id, weight, told_state, told_ms
FROM alerts;

-- name: judged_runs
SELECT run_id, state, branch, judged_ms FROM judged_runs;

-- name: silences
SELECT id, rule, subject, until_ms, reason, who, made_ms FROM silences;

-- name: deliveries
SELECT id, channel, rule, state, body, made_ms, tries, next_ms, ended_ms, answer FROM deliveries;

-- name: batches
SELECT s.source, b.first_seq, b.last_seq, b.received_ms FROM batches b JOIN sources s USING (source_key) ORDER BY b.batch_key;

-- Of one source:

-- name: events
SELECT seq, type, time_ms, payload FROM events
WHERE source_key = (SELECT source_key FROM sources WHERE source = ?) ORDER BY seq;

-- Of one run:

-- name: marks
SELECT s.source, m.seq, m.kind, m.reason, m.sent_crc
FROM marks m JOIN sources s USING (source_key) JOIN runs r USING (run_key) WHERE r.id = ?;

-- name: runs
SELECT id AS run, name, state, exit_code, started_ms, ended_ms, planned, deselected, stopped_early, stop_reason, gaps, labels,
       facts, context, facts_source, context_source, received_ms, quarantined, left_out, shard_count,
       shards_missing
FROM runs WHERE id = ?;

-- name: sources
SELECT r.id AS run, s.source, s.session, s.worker, s.state, s.last_seq, s.pid, s.host, s.exit_code, s.started_ms, s.ended_ms,
       s.gaps, s.crash_reason, s.crash_test_id, s.last_ms, s.planned, s.plan_known, s.deselected, s.dropped,
       s.stopped_early, s.stop_reason, s.interrupted, s.cancelled, s.timed_out, s.plan_spans, s.holder, s.expected,
       s.selection
FROM sources s JOIN runs r USING (run_key) WHERE r.id = ?;

-- name: quarantine
SELECT s.source, q.seq, q.kind, q.reason FROM quarantine q JOIN sources s USING (source_key) JOIN runs r USING (run_key) WHERE r.id = ?;

-- name: crashes
SELECT r.id AS run, p.source AS reporter, c.seq, s.source, c.time_ms, c.reason, c.test_id, c.attempt, c.phase, c.elapsed_ms, c.last_output
FROM crashes c JOIN runs r USING (run_key) JOIN sources p ON p.source_key = c.reporter_key
     JOIN sources s ON s.source_key = c.source_key WHERE r.id = ?;

-- name: results
SELECT r.id AS run, t.id AS test, t.suite, t.function, t.params, x.state, x.position, x.attempts, x.duration_ms, x.worker, x.file,
       x.line, x.started_ms, x.ended_ms, x.reason, x.suite_id, x.fingerprint, x.quarantine, x.repetitions, x.forgiven, x.markers
FROM results x JOIN runs r USING (run_key) JOIN tests t USING (test_key) WHERE r.id = ?;

-- name: attempts
SELECT r.id AS run, t.id AS test, s.source, a.attempt, a.worker, a.outcome, a.phase, a.started_ms, a.ended_ms, a.duration_ms,
       a.setup_ms, a.call_ms, a.teardown_ms, a.error_type, a.error_message, a.error_file, a.error_line, a.reason,
       a.last_output, a.subtests_passed, a.subtests_failed, a.timeout_ms, a.detail_seq, a.will_retry, a.judged,
       a.guessed, a.forgiven
FROM attempts a JOIN runs r USING (run_key) JOIN tests t USING (test_key) JOIN sources s USING (source_key) WHERE r.id = ?;

-- name: suites
SELECT r.id AS run, x.suite_id, x.total, x.done, x.passed, x.failed, x.skipped, x.started_ms, x.ended_ms,
       x.name, x.told_started_ms, x.told_ended_ms
FROM suites x JOIN runs r USING (run_key) WHERE r.id = ?;

-- name: warnings
SELECT r.id AS run, s.source, w.seq, w.category, w.message, w.test_id, w.file, w.line, w.count
FROM warnings w JOIN runs r USING (run_key) JOIN sources s USING (source_key) WHERE r.id = ?;

-- name: test_events
SELECT r.id AS run, t.id AS test, s.source, e.seq, e.attempt, e.type
FROM test_events e JOIN runs r USING (run_key) JOIN tests t USING (test_key) JOIN sources s USING (source_key) WHERE r.id = ?;
