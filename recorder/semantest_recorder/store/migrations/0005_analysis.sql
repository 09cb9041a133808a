-- What tells whether a test's own code changed, and that it is the same under another name.
ALTER TABLE results ADD COLUMN fingerprint TEXT;

-- Of how many sessions a run is to be, so that one whose shard is missing is not green.
ALTER TABLE sources ADD COLUMN expected INTEGER NOT NULL DEFAULT 0;

-- What a session chose of its tests, how many of a run a budget left out, and whether its shards are all there.
ALTER TABLE sources ADD COLUMN selection TEXT;
ALTER TABLE runs ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN shard_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN shards_missing INTEGER NOT NULL DEFAULT 0;

-- Earlier names of tests (of functions, classes and files: of all tests in them), and what users said of them. Part of
-- the log, kept by replay: what was compared may be deleted meanwhile.
CREATE TABLE aliases (
    old_id     TEXT NOT NULL,
    new_id     TEXT NOT NULL,
    state      TEXT NOT NULL,             -- detected; added, removed: by a user
    since_ms   REAL NOT NULL,
    evidence   TEXT NOT NULL DEFAULT '',  -- of a detected one
    confidence REAL,                      -- the same, 0 to 1
    run_id     TEXT,                      -- the same: the first run with the new name
    PRIMARY KEY (old_id, new_id)
) STRICT, WITHOUT ROWID;

-- Tests in quarantine, and failures of theirs that do not count.
ALTER TABLE results ADD COLUMN quarantine TEXT;
ALTER TABLE results ADD COLUMN repetitions INTEGER;
ALTER TABLE results ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN quarantined INTEGER NOT NULL DEFAULT 0;
CREATE INDEX results_in_quarantine ON results (run_key, test_key) WHERE quarantine IS NOT NULL;

-- Where a run was: what git said, or else CI (whose checkout may name no branch).
ALTER TABLE runs ADD COLUMN branch TEXT GENERATED ALWAYS AS (
    coalesce(nullif(json_extract(context, '$.git.branch'), ''), nullif(json_extract(context, '$.ci.branch'), ''))) VIRTUAL;
ALTER TABLE runs ADD COLUMN "commit" TEXT GENERATED ALWAYS AS (
    coalesce(nullif(json_extract(context, '$.git.commit'), ''), nullif(json_extract(context, '$.ci.commit'), ''))) VIRTUAL;

-- Public views: the first four say more, the others are new.
DROP VIEW v_runs;
DROP VIEW v_results;
DROP VIEW v_attempts;
DROP VIEW v_flaky;

CREATE VIEW v_runs AS
SELECT r.id AS run, r.name, r.state, r.exit_code, r.started_ms, r.ended_ms, r.ended_ms - r.started_ms AS duration_ms,
       r.since_ms, r.planned, r.deselected, r.stopped_early, r.stop_reason, r.gaps, r.quarantined, r.shard_count,
       r.shards_missing, r.branch, r."commit",
       json_extract(r.context, '$.git.dirty') AS dirty, json_extract(r.context, '$.git.author') AS author,
       json_extract(r.context, '$.git.subject') AS subject, json_extract(r.context, '$.ci.provider') AS ci,
       json_extract(r.context, '$.ci.buildUrl') AS build_url, json_extract(r.context, '$.ci.pullRequest') AS pull_request,
       json_extract(r.facts, '$.host') AS host, json_extract(r.context, '$.environment.python') AS python,
       json_extract(r.context, '$.environment.platform') AS platform, r.labels, r.facts, r.context
FROM runs r;

CREATE VIEW v_labels AS
SELECT r.id AS run, j.key AS name, j.value AS value
FROM runs r, json_each(r.labels) j;

CREATE VIEW v_sources AS
SELECT r.id AS run, s.source, s.session, s.worker, s.state, s.host, s.pid, s.exit_code, s.started_ms, s.ended_ms,
       s.last_seq AS events, s.gaps, s.dropped, s.crash_reason, s.crash_test_id AS crash_test
FROM sources s JOIN runs r USING (run_key);

CREATE VIEW v_tests AS
SELECT t.id AS test, t.suite, t.function, t.params, h.runs, h.first_ms, h.last_ms,
       (SELECT r.id FROM runs r JOIN results x USING (run_key)
        WHERE r.since_ms = h.first_ms AND x.test_key = t.test_key ORDER BY r.run_key LIMIT 1) AS first_run,
       (SELECT r.id FROM runs r JOIN results x USING (run_key)
        WHERE r.since_ms = h.last_ms AND x.test_key = t.test_key ORDER BY r.run_key DESC LIMIT 1) AS last_run,
       (SELECT x.state FROM runs r JOIN results x USING (run_key)
        WHERE r.since_ms = h.last_ms AND x.test_key = t.test_key ORDER BY r.run_key DESC LIMIT 1) AS last_state,
       h.passed, h.failed, h.flaky, h.skipped
FROM (SELECT x.test_key, count(*) AS runs, min(r.since_ms) AS first_ms, max(r.since_ms) AS last_ms,
             sum(x.state = 'passed') AS passed,
             sum(x.state IN ('failed', 'error', 'crashed', 'timeout')) AS failed,
             sum(x.state = 'flaky') AS flaky, sum(x.state = 'skipped') AS skipped
      FROM results x JOIN runs r USING (run_key) GROUP BY x.test_key) h
