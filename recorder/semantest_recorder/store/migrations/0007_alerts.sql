-- What the recorder tells people by itself: docs/design/alerts.md.

-- Subjects of rules that have fired, and what people were told of them.
CREATE TABLE alerts (
    rule       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    severity   TEXT NOT NULL,
    state      TEXT NOT NULL,
    since_ms   REAL NOT NULL,
    seen_ms    REAL NOT NULL,
    summary    TEXT NOT NULL,
    branch     TEXT,
    run_id     TEXT,
    test_id    TEXT,
    weight     INTEGER NOT NULL DEFAULT 0,
    told_state TEXT,
    told_ms    REAL,
    PRIMARY KEY (rule, subject)
) STRICT, WITHOUT ROWID;

-- Runs that rules have looked at, in the state in which they did.
CREATE TABLE judged_runs (
    run_id    TEXT PRIMARY KEY,
    state     TEXT NOT NULL,
    branch    TEXT,
    judged_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE silences (
    id       TEXT PRIMARY KEY,
    rule     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    until_ms REAL NOT NULL,
    reason   TEXT NOT NULL,
    who      TEXT NOT NULL,
    made_ms  REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- The outbox: a message for one channel, written with the decision to send it.
CREATE TABLE deliveries (
    delivery_key INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    channel      TEXT NOT NULL,
    rule         TEXT NOT NULL,
    state        TEXT NOT NULL,
    body         TEXT NOT NULL,
    made_ms      REAL NOT NULL,
    tries        INTEGER NOT NULL DEFAULT 0,
    next_ms      REAL NOT NULL,
    ended_ms     REAL,
    answer       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX deliveries_by_state ON deliveries (state, delivery_key);
