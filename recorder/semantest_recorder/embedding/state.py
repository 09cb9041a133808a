"""Tests and suites of runs that are not over, as the original's TestStateManager has them, read from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semantest_recorder.embedding.integration import OrchestratorIntegration


class TestStateManager:
    """Questions about runs that are not over, and about nothing else: for the others ask ``Persistence``.

    When a run has ended, its tests are unknown here: ``get_test_result`` gives ``None``, numbers are 0. Of a test that
    several active runs have, the run that began last counts. Every method raises ``Refusal`` (the store).
    """

    #: pytest would take it for a class of tests.
    __test__ = False

    def __init__(self, system: OrchestratorIntegration) -> None:
        self._system = system

    def get_test_stats(self) -> dict[str, Any]:
        """Total, active, completed, passed, failed, skipped and pass rate, over all runs that are not over."""
        stats: dict[str, Any] = self._system.archive.find_now("statistics")["testStats"]
        return stats

    def get_active_tests(self) -> list[dict[str, Any]]:
        """The tests that run now."""
        return [result for result in self._results() if result["status"] == "running"]

    def get_active_suites(self) -> list[dict[str, Any]]:
        """The suites that have started and not ended."""
        return [suite for suite in self._suites() if suite["startTime"] is not None and suite["endTime"] is None]

    def get_test_result(self, test_id: str) -> dict[str, Any] | None:
        """What is known of a test: state, duration, error, assertions, screenshots, logs; ``None`` if it is unknown."""
        return next((result for result in self._results() if result["testId"] == test_id), None)

    def get_test_assertions(self, test_id: str) -> dict[str, int]:
        """``{passed, failed, total}`` of a test."""
        found: dict[str, int] = (self.get_test_result(test_id) or {}).get(
            "assertions", {"passed": 0, "failed": 0, "total": 0}
        )
        return found

    def get_test_screenshots(self, test_id: str) -> list[str]:
        """The pictures of a test."""
        return list((self.get_test_result(test_id) or {}).get("screenshots", []))

    def get_test_logs(self, test_id: str) -> list[dict[str, Any]]:
        """What a test logged."""
        return list((self.get_test_result(test_id) or {}).get("logs", []))

    def get_suite_test_results(self, suite_id: str) -> list[dict[str, Any]]:
        """The tests of a suite."""
        return [result for result in self._results() if result["suiteId"] == suite_id]

    def is_test_active(self, test_id: str) -> bool:
        """Whether the test runs now."""
        result = self.get_test_result(test_id)
        return result is not None and result["status"] == "running"

    def is_suite_active(self, suite_id: str) -> bool:
        """Whether the suite has started and not ended."""
        return any(suite["suiteId"] == suite_id for suite in self.get_active_suites())

    def _results(self) -> list[dict[str, Any]]:
        persistence = self._system.get_persistence()
        return [result for run_id in self._runs() for result in persistence.get_test_results_by_run(run_id)]

    def _suites(self) -> list[dict[str, Any]]:
        persistence = self._system.get_persistence()
        return [suite for run_id in self._runs() for suite in persistence.get_suite_results_by_run(run_id)]

    def _runs(self) -> list[str]:
        return [run["runId"] for run in reversed(self._system.get_orchestrator().get_active_runs())]
