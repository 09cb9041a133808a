-- When the processes of a run ran which attempts. Times are milliseconds since the epoch. {rank}: see worker_timeline.py.

-- name: lanes
SELECT source_key, session, worker, state, started_ms, max(coalesce(ended_ms, last_ms), coalesce(last_ms, ended_ms)),
       crash_reason, (SELECT max(c.time_ms) FROM crashes c WHERE c.run_key = s.run_key AND c.source_key = s.source_key)
FROM sources s WHERE run_key = ? AND worker <> 'shipper' ORDER BY source_key;

-- Most attempts pass at once: few columns of them are sorted, which is what takes the time.
-- name: passed
SELECT source_key * 1000000 + cast((started_ms - :begin) / :part AS INTEGER) AS part, count(*), sum(duration_ms),
       min(started_ms), max(ended_ms)
FROM attempts
WHERE run_key = :run_key AND outcome = 'passed' AND attempt = 1 AND started_ms >= :begin AND started_ms < :end
      AND ended_ms - started_ms < :visible
GROUP BY part;

-- name: others
SELECT source_key, count(*), sum(duration_ms), min(started_ms), max(ended_ms), max({rank}), sum(attempt > 1), min(test_key)
FROM attempts
WHERE run_key = :run_key AND NOT (outcome = 'passed' AND attempt = 1) AND started_ms >= :begin AND started_ms < :end
      AND ended_ms - started_ms < :visible
GROUP BY source_key * 1000000 + cast((started_ms - :begin) / :part AS INTEGER);

-- name: bars
SELECT a.source_key, t.id, a.attempt, a.outcome, a.started_ms, a.ended_ms, a.duration_ms
FROM (SELECT source_key, test_key, attempt, outcome, started_ms, ended_ms, duration_ms FROM attempts
      WHERE run_key = :run_key AND started_ms < :end AND (ended_ms IS NULL OR (ended_ms >= :begin AND ended_ms - started_ms >= :visible))
      ORDER BY ended_ms IS NOT NULL, duration_ms DESC LIMIT :most) a
     JOIN tests t USING (test_key);

-- name: names
SELECT t.test_key, t.id FROM json_each(?) n CROSS JOIN tests t ON t.test_key = n.value;

-- name: attempts
SELECT a.worker, t.id, a.attempt, a.outcome, a.started_ms, a.duration_ms
FROM attempts a JOIN tests t USING (test_key) WHERE a.run_key = ? AND a.started_ms IS NOT NULL
ORDER BY a.started_ms, a.test_key, a.attempt;
