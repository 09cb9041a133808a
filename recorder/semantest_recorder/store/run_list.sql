-- Runs for lists of them. {order} is one of the orders in run_list.py: no word of anybody else.

-- name: chosen
SELECT id, name, state, exit_code, started_ms, ended_ms, planned, deselected, stopped_early, stop_reason, gaps,
       quarantined, left_out, shard_count, shards_missing, facts_source, context_source, labels, facts, context, k, t
FROM (SELECT r.*, {order}
      FROM runs r
      WHERE (:states IS NULL OR r.state IN (SELECT value FROM json_each(:states)))
            AND (:since_ms IS NULL OR coalesce(r.since_ms, 0.0) >= :since_ms)
            AND (:until_ms IS NULL OR coalesce(r.since_ms, 0.0) < :until_ms)
            AND (:branch IS NULL OR r.branch = :branch)
            AND (:commit IS NULL OR substr(r."commit", 1, length(:commit)) = :commit)
            AND (:labels IS NULL OR NOT EXISTS (
                SELECT 1 FROM json_each(:labels) w WHERE NOT EXISTS (
                    SELECT 1 FROM json_each(r.labels) l
                    WHERE l.key = json_extract(w.value, '$[0]') AND (json_extract(w.value, '$[1]') IS NULL OR l.value = json_extract(w.value, '$[1]')))))
            AND (:text IS NULL OR instr(lower(r.id), lower(:text)) OR instr(lower(coalesce(r.name, '')), lower(:text))
                 OR instr(lower(coalesce(r.branch, '')), lower(:text))
                 OR instr(lower(coalesce(r."commit", '')), lower(:text))
                 OR instr(lower(coalesce(json_extract(r.context, '$.git.author'), '')), lower(:text))
                 OR instr(lower(coalesce(json_extract(r.context, '$.git.subject'), '')), lower(:text))))
WHERE (:after IS NULL OR (k, t) > (:after, :tie))
ORDER BY k, t LIMIT :most;

-- name: newest
SELECT r.id, r.name, r.state, r.branch, r.labels, r.gaps, r.quarantined, r.left_out, r.shard_count, r.shards_missing
FROM runs r
ORDER BY r.since_ms DESC, r.run_key DESC LIMIT ?;
