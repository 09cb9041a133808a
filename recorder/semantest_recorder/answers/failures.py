"""What failed, one entry for each cause."""

from __future__ import annotations

from collections.abc import Sequence

from semantest_recorder.answers.stored_history import StoredHistory
from semantest_recorder.core.analysis.clustering import Occurrence, clusters, first_seen, under_name
from semantest_recorder.reports.failure_list import FailureList, failure_list


def failures_in(history: StoredHistory, run_ids: Sequence[str]) -> FailureList:
    """The causes of failures in these runs, newest first. Raises what ``Reader`` raises."""
    runs = history.runs
    failed = [(run_id, failure) for run_id in run_ids for failure in runs.failures(run_id)]
    if len(run_ids) > 1:  # else a cause would be two when its test was renamed between them
        failed = [(run_id, under_name(one, history.identity.current(one.test_id))) for run_id, one in failed]
    found = clusters(Occurrence(run_id, failure) for run_id, failure in failed)
    tests = dict.fromkeys(test_id for cluster in found for test_id in cluster.tests)
    present = {name: test_id for test_id in tests for name in history.identity.ids_of(test_id)}
    present |= {test_id: test_id for test_id in tests}  # two names of one test may fail in one run
    earlier = [
        Occurrence(run_id, under_name(failure, present[failure.test_id]))
        for run_id, failure in runs.failures_of(present)
    ]
    since = {cluster.id: first_seen(cluster, earlier) or cluster.runs[-1] for cluster in found}
    return failure_list(run_ids, found, since, runs.started([*since.values(), *run_ids]))
