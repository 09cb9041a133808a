-- name: source
SELECT s.source_key, s.last_seq, s.worker, r.id, s.holder FROM sources s JOIN runs r USING (run_key) WHERE s.source = ?;

-- name: run_key
SELECT run_key FROM runs WHERE id = ?;

-- name: new_run
INSERT INTO runs (run_key, id, state)
VALUES (1 + max((SELECT ifnull(max(run_key), 0) FROM runs), (SELECT ifnull(max(run_key), 0) FROM unswept)), ?, 'running');

-- name: note_receipt
UPDATE runs SET received_ms = ?2 WHERE run_key = ?1 AND received_ms IS NULL;

-- name: new_source
INSERT INTO sources (source_key, source, run_key, session, worker)
VALUES (1 + max((SELECT ifnull(max(source_key), 0) FROM sources), (SELECT ifnull(max(source_key), 0) FROM unswept)),
        ?, ?, ?, ?);

-- name: deleted_source
SELECT last_seq FROM deleted_sources WHERE source = ?;

-- name: advance_deleted_source
UPDATE deleted_sources SET last_seq = max(last_seq, ?2) WHERE source = ?1;

-- name: source_keys
SELECT source, source_key FROM sources WHERE run_key = ?;

-- name: last_test_key
SELECT coalesce(max(test_key), 0) FROM tests;

-- name: test_keys
SELECT id, test_key FROM tests WHERE id IN (SELECT value FROM json_each(?));

-- name: test_key
SELECT id, test_key FROM tests WHERE id = ?;

-- name: test_keys_of_run
SELECT t.id, t.test_key FROM results x JOIN tests t USING (test_key) WHERE x.run_key = ?;

-- name: stored_events
SELECT type, payload FROM events WHERE source_key = ? AND seq BETWEEN ? AND ? ORDER BY seq;

-- name: add_tests
INSERT INTO tests (test_key, id, suite, function, params) VALUES (?, ?, ?, ?, ?);

-- name: add_batches
INSERT INTO batches (source_key, first_seq, last_seq, received_ms) VALUES (?, ?, ?, ?);

-- name: add_events
INSERT INTO events (source_key, seq, type, time_ms, payload) VALUES (?, ?, ?, ?, ?);

-- name: add_marks
INSERT OR REPLACE INTO marks (source_key, seq, kind, reason, sent_crc) VALUES (?, ?, ?, ?, ?);

-- name: marks_of_source
SELECT m.seq, m.kind, m.reason, m.sent_crc FROM marks m JOIN sources s USING (source_key)
WHERE s.source = ? AND m.seq BETWEEN ? AND ?;

-- name: sent_crcs
SELECT seq, sent_crc FROM marks WHERE source_key = ? AND seq BETWEEN ? AND ? AND sent_crc IS NOT NULL;

-- name: add_quarantine
INSERT INTO quarantine (source_key, seq, kind, reason) VALUES (?, ?, ?, ?)
ON CONFLICT (source_key, seq) DO UPDATE SET reason = reason || '; ' || excluded.reason;

-- name: put_run
UPDATE runs SET name = ?2, state = ?3, exit_code = ?4, started_ms = ?5, ended_ms = ?6, planned = ?7, deselected = ?8,
       stopped_early = ?9, stop_reason = ?10, gaps = ?11, quarantined = ?12, labels = ?13, facts = ?14,
       context = ?15, facts_source = ?16, context_source = ?17, left_out = ?18,
       shard_count = ?19, shards_missing = ?20
WHERE run_key = ?1;

-- name: put_sources
UPDATE sources SET session = ?2, worker = ?3, state = ?4, pid = ?5, host = ?6, exit_code = ?7, started_ms = ?8,
       ended_ms = ?9, gaps = ?10, crash_reason = ?11, crash_test_id = ?12, last_seq = ?13, last_ms = ?14,
       planned = ?15, plan_known = ?16, deselected = ?17, dropped = ?18, stopped_early = ?19, stop_reason = ?20,
       interrupted = ?21, cancelled = ?22, timed_out = ?23, plan_spans = ?24, expected = ?25,
       selection = ?26
WHERE source_key = ?1;

-- name: holder_of
SELECT holder FROM sources WHERE source = ?;

-- name: put_holder
UPDATE sources SET holder = ?2 WHERE source_key = ?1;

-- name: add_pending
INSERT INTO results (run_key, test_key, state, position) VALUES (?, ?, 'pending', ?);

-- name: put_passed
INSERT OR REPLACE INTO results (run_key, test_key, state, position, attempts, duration_ms, worker, file, line,
                                started_ms, ended_ms, fingerprint, markers)
VALUES (?, ?, 'passed', ?, 1, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_results
INSERT OR REPLACE INTO results (run_key, test_key, state, position, attempts, duration_ms, worker, file, line,
                                started_ms, ended_ms, reason, suite_id, fingerprint, quarantine, repetitions, forgiven, markers)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_attempts
INSERT OR REPLACE INTO attempts (run_key, test_key, source_key, attempt, worker, outcome, phase, started_ms, ended_ms,
                                 duration_ms, setup_ms, call_ms, teardown_ms, error_type, error_message, error_file,
                                 error_line, reason, last_output, subtests_passed, subtests_failed, timeout_ms,
                                 detail_seq, will_retry, judged, guessed, forgiven)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_plain_attempts
INSERT OR REPLACE INTO attempts (run_key, test_key, source_key, attempt, worker, outcome, phase, started_ms, ended_ms,
                                 duration_ms, setup_ms, call_ms, teardown_ms, detail_seq)
VALUES (?, ?, ?, ?, ?, 'passed', 'teardown', ?, ?, ?, ?, ?, ?, ?);

-- name: drop_attempts
DELETE FROM attempts WHERE run_key = ? AND test_key = ? AND source_key = ? AND attempt = ?;

-- name: put_suites
INSERT OR REPLACE INTO suites (run_key, suite_id, total, done, passed, failed, skipped, started_ms, ended_ms, name,
                               told_started_ms, told_ended_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: drop_suites
DELETE FROM suites WHERE run_key = ? AND suite_id = ?;

-- name: add_test_events
INSERT INTO test_events (run_key, test_key, source_key, seq, attempt, type) VALUES (?, ?, ?, ?, ?, ?);

-- name: add_warnings
INSERT INTO warnings (run_key, source_key, seq, category, message, test_id, file, line, count)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: add_crashes
INSERT INTO crashes (run_key, reporter_key, seq, source_key, time_ms, reason, test_id, attempt, phase, elapsed_ms,
                     last_output)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: advance_source
UPDATE sources SET last_seq = ?2, last_ms = ?3, gaps = gaps + 1 WHERE source_key = ?1;