JOIN tests t USING (test_key);

CREATE VIEW v_results AS
SELECT r.id AS run, t.id AS test, coalesce(x.suite_id, t.suite) AS suite, t.function, t.params, x.state, x.attempts,
       x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms, x.reason, x.position, x.markers, x.fingerprint,
       x.quarantine, x.forgiven, x.repetitions
FROM results x JOIN runs r USING (run_key) JOIN tests t USING (test_key);

CREATE VIEW v_attempts AS
SELECT r.id AS run, t.id AS test, a.attempt, s.source, a.worker, a.outcome, a.phase, a.started_ms, a.ended_ms,
       a.duration_ms, a.setup_ms, a.call_ms, a.teardown_ms, a.timeout_ms, a.error_type, a.error_message, a.error_file,
       a.error_line, a.reason, a.last_output, a.subtests_passed, a.subtests_failed, a.will_retry, a.judged, a.forgiven
FROM attempts a JOIN runs r USING (run_key) JOIN tests t USING (test_key) JOIN sources s USING (source_key);

CREATE VIEW v_errors AS
SELECT r.id AS run, t.id AS test, a.attempt, a.worker, a.outcome, a.phase, a.ended_ms AS time_ms, a.error_type,
       a.error_message, a.error_file, a.error_line, x.state AS final_state
FROM attempts a JOIN results x USING (run_key, test_key) JOIN runs r USING (run_key) JOIN tests t USING (test_key)
WHERE a.outcome IN ('failed', 'error', 'crashed', 'timeout', 'interrupted', 'lost');

CREATE VIEW v_durations AS
SELECT t.id AS test, d.runs, d.mean_ms, d.min_ms, d.max_ms, d.total_ms
FROM (SELECT test_key, count(*) AS runs, avg(duration_ms) AS mean_ms, min(duration_ms) AS min_ms,
             max(duration_ms) AS max_ms, sum(duration_ms) AS total_ms
      FROM results WHERE state = 'passed' GROUP BY test_key) d
JOIN tests t USING (test_key);

CREATE VIEW v_flaky AS
SELECT t.id AS test, h.runs, h.flaky_runs, 1.0 * h.flaky_runs / h.runs AS rate, h.last_ms, h.last_flaky_ms
FROM (SELECT f.test_key, count(*) AS runs, sum(x.state = 'flaky') AS flaky_runs, max(x.started_ms) AS last_ms,
             max(iif(x.state = 'flaky', x.started_ms, NULL)) AS last_flaky_ms
      FROM (SELECT DISTINCT test_key FROM results WHERE state = 'flaky' AND started_ms IS NOT NULL) f
           CROSS JOIN runs r CROSS JOIN results x ON x.run_key = r.run_key AND x.test_key = f.test_key
      WHERE x.started_ms IS NOT NULL GROUP BY f.test_key) h
JOIN tests t USING (test_key);

CREATE VIEW v_aliases AS
SELECT old_id AS old, new_id AS new, state, since_ms, evidence, confidence, run_id AS first_run FROM aliases;

CREATE VIEW v_suites AS
SELECT r.id AS run, s.suite_id AS suite, s.name, s.total, s.done, s.passed, s.failed, s.skipped, s.started_ms, s.ended_ms,
       s.ended_ms - s.started_ms AS duration_ms
FROM suites s JOIN runs r USING (run_key);

CREATE VIEW v_warnings AS
SELECT r.id AS run, s.source, w.category, w.message, w.test_id AS test, w.file, w.line, w."count"
FROM warnings w JOIN runs r USING (run_key) JOIN sources s USING (source_key);

CREATE VIEW v_steps AS
SELECT r.id AS run, t.id AS test, d.attempt, json_extract(e.payload, '$.name') AS name,
       json_extract(e.payload, '$.status') AS status, json_extract(e.payload, '$.duration') AS duration_ms,
       json_extract(e.payload, '$.stepId') AS step, e.time_ms, s.source, e.seq
FROM test_events d JOIN runs r USING (run_key) JOIN tests t USING (test_key) JOIN sources s USING (source_key)
     JOIN events e USING (source_key, seq)
WHERE d.type = 'test/step/end' AND json_valid(e.payload);

CREATE VIEW v_attachments AS
SELECT r.id AS run, t.id AS test, d.attempt, json_extract(e.payload, '$.name') AS name,
       coalesce(json_extract(e.payload, '$.kind'), substr(d.type, 6)) AS kind,
       json_extract(e.payload, '$.mediaType') AS media_type, json_extract(e.payload, '$.size') AS bytes,
       json_extract(e.payload, '$.sha256') AS sha256, json_extract(e.payload, '$.omitted') AS omitted, e.time_ms,
       s.source, e.seq
FROM test_events d JOIN runs r USING (run_key) JOIN tests t USING (test_key) JOIN sources s USING (source_key)
     JOIN events e USING (source_key, seq)
WHERE d.type IN ('test/attachment', 'test/screenshot') AND json_valid(e.payload);

CREATE VIEW v_events AS
SELECT r.id AS run, s.source, e.seq, e.type, e.time_ms, e.payload
FROM events e JOIN sources s USING (source_key) JOIN runs r USING (run_key);
