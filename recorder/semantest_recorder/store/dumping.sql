-- name: runs
SELECT id FROM runs WHERE ?1 IS NULL OR since_ms >= ?1 ORDER BY since_ms DESC, run_key DESC LIMIT ?2;
