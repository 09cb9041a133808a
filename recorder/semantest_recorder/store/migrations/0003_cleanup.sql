-- Runs that were deleted to give their room back: docs/design/storage.md.
-- Sources whose events were stored and deleted: what is sent of them again is acknowledged and dropped.
CREATE TABLE deleted_sources (
    source     TEXT PRIMARY KEY,
    last_seq   INTEGER NOT NULL,
    run_id     TEXT NOT NULL,
    deleted_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys of deleted runs of which rows are left; nothing refers to those rows.
CREATE TABLE unswept (
    source_key INTEGER PRIMARY KEY,
    run_key    INTEGER NOT NULL
) STRICT;

CREATE INDEX batches_by_source ON batches (source_key);
