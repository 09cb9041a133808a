-- name: run_of_source
SELECT r.id FROM sources s JOIN runs r USING (run_key) WHERE s.source = ? AND s.last_seq > 0;

-- name: deleted_source
SELECT 1 FROM deleted_sources WHERE source = ?;

-- name: tests
SELECT id FROM tests WHERE id IN (SELECT value FROM json_each(?));

-- name: suites
SELECT DISTINCT suite FROM tests;

-- name: announced_shards
SELECT max(json_extract(e.payload, '$.shard.of'))
FROM runs r JOIN sources s USING (run_key) JOIN events e USING (source_key)
WHERE r.id = ? AND s.worker = 'main' AND e.seq < 100 AND e.type = 'run/selection' AND json_valid(e.payload);
