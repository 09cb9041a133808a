-- What is kept of alerts. Columns stand in the order of the structs in core/alerts/.

-- name: alerts_of_rule
SELECT rule, subject, kind, severity, state, since_ms, seen_ms, summary, branch, run_id, test_id, weight, told_state, told_ms
FROM alerts WHERE rule = ? AND (state = 'firing' OR told_state = 'firing');

-- What people know is not looked at again until it is seen again: thousands may fire, and it is asked every few seconds.

-- name: alerts_to_tell
SELECT rule, subject, kind, severity, state, since_ms, seen_ms, summary, branch, run_id, test_id, weight, told_state, told_ms
FROM alerts WHERE rule = ?1
      AND (state <> coalesce(told_state, 'resolved') OR subject IN (SELECT value FROM json_each(?2)));

-- What fires comes first, of that what is worst; of each the newest. Sorted are names only, of which there may be 20,000.

-- name: all_alerts
WITH listed AS (
    SELECT rule, subject, since_ms,
           CASE WHEN state <> 'firing' THEN 3 WHEN severity = 'critical' THEN 0 WHEN severity = 'warning' THEN 1 ELSE 2 END AS rank
    FROM alerts
    WHERE (?1 IS NULL OR state = ?1) AND (?3 IS NULL OR (rank, -since_ms, rule, subject) > (?3, -?4, ?5, ?6))
    ORDER BY rank, since_ms DESC, rule, subject LIMIT ?2)
SELECT a.rule, a.subject, a.kind, a.severity, a.state, a.since_ms, a.seen_ms, a.summary, a.branch, a.run_id, a.test_id,
       a.weight, a.told_state, a.told_ms, n.rank
FROM listed n CROSS JOIN alerts a ON a.rule = n.rule AND a.subject = n.subject
ORDER BY n.rank, n.since_ms DESC, n.rule, n.subject;

-- name: of_moment
SELECT rule, subject FROM alerts WHERE since_ms = ?;

-- name: count_alerts
SELECT state, count(*) FROM alerts GROUP BY state;

-- name: put_alert
INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: forget_alerts
DELETE FROM alerts WHERE seen_ms < ?1 OR rule NOT IN (SELECT value FROM json_each(?2));

-- name: forget_most_alerts
DELETE FROM alerts WHERE (rule, subject) IN (
    SELECT rule, subject FROM alerts ORDER BY seen_ms DESC, rule, subject LIMIT -1 OFFSET ?);

-- name: silences
SELECT id, rule, subject, until_ms, reason, who, made_ms FROM silences WHERE until_ms > ? ORDER BY until_ms, id;

-- name: put_silence
INSERT INTO silences VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: end_silence
DELETE FROM silences WHERE id = ?;

-- name: forget_silences
DELETE FROM silences WHERE until_ms <= ?;

-- name: add_delivery
INSERT INTO deliveries (id, channel, rule, state, body, made_ms, next_ms, ended_ms, answer)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8);

-- name: count_queued
SELECT count(*) FROM deliveries WHERE state = 'queued' AND channel = ?;

-- name: count_all_queued
SELECT count(*) FROM deliveries WHERE state = 'queued';

-- name: queued
SELECT delivery_key, id, channel, rule, state, CAST(body AS BLOB), made_ms, tries, next_ms, ended_ms, answer
FROM deliveries WHERE state = 'queued' ORDER BY delivery_key;

-- What waits is looked at with every try, without the bodies: there may be a thousand for each channel.

-- name: waiting
SELECT delivery_key, id, channel, rule, state, x'', made_ms, tries, next_ms, ended_ms, answer
FROM deliveries WHERE state = 'queued' ORDER BY delivery_key;

-- name: body
SELECT CAST(body AS BLOB) FROM deliveries WHERE id = ?;

-- name: dead
SELECT delivery_key, id, channel, rule, state, CAST(body AS BLOB), made_ms, tries, next_ms, ended_ms, answer
FROM deliveries WHERE state = 'dead' ORDER BY delivery_key DESC;

-- name: recent
SELECT delivery_key, id, channel, rule, state, CAST(body AS BLOB), made_ms, tries, next_ms, ended_ms, answer
FROM deliveries ORDER BY delivery_key DESC LIMIT ?;

-- name: tried
UPDATE deliveries SET state = ?2, tries = ?3, next_ms = ?4, ended_ms = ?5, answer = ?6 WHERE id = ?1 AND state = 'queued';

-- name: retry
UPDATE deliveries SET state = 'queued', tries = 0, next_ms = ?2, ended_ms = NULL
WHERE state = 'dead' AND (?1 IS NULL OR id IN (SELECT value FROM json_each(?1)));

-- name: drop
DELETE FROM deliveries WHERE state = 'dead' AND (?1 IS NULL OR id IN (SELECT value FROM json_each(?1)));

-- name: forget_deliveries
DELETE FROM deliveries
WHERE (state <> 'queued' AND ended_ms < ?1)
      OR delivery_key IN (SELECT delivery_key FROM deliveries WHERE state = 'dead' ORDER BY delivery_key DESC LIMIT -1 OFFSET ?2)
      OR delivery_key IN (
          SELECT delivery_key FROM deliveries WHERE state = 'delivered' ORDER BY delivery_key DESC LIMIT -1 OFFSET ?3);

-- name: begin
INSERT OR IGNORE INTO meta VALUES ('alerts_since_ms', CAST(? AS TEXT));

-- name: judged
INSERT OR REPLACE INTO judged_runs VALUES (?, ?, ?, ?);

-- name: forget_judged
DELETE FROM judged_runs WHERE judged_ms < ?;

-- Facts that rules are judged by.

