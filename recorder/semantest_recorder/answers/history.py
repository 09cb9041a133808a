"""One test through its runs."""

from __future__ import annotations

from semantest_recorder.answers.errors import NoRunOfTest
from semantest_recorder.answers.one_test import one_test
from semantest_recorder.answers.stored_history import StoredHistory
from semantest_recorder.reports.flaky_rate import flaky_rate
from semantest_recorder.reports.history_of_test import TestHistory, history_of_test
from semantest_recorder.store.analysis_flaky import flakiness_of_test


def history_of(history: StoredHistory, test: str, branch: str | None = None, runs: int = 30) -> TestHistory:
    """What became of the test that ``test`` means in the last ``runs`` runs that have it, of ``branch`` if named.

    Raises what ``one_test`` raises, ``NoRunOfTest``, ``BranchNotFound`` and what ``Reader`` raises.
    """
    if branch is not None:
        history.runs.require_branch(branch)
    test_id = one_test(test, [], history.reader, history.identity.current)
    names = history.identity.ids_of(test_id)
    past = history.runs.history(names, branch, runs)
    if not past:
        raise NoRunOfTest(test_id, branch)
    met = {run.test_id for run in past}
    oldest_first = [run.run_id for run in reversed(past)]
    flaky = flaky_rate(*flakiness_of_test(history.runs.connection, oldest_first, test_id, history.identity))
    return history_of_test(test_id, [name for name in names[1:] if name in met], branch, past, flaky)
