-- A database of schema version 6, made by the code of that version.
PRAGMA application_id = 1399673971;
PRAGMA user_version = 6;
BEGIN TRANSACTION;
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
CREATE TABLE attempts (
    run_key         INTEGER NOT NULL REFERENCES runs (run_key),
    test_key        INTEGER NOT NULL REFERENCES tests (test_key),
    source_key      INTEGER NOT NULL REFERENCES sources (source_key),
    attempt         INTEGER NOT NULL,
    worker          TEXT NOT NULL,
    outcome         TEXT,  -- NULL while it runs
    phase           TEXT,
    started_ms      REAL,
    ended_ms        REAL,
    duration_ms     REAL NOT NULL DEFAULT 0,
    setup_ms        REAL,
    call_ms         REAL,
    teardown_ms     REAL,
    error_type      TEXT,
    error_message   TEXT,
    error_file      TEXT,
    error_line      INTEGER,
    reason          TEXT,
    last_output     TEXT,
    subtests_passed INTEGER NOT NULL DEFAULT 0,
    subtests_failed INTEGER NOT NULL DEFAULT 0,
    timeout_ms      REAL,
    detail_seq      INTEGER,
    will_retry      INTEGER NOT NULL DEFAULT 0,
    judged          INTEGER NOT NULL DEFAULT 0,  -- no test/end came: the outcome follows from the end of its process
    guessed         INTEGER NOT NULL DEFAULT 0,  -- only a crash report names it
    forgiven        INTEGER NOT NULL DEFAULT 0,  -- pytest did not count its failure
    PRIMARY KEY (run_key, test_key, source_key, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES(1,1,1,1,'main','passed','call',2.0,3.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,4,0,0,0,0);
INSERT INTO "attempts" VALUES(1,2,1,1,'main','failed','call',2.0,3.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,6,0,0,0,0);
INSERT INTO "attempts" VALUES(1,2,1,2,'main','passed','call',5.0,6.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,8,0,0,0,0);
INSERT INTO "attempts" VALUES(1,3,2,1,'gw0','crashed',NULL,3.0,7.0,4.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'killed',NULL,0,0,NULL,NULL,0,1,0,0);
INSERT INTO "attempts" VALUES(2,1,3,1,'main','passed','call',21.0,22.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,3,0,0,0,0);
INSERT INTO "attempts" VALUES(3,4,4,1,'main','passed','call',31.0,32.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,4,0,0,0,0);
CREATE TABLE batches (
    batch_key   INTEGER PRIMARY KEY,
    source_key  INTEGER NOT NULL REFERENCES sources (source_key),
    first_seq   INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    received_ms REAL NOT NULL
) STRICT;
INSERT INTO "batches" VALUES(1,1,1,11,1.0);
INSERT INTO "batches" VALUES(2,2,1,2,1.0);
INSERT INTO "batches" VALUES(3,1,12,12,1.0);
INSERT INTO "batches" VALUES(4,3,1,3,1.0);
INSERT INTO "batches" VALUES(5,4,1,5,33.0);
CREATE TABLE crashes (
    run_key      INTEGER NOT NULL REFERENCES runs (run_key),
    reporter_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq          INTEGER NOT NULL,
    source_key   INTEGER NOT NULL REFERENCES sources (source_key),
    time_ms      REAL NOT NULL,
    reason       TEXT,
    test_id      TEXT,
    attempt      INTEGER,
    phase        TEXT,
    elapsed_ms   REAL,
    last_output  TEXT,
    PRIMARY KEY (run_key, reporter_key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "crashes" VALUES(1,1,11,2,7.0,'killed','b.py::test_lost',1,NULL,NULL,NULL);
CREATE TABLE deleted_sources (
    source     TEXT PRIMARY KEY,
    last_seq   INTEGER NOT NULL,
    run_id     TEXT NOT NULL,
    deleted_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "deleted_sources" VALUES('20261120-080000-0a0b0c.main',7,'20261120-080000-0a0b0c',1763600000000.0);
CREATE TABLE events (
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq        INTEGER NOT NULL,
    type       TEXT NOT NULL,
    time_ms    REAL NOT NULL,
    payload    TEXT NOT NULL,
    PRIMARY KEY (source_key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "events" VALUES(1,1,'run/start',1.0,'{"runId":"20261121-093000-a1b2c3","session":"20261121-093000-a1b2c3","source":"20261121-093000-a1b2c3.main","worker":"main"}');
INSERT INTO "events" VALUES(1,2,'run/plan',1.5,'{"tests":["a.py::test_ok","a.py::test_flaky[x-1]","b.py::test_lost"],"offset":0,"total":3,"deselected":0}');
INSERT INTO "events" VALUES(1,3,'test/start',2.0,'{"testId":"a.py::test_ok","testName":"a.py::test_ok","attempt":1,"file":"a.py","line":1}');
INSERT INTO "events" VALUES(1,4,'test/end',3.0,'{"testId":"a.py::test_ok","attempt":1,"outcome":"passed","duration":1.0}');
INSERT INTO "events" VALUES(1,5,'test/start',2.0,'{"testId":"a.py::test_flaky[x-1]","testName":"a.py::test_flaky[x-1]","attempt":1,"file":"a.py","line":1}');
INSERT INTO "events" VALUES(1,6,'test/end',3.0,'{"testId":"a.py::test_flaky[x-1]","attempt":1,"outcome":"failed","duration":1.0}');
INSERT INTO "events" VALUES(1,7,'test/start',5.0,'{"testId":"a.py::test_flaky[x-1]","testName":"a.py::test_flaky[x-1]","attempt":2,"file":"a.py","line":1}');
INSERT INTO "events" VALUES(1,8,'test/end',6.0,'{"testId":"a.py::test_flaky[x-1]","attempt":2,"outcome":"passed","duration":1.0}');
INSERT INTO "events" VALUES(1,9,'test/warning',6.0,'{"category":"UserWarning","message":"careful","testId":"a.py::test_ok","file":"a.py","line":1}');
INSERT INTO "events" VALUES(1,10,'test/end',6.5,'{"testId":7}');
INSERT INTO "events" VALUES(1,11,'worker/crash',7.0,'{"runId":"20261121-093000-a1b2c3","worker":"gw0","reason":"killed","testId":"b.py::test_lost","attempt":1}');
INSERT INTO "events" VALUES(1,12,'run/end',9.0,'{"runId":"20261121-093000-a1b2c3","exitCode":1,"stoppedEarly":false}');
INSERT INTO "events" VALUES(2,1,'worker/start',2.0,'{"runId":"20261121-093000-a1b2c3","session":"20261121-093000-a1b2c3","source":"20261121-093000-a1b2c3.gw0","worker":"gw0"}');
INSERT INTO "events" VALUES(2,2,'test/start',3.0,'{"testId":"b.py::test_lost","attempt":1,"file":"b.py","line":3}');
INSERT INTO "events" VALUES(3,1,'run/start',20.0,'{"runId":"20261121-100000-d4e5f6","session":"20261121-100000-d4e5f6","source":"20261121-100000-d4e5f6.main","worker":"main"}');
INSERT INTO "events" VALUES(3,2,'test/start',21.0,'{"testId":"a.py::test_ok","testName":"a.py::test_ok","attempt":1,"file":"a.py","line":1}');
INSERT INTO "events" VALUES(3,3,'test/end',22.0,'{"testId":"a.py::test_ok","attempt":1,"outcome":"passed","duration":1.0}');
INSERT INTO "events" VALUES(4,1,'run/start',30.0,'{"runId":"checkout","session":"live/checkout","worker":"main","source":"live/checkout.main","origin":"client"}');
INSERT INTO "events" VALUES(4,2,'test/start',31.0,'{"testId":"login","suiteId":"Shop"}');
INSERT INTO "events" VALUES(4,3,'test/log',31.5,'{"testId":"login","message":"hello"}');
INSERT INTO "events" VALUES(4,4,'test/passed',32.0,'{"testId":"login","duration":1.0}');
INSERT INTO "events" VALUES(4,5,'run/end',33.0,'{"runId":"checkout","exitCode":0}');
CREATE TABLE marks (
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,   -- suspicious: stored as it came; dropped: a tombstone stands for it; changed
    reason     TEXT NOT NULL,
    sent_crc   INTEGER,         -- CRC-32 of type and payload as they were sent, when something else is stored
    PRIMARY KEY (source_key, seq, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO "marks" VALUES(1,3,'suspicious','script in a name',NULL);
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,  -- malformed: its payload has a wrong shape; failed: applying it raised
    reason     TEXT NOT NULL,
    PRIMARY KEY (source_key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "quarantine" VALUES(1,10,'malformed','testId: Expected `str`, got `int`');
CREATE TABLE results (
    run_key     INTEGER NOT NULL REFERENCES runs (run_key),
    test_key    INTEGER NOT NULL REFERENCES tests (test_key),
    state       TEXT NOT NULL,  -- pending running passed failed error skipped xfailed xpassed flaky crashed timeout interrupted not_run lost
    position    INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    duration_ms REAL NOT NULL DEFAULT 0,
    worker      TEXT,
    file        TEXT,
    line        INTEGER,
    started_ms  REAL,
    ended_ms    REAL,
    reason      TEXT,
    markers     TEXT NOT NULL DEFAULT '[]',  -- JSON
    suite_id    TEXT,  -- the suite that a client named; else it follows from the test's id
    fingerprint TEXT,  -- checksum of the lines of its function
    quarantine  TEXT,  -- JSON: why, by whom and until when it is in quarantine
    repetitions INTEGER,  -- how often it was to run, since it was new; NULL: once
    forgiven    INTEGER NOT NULL DEFAULT 0,  -- its bad end does not count: it was in quarantine
    PRIMARY KEY (run_key, test_key)
) STRICT, WITHOUT ROWID;
INSERT INTO "results" VALUES(1,1,'passed',0,1,1.0,'main','a.py',1,2.0,3.0,NULL,'[]',NULL,NULL,NULL,NULL,0);
INSERT INTO "results" VALUES(1,2,'flaky',1,2,1.0,'main','a.py',1,2.0,6.0,NULL,'[]',NULL,NULL,NULL,NULL,0);
INSERT INTO "results" VALUES(1,3,'crashed',2,1,4.0,'gw0','b.py',3,3.0,7.0,'killed','[]',NULL,NULL,NULL,NULL,0);
INSERT INTO "results" VALUES(2,1,'passed',NULL,1,1.0,'main','a.py',1,21.0,22.0,NULL,'[]',NULL,NULL,NULL,NULL,0);
INSERT INTO "results" VALUES(3,4,'passed',NULL,1,1.0,'main',NULL,NULL,31.0,32.0,NULL,'[]','Shop',NULL,NULL,NULL,0);
CREATE TABLE runs (
    run_key       INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    name          TEXT,
    state         TEXT NOT NULL,          -- pending running passed failed cancelled interrupted timeout
    exit_code     INTEGER,
    started_ms    REAL,
    ended_ms      REAL,
    planned       INTEGER NOT NULL DEFAULT 0,
    deselected    INTEGER NOT NULL DEFAULT 0,
    stopped_early INTEGER NOT NULL DEFAULT 0,
    stop_reason   TEXT,
    gaps          INTEGER NOT NULL DEFAULT 0,
    labels        TEXT NOT NULL DEFAULT '{}',  -- JSON
    facts         TEXT NOT NULL DEFAULT '{}',  -- JSON
    context       TEXT NOT NULL DEFAULT '{}',  -- JSON
    facts_source   TEXT,                       -- whose run/start facts is
    context_source TEXT,                       -- whose run/context context is
    received_ms   REAL,                        -- when the first of it came
    -- By what runs are ordered: none began after it came, whatever its clock said.
    since_ms      REAL GENERATED ALWAYS AS (min(started_ms, coalesce(received_ms, started_ms))) VIRTUAL,
    left_out      INTEGER NOT NULL DEFAULT 0,  -- tests that did not run for want of time (--semantest-budget)
    shard_count   INTEGER NOT NULL DEFAULT 0,  -- of how many shards it is; 0: it is not of shards
    shards_missing INTEGER NOT NULL DEFAULT 0, -- how many of them did not come
    quarantined   INTEGER NOT NULL DEFAULT 0,  -- bad tests that do not count
    -- Where it was: what git said, or else CI, whose checkout may name no branch.
    branch        TEXT GENERATED ALWAYS AS (
        coalesce(nullif(json_extract(context, '$.git.branch'), ''), nullif(json_extract(context, '$.ci.branch'), ''))) VIRTUAL,
    "commit"      TEXT GENERATED ALWAYS AS (
        coalesce(nullif(json_extract(context, '$.git.commit'), ''), nullif(json_extract(context, '$.ci.commit'), ''))) VIRTUAL
) STRICT;
INSERT INTO "runs" VALUES(1,'20261121-093000-a1b2c3',NULL,'failed',1,1.0,9.0,3,0,0,NULL,1,'{}','{"runId":"20261121-093000-a1b2c3","session":"20261121-093000-a1b2c3","source":"20261121-093000-a1b2c3.main","worker":"main"}','{}','20261121-093000-a1b2c3.main',NULL,1.0,0,0,0,0);
INSERT INTO "runs" VALUES(2,'20261121-100000-d4e5f6',NULL,'running',NULL,20.0,NULL,0,0,0,NULL,0,'{}','{"runId":"20261121-100000-d4e5f6","session":"20261121-100000-d4e5f6","source":"20261121-100000-d4e5f6.main","worker":"main"}','{}','20261121-100000-d4e5f6.main',NULL,1.0,0,0,0,0);
INSERT INTO "runs" VALUES(3,'checkout',NULL,'passed',0,30.0,33.0,0,0,0,NULL,0,'{}','{"runId":"checkout","session":"live/checkout","worker":"main","source":"live/checkout.main","origin":"client"}','{}','live/checkout.main',NULL,33.0,0,0,0,0);
CREATE TABLE sources (
    source_key    INTEGER PRIMARY KEY,
    source        TEXT NOT NULL UNIQUE,
    run_key       INTEGER NOT NULL REFERENCES runs (run_key),
    session       TEXT NOT NULL,
    worker        TEXT NOT NULL,
    state         TEXT NOT NULL DEFAULT 'open',  -- open ended closed crashed
    last_seq      INTEGER NOT NULL DEFAULT 0,    -- all up to it are committed
    pid           INTEGER,
    host          TEXT,
    exit_code     INTEGER,
    started_ms    REAL,
    ended_ms      REAL,
    gaps          INTEGER NOT NULL DEFAULT 0,
    crash_reason  TEXT,
    crash_test_id TEXT,
    last_ms       REAL,                          -- time of its last event
    planned       INTEGER NOT NULL DEFAULT 0,    -- size of the plan that it announced
    plan_known    INTEGER NOT NULL DEFAULT 0,    -- how many of those tests it named
    deselected    INTEGER NOT NULL DEFAULT 0,
    dropped       INTEGER NOT NULL DEFAULT 0,    -- records that it could not write
    stopped_early INTEGER NOT NULL DEFAULT 0,
    stop_reason   TEXT,
    interrupted   INTEGER NOT NULL DEFAULT 0,
    cancelled     INTEGER NOT NULL DEFAULT 0,
    timed_out     INTEGER NOT NULL DEFAULT 0,
    plan_spans    TEXT NOT NULL DEFAULT '',      -- the places of its plan whose tests it named: 0-500 1000-1500
    holder        TEXT,                          -- the name of the token that it belongs to, part of the log
    expected      INTEGER NOT NULL DEFAULT 0,    -- how many sessions it says that the run is to have
    selection     TEXT                           -- JSON: what its session chose of its tests
) STRICT;
INSERT INTO "sources" VALUES(1,'20261121-093000-a1b2c3.main',1,'20261121-093000-a1b2c3','main','ended',12,NULL,NULL,1,1.0,9.0,1,NULL,NULL,9.0,3,3,0,0,0,NULL,0,0,0,'0-3',NULL,0,NULL);
INSERT INTO "sources" VALUES(2,'20261121-093000-a1b2c3.gw0',1,'20261121-093000-a1b2c3','gw0','crashed',2,NULL,NULL,NULL,2.0,7.0,0,'killed','b.py::test_lost',3.0,0,0,0,0,0,NULL,0,0,0,'',NULL,0,NULL);
INSERT INTO "sources" VALUES(3,'20261121-100000-d4e5f6.main',2,'20261121-100000-d4e5f6','main','open',3,NULL,NULL,NULL,20.0,NULL,0,NULL,NULL,22.0,0,0,0,0,0,NULL,0,0,0,'',NULL,0,NULL);
INSERT INTO "sources" VALUES(4,'live/checkout.main',3,'live/checkout','main','ended',5,NULL,NULL,0,30.0,33.0,0,NULL,NULL,33.0,0,0,0,0,0,NULL,0,0,0,'',NULL,0,NULL);
CREATE TABLE suites (
    run_key    INTEGER NOT NULL REFERENCES runs (run_key),
    suite_id   TEXT NOT NULL,
    total      INTEGER NOT NULL DEFAULT 0,
    done       INTEGER NOT NULL DEFAULT 0,
    passed     INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0,
    skipped    INTEGER NOT NULL DEFAULT 0,
    started_ms REAL,
    ended_ms   REAL,
    name       TEXT,
    told_started_ms REAL,  -- what clients said
    told_ended_ms   REAL,
    PRIMARY KEY (run_key, suite_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "suites" VALUES(1,'a.py',2,2,2,0,0,2.0,6.0,NULL,NULL,NULL);
INSERT INTO "suites" VALUES(1,'b.py',1,1,0,1,0,3.0,7.0,NULL,NULL,NULL);
INSERT INTO "suites" VALUES(2,'a.py',1,1,1,0,0,21.0,NULL,NULL,NULL,NULL);
INSERT INTO "suites" VALUES(3,'Shop',1,1,1,0,0,31.0,32.0,NULL,NULL,NULL);
CREATE TABLE test_events (
    run_key    INTEGER NOT NULL REFERENCES runs (run_key),
    test_key   INTEGER NOT NULL REFERENCES tests (test_key),
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq        INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    type       TEXT NOT NULL,
    PRIMARY KEY (run_key, test_key, source_key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "test_events" VALUES(3,4,4,3,1,'test/log');
CREATE TABLE tests (
    test_key INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    suite    TEXT NOT NULL,
    function TEXT NOT NULL,
    params   TEXT NOT NULL
) STRICT;
INSERT INTO "tests" VALUES(1,'a.py::test_ok','a.py','a.py::test_ok','');
INSERT INTO "tests" VALUES(2,'a.py::test_flaky[x-1]','a.py','a.py::test_flaky','x-1');
INSERT INTO "tests" VALUES(3,'b.py::test_lost','b.py','b.py::test_lost','');
INSERT INTO "tests" VALUES(4,'login','login','login','');
CREATE TABLE unswept (
    source_key INTEGER PRIMARY KEY,
    run_key    INTEGER NOT NULL
) STRICT;
CREATE TABLE warnings (
    run_key    INTEGER NOT NULL REFERENCES runs (run_key),
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq        INTEGER NOT NULL,
    category   TEXT NOT NULL,
    message    TEXT NOT NULL,
    test_id    TEXT,
    file       TEXT,
    line       INTEGER,
    count      INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (run_key, source_key, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "warnings" VALUES(1,1,9,'UserWarning','careful','a.py::test_ok','a.py',1,1);
CREATE INDEX runs_by_time ON runs (since_ms);
CREATE INDEX sources_by_run ON sources (run_key);
CREATE INDEX batches_by_source ON batches (source_key);
CREATE INDEX results_in_quarantine ON results (run_key, test_key) WHERE quarantine IS NOT NULL;
CREATE INDEX results_not_passed ON results (run_key, state)
    WHERE state <> 'passed' AND state <> 'pending' AND state <> 'running';
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
COMMIT;
