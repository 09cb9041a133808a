-- What clients say of runs, suites and tests: docs/design/orchestrator.md.
ALTER TABLE sources ADD COLUMN timed_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN suite_id TEXT;
ALTER TABLE suites ADD COLUMN name TEXT;
ALTER TABLE suites ADD COLUMN told_started_ms REAL;
ALTER TABLE suites ADD COLUMN told_ended_ms REAL;

-- Steps, logs, assertions, screenshots and attachments of tests: where in the log they are.
CREATE TABLE test_events (
    run_key    INTEGER NOT NULL REFERENCES runs (run_key),
    test_key   INTEGER NOT NULL REFERENCES tests (test_key),
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq        INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    type       TEXT NOT NULL,
    PRIMARY KEY (run_key, test_key, source_key, seq)
) STRICT, WITHOUT ROWID;

-- What a guard or a plugin did to an event before it was stored; part of the log, kept by replay.
CREATE TABLE marks (
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,   -- suspicious: stored as it came; dropped: a tombstone stands for it; changed
    reason     TEXT NOT NULL,
    sent_crc   INTEGER,         -- CRC-32 of type and payload as they were sent, when something else is stored
    PRIMARY KEY (source_key, seq, kind)
) STRICT, WITHOUT ROWID;
