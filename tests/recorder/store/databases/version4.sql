-- A database of schema version 4, made by the code of that version.
PRAGMA application_id = 1399673971;
PRAGMA user_version = 4;
BEGIN TRANSACTION;
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
    PRIMARY KEY (run_key, test_key, source_key, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES(1,1,1,1,'main','passed','call',2.0,3.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,4,0,0,0);
INSERT INTO "attempts" VALUES(1,2,1,1,'main','failed','call',2.0,3.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,6,0,0,0);
INSERT INTO "attempts" VALUES(1,2,1,2,'main','passed','call',5.0,6.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,8,0,0,0);
INSERT INTO "attempts" VALUES(1,3,2,1,'gw0','crashed',NULL,3.0,7.0,4.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'killed',NULL,0,0,NULL,NULL,0,1,0);
INSERT INTO "attempts" VALUES(2,1,3,1,'main','passed','call',21.0,22.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,3,0,0,0);
INSERT INTO "attempts" VALUES(3,4,4,1,'main','passed','call',31.0,32.0,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,NULL,4,0,0,0);
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
    PRIMARY KEY (run_key, test_key)
) STRICT, WITHOUT ROWID;
INSERT INTO "results" VALUES(1,1,'passed',0,1,1.0,'main','a.py',1,2.0,3.0,NULL,'[]',NULL);
INSERT INTO "results" VALUES(1,2,'flaky',1,2,1.0,'main','a.py',1,2.0,6.0,NULL,'[]',NULL);
INSERT INTO "results" VALUES(1,3,'crashed',2,1,4.0,'gw0','b.py',3,3.0,7.0,'killed','[]',NULL);
INSERT INTO "results" VALUES(2,1,'passed',NULL,1,1.0,'main','a.py',1,21.0,22.0,NULL,'[]',NULL);
INSERT INTO "results" VALUES(3,4,'passed',NULL,1,1.0,'main',NULL,NULL,31.0,32.0,NULL,'[]','Shop');
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
    since_ms      REAL GENERATED ALWAYS AS (min(started_ms, coalesce(received_ms, started_ms))) VIRTUAL
) STRICT;
INSERT INTO "runs" VALUES(1,'20261121-093000-a1b2c3',NULL,'failed',1,1.0,9.0,3,0,0,NULL,1,'{}','{"runId":"20261121-093000-a1b2c3","session":"20261121-093000-a1b2c3","source":"20261121-093000-a1b2c3.main","worker":"main"}','{}','20261121-093000-a1b2c3.main',NULL,1.0);
INSERT INTO "runs" VALUES(2,'20261121-100000-d4e5f6',NULL,'running',NULL,20.0,NULL,0,0,0,NULL,0,'{}','{"runId":"20261121-100000-d4e5f6","session":"20261121-100000-d4e5f6","source":"20261121-100000-d4e5f6.main","worker":"main"}','{}','20261121-100000-d4e5f6.main',NULL,1.0);
INSERT INTO "runs" VALUES(3,'checkout',NULL,'passed',0,30.0,33.0,0,0,0,NULL,0,'{}','{"runId":"checkout","session":"live/checkout","worker":"main","source":"live/checkout.main","origin":"client"}','{}','live/checkout.main',NULL,33.0);
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
    holder        TEXT                           -- the name of the token that it belongs to, part of the log
) STRICT;
INSERT INTO "sources" VALUES(1,'20261121-093000-a1b2c3.main',1,'20261121-093000-a1b2c3','main','ended',12,NULL,NULL,1,1.0,9.0,1,NULL,NULL,9.0,3,3,0,0,0,NULL,0,0,0,'0-3',NULL);
INSERT INTO "sources" VALUES(2,'20261121-093000-a1b2c3.gw0',1,'20261121-093000-a1b2c3','gw0','crashed',2,NULL,NULL,NULL,2.0,7.0,0,'killed','b.py::test_lost',3.0,0,0,0,0,0,NULL,0,0,0,'',NULL);
INSERT INTO "sources" VALUES(3,'20261121-100000-d4e5f6.main',2,'20261121-100000-d4e5f6','main','open',3,NULL,NULL,NULL,20.0,NULL,0,NULL,NULL,22.0,0,0,0,0,0,NULL,0,0,0,'',NULL);
INSERT INTO "sources" VALUES(4,'live/checkout.main',3,'live/checkout','main','ended',5,NULL,NULL,0,30.0,33.0,0,NULL,NULL,33.0,0,0,0,0,0,NULL,0,0,0,'',NULL);
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
CREATE VIEW v_runs AS
SELECT r.id AS run, r.name, r.state, r.exit_code, r.started_ms, r.ended_ms, r.ended_ms - r.started_ms AS duration_ms,
       r.planned, r.stopped_early, r.stop_reason,
       json_extract(r.context, '$.git.branch') AS branch, json_extract(r.context, '$.git.commit') AS "commit", r.labels
FROM runs r;
CREATE VIEW v_results AS
SELECT r.id AS run, t.id AS test, t.suite, t.function, t.params, x.state, x.attempts, x.duration_ms, x.worker,
       x.file, x.line, x.started_ms, x.ended_ms, x.reason
FROM results x JOIN runs r USING (run_key) JOIN tests t USING (test_key);
CREATE VIEW v_attempts AS
SELECT r.id AS run, t.id AS test, a.attempt, a.worker, a.outcome, a.phase, a.started_ms, a.ended_ms, a.duration_ms,
       a.setup_ms, a.call_ms, a.teardown_ms, a.error_type, a.error_message, a.error_file, a.error_line, a.reason
FROM attempts a JOIN runs r USING (run_key) JOIN tests t USING (test_key);
CREATE VIEW v_flaky AS
SELECT t.id AS test, count(*) AS runs, sum(x.state = 'flaky') AS flaky_runs, max(x.started_ms) AS last_ms
FROM results x JOIN tests t USING (test_key)
GROUP BY x.test_key HAVING flaky_runs > 0;
COMMIT;
