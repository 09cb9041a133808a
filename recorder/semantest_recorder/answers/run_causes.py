"""Why tests of a run failed, cause by cause, and whether that is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from semantest_recorder.answers.stored_history import StoredHistory
from semantest_recorder.core.analysis import standing as kinds
from semantest_recorder.core.analysis.clustering import Cluster, Occurrence, clusters, first_seen, under_name
from semantest_recorder.core.analysis.standing import Standing, standing
from semantest_recorder.reports.aggregate import test_infos
from semantest_recorder.reports.failure_list import FailureCluster, failure_list
from semantest_recorder.reports.report import QuarantineInfo, TestInfo

#: Of so many bad tests causes are found, and so many of these are told; so many tests of each are looked up in
#: runs before, and in so many runs where the same was seen first.
_FAILURES = 2000
_CAUSES = 50
_TESTS = 3
_RUNS_SEARCHED = 300


class Cause(NamedTuple):
    """One cause of failures of a run; ``test`` is the one that stands for its tests, with its attempts.

    ``standing``: how most of its first tests stand among the runs before, that of the one that is bad for longest;
    ``quarantine``: of the first of these that is in it.
    """

    found: FailureCluster
    test: TestInfo
    standing: Standing
    quarantine: QuarantineInfo | None

    @property
    def is_new(self) -> bool:
        """Whether its tests were not bad before."""
        return self.standing.kind == kinds.NEW and not self.is_flaky

    @property
    def is_flaky(self) -> bool:
        """Whether all its tests passed in the end."""
        return len(self.found.flaky_tests) == len(self.found.tests)

    @property
    def is_seen_since_first_bad(self) -> bool:
        """Whether the same was first seen in the run since which its tests fail, which their standing names."""
        first_bad = self.standing.first_bad if self.standing.kind == kinds.FAILING and not self.is_flaky else None
        return first_bad is not None and first_bad.run_id == self.found.first_seen.id


class RunCauses(NamedTuple):
    """Causes: new ones first, those of tests that passed in the end last, of all ``number`` that there are.

    Of the ``failures``, tests that are bad or flaky, the first ``looked_at`` were looked at.
    """

    told: list[Cause]
    number: int
    failures: int
    looked_at: int

    @property
    def complete(self) -> bool:
        """Whether all failures were looked at, not only the first ones."""
        return self.looked_at == self.failures


def causes_of_run(history: StoredHistory, run_id: str) -> RunCauses:
    """The causes that broke the most tests. Raises what ``Reader`` raises."""
    failed = history.runs.failures(run_id, _FAILURES)
    found = clusters(Occurrence(run_id, failure) for failure in failed)
    shown = found[:_CAUSES]
    looked_up = {cluster.id: cluster.tests[:_TESTS] for cluster in shown}
    names = {test: history.identity.ids_of(test) for tests in looked_up.values() for test in tests}
    past = history.runs.histories(run_id, names, kinds.RUNS + 1)
    infos = {
        info.id: info
        for info in test_infos(
            history.reader.results_of(run_id, list(names)),
            history.reader.attempts_of(run_id, [cluster.occurrences[0].failure.test_id for cluster in shown]),
        )
    }
    causes = []
    for cluster, told in zip(shown, _told(history, run_id, shown, names), strict=True):
        tests = looked_up[cluster.id]
        quarantine = next((told_by for test in tests if (told_by := infos[test].quarantine) is not None), None)
        causes.append(
            Cause(told, infos[told.sample.test], _common(standing(past[one], run_id) for one in tests), quarantine)
        )
    causes.sort(key=lambda cause: (not cause.is_new, cause.is_flaky))
    number = history.runs.failure_count(run_id)
    return RunCauses(causes, len(found), number, min(number, _FAILURES))


def _common(standings: Iterable[Standing]) -> Standing:
    told = list(standings)
    kind = Counter(one.kind for one in told).most_common(1)[0][0]
    return max((one for one in told if one.kind == kind), key=lambda one: one.bad_runs)


def _told(
    history: StoredHistory, run_id: str, shown: list[Cluster], names: dict[str, list[str]]
) -> list[FailureCluster]:
    """The public shape of the causes: where the same was seen first, as far back as is looked."""
    present = {name: test for test, all_names in names.items() for name in all_names} | {test: test for test in names}
    earlier = [
        Occurrence(run, under_name(failure, present[failure.test_id]))
        for run, failure in history.runs.failures_of(present, _RUNS_SEARCHED, run_id)
    ]
    since = {cluster.id: first_seen(cluster, earlier) or run_id for cluster in shown}
    return failure_list([run_id], shown, since, history.runs.started([*since.values(), run_id])).clusters