-- name: unjudged
SELECT r.id, r.state, r.branch, json_extract(r.context, '$.ci.pullRequest'), r.planned, r.ended_ms - r.started_ms,
       r.exit_code IS 5 AND NOT EXISTS (SELECT 1 FROM results x WHERE x.run_key = r.run_key),  -- 5: pytest selected no test
       r.context <> '{}'
FROM runs r LEFT JOIN judged_runs j ON j.run_id = r.id
WHERE r.since_ms >= ?1 AND r.state NOT IN ('pending', 'running')
      AND (j.run_id IS NULL OR j.state <> r.state OR (j.branch IS NULL AND r.branch IS NOT NULL))
      AND coalesce(r.ended_ms, r.since_ms) >= ?2
      AND max(coalesce(r.received_ms, 0.0), coalesce(r.ended_ms, r.since_ms))
          >= coalesce((SELECT CAST(value AS REAL) FROM meta WHERE key = 'alerts_since_ms'), 0.0)
ORDER BY r.since_ms, r.run_key LIMIT ?3;

-- name: last_received
SELECT max(b.received_ms) FROM runs r JOIN sources s USING (run_key) JOIN batches b USING (source_key) WHERE r.id = ?;

-- name: count_bad
SELECT count(*) FROM results WHERE run_key = (SELECT run_key FROM runs WHERE id = ?1) AND NOT forgiven
       AND state IN (SELECT value FROM json_each(?2));

-- Runs of the same branch, and of no other pull request, that were to run about as many tests.

-- name: durations
SELECT r.ended_ms - r.started_ms FROM runs r, runs own
WHERE own.id = ?1 AND (r.since_ms, r.run_key) < (own.since_ms, own.run_key) AND r.branch IS own.branch
      AND (json_extract(r.context, '$.ci.pullRequest') IS NULL
           OR json_extract(r.context, '$.ci.pullRequest') = json_extract(own.context, '$.ci.pullRequest'))
      AND r.state IN ('passed', 'failed') AND NOT r.stopped_early AND NOT r.shards_missing
      AND r.planned BETWEEN 0.8 * own.planned AND 1.25 * own.planned AND r.ended_ms >= r.started_ms
ORDER BY r.since_ms DESC, r.run_key DESC LIMIT ?2;

-- name: firing
SELECT subject, test_id, branch FROM alerts WHERE rule = ? AND state = 'firing';

-- name: states
SELECT t.id, x.state FROM json_each(?2) n CROSS JOIN tests t ON t.id = n.value
     CROSS JOIN results x ON x.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND x.test_key = t.test_key;

-- What could not be collected has a result of its own; when tests below it have one, it could be.

-- name: collected
SELECT n.value FROM json_each(?2) n WHERE EXISTS (
    SELECT 1 FROM tests t
         CROSS JOIN results x ON x.run_key = (SELECT run_key FROM runs WHERE id = ?1) AND x.test_key = t.test_key
    WHERE t.id BETWEEN n.value || '::' AND n.value || ':;' OR t.id BETWEEN n.value || '/' AND n.value || '0');

-- Tests that fired last in a run that was started as this one was, which collected all that there is, and not them.
-- Whatever tells the two apart may be why: a command line, a folder, a platform. Imported runs do not say.

-- name: gone
SELECT a.test_id FROM json_each(?3) n CROSS JOIN alerts a ON a.rule = ?2 AND a.subject = n.value AND a.state = 'firing'
     JOIN runs own ON own.id = ?1 JOIN runs r ON r.id = a.run_id
WHERE a.test_id IS NOT NULL AND own.state IN ('passed', 'failed') AND NOT own.stopped_early AND NOT own.gaps
      AND NOT own.deselected AND NOT own.left_out AND NOT own.shards_missing
      AND r.branch IS own.branch AND r.name IS own.name AND r.labels = own.labels
      AND json_extract(own.facts, '$.pytestVersion') IS NOT NULL
      AND json_extract(r.facts, '$.args', '$.cwd', '$.rootdir', '$.platform', '$.pythonVersion')
          = json_extract(own.facts, '$.args', '$.cwd', '$.rootdir', '$.platform', '$.pythonVersion')
      AND NOT EXISTS (SELECT 1 FROM results x JOIN tests t USING (test_key)
                      WHERE x.run_key = own.run_key AND (t.id = a.test_id OR x.state = 'error' AND instr(t.id, '::') = 0));

-- name: forgiven
SELECT t.id FROM results x JOIN tests t USING (test_key)
WHERE x.run_key = (SELECT run_key FROM runs WHERE id = ?) AND x.forgiven;

-- When the last event of a source came is told by the recorder's clock, all else by that of its machine.

-- name: running
SELECT r.id, r.branch, t.id, a.worker,
       max(s.last_ms - a.started_ms, 0.0)
       + max(?2 - (SELECT b.received_ms FROM batches b WHERE b.source_key = s.source_key ORDER BY b.batch_key DESC LIMIT 1), 0.0),
       CAST(json_extract(r.context, '$.ci.pullRequest') AS TEXT)
FROM json_each(?1) n CROSS JOIN runs r ON r.id = n.value AND r.state = 'running'
     CROSS JOIN results x ON x.run_key = r.run_key AND x.state = 'running'
     CROSS JOIN attempts a ON a.run_key = x.run_key AND a.test_key = x.test_key AND a.outcome IS NULL
     JOIN sources s ON s.source_key = a.source_key AND s.state = 'open'
     JOIN tests t ON t.test_key = x.test_key;

-- name: open_runs
SELECT r.id, r.state, r.branch, json_extract(r.context, '$.ci.pullRequest'), r.planned, ?2 - r.received_ms, 0
FROM json_each(?1) n CROSS JOIN runs r ON r.id = n.value WHERE r.state = 'running' AND r.received_ms IS NOT NULL;
