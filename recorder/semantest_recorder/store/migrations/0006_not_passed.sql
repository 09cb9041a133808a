-- Most tests pass: the others of a run are found, and counted, without going through all of it.
CREATE INDEX results_not_passed ON results (run_key, state)
    WHERE state <> 'passed' AND state <> 'pending' AND state <> 'running';
