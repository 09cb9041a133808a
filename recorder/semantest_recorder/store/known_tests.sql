-- name: listed
SELECT id, suite, function, params, test_key FROM tests
WHERE (:text IS NULL OR instr(lower(id), lower(:text)) > 0) AND (:suite IS NULL OR suite = :suite)
      AND (:after IS NULL OR id > :after)
ORDER BY id LIMIT :most;

-- name: one
SELECT id, suite, function, params, test_key FROM tests WHERE id = ?;

-- name: id
SELECT id FROM tests WHERE test_key = ?;
