-- name: key
SELECT run_key FROM runs WHERE id = ?;

-- name: bad
SELECT t.id, x.state, x.position, x.attempts, x.duration_ms, x.worker, x.file, x.line, x.started_ms, x.ended_ms,
       x.reason, x.suite_id, x.fingerprint, x.quarantine, x.repetitions, x.forgiven, x.markers
FROM results x JOIN tests t USING (test_key)
WHERE x.run_key = ?1 AND x.state IN (SELECT value FROM json_each(?2))
ORDER BY coalesce(x.ended_ms, x.started_ms, 0.0) DESC LIMIT ?3;

-- name: running
SELECT t.id FROM results x JOIN tests t USING (test_key) WHERE x.run_key = ?1 AND x.state = 'running' LIMIT ?2;

-- name: waiting
SELECT t.id FROM results x JOIN tests t USING (test_key)
WHERE x.run_key = ?1 AND x.state = 'pending' AND x.position IS NOT NULL ORDER BY x.position LIMIT ?2;

-- name: workers
SELECT worker FROM sources
WHERE run_key = ?1 AND state = 'open' AND last_seq > 0 AND worker NOT IN ('shipper', 'client') ORDER BY source_key;

-- name: last_events
SELECT s.worker, e.type, e.time_ms, e.payload
FROM sources s JOIN events e USING (source_key)
WHERE s.run_key = ?1 AND e.seq > s.last_seq - ?2 ORDER BY e.time_ms DESC, e.seq DESC LIMIT ?2;

-- name: stacks
SELECT e.time_ms, e.payload FROM sources s JOIN events e USING (source_key)
WHERE s.run_key = ?1 AND s.worker = 'shipper' AND e.type = 'worker/stack' ORDER BY e.time_ms DESC LIMIT ?2;
