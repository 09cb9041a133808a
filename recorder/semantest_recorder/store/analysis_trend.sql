-- name: tests
SELECT test_key FROM results WHERE run_key = ?;

-- name: tests_among
SELECT x.test_key FROM json_each(?2) k CROSS JOIN results x ON x.run_key = ?1 AND x.test_key = k.value;

-- name: all_tests
SELECT test_key, id FROM tests;
