"""xdist's controller: it hands the recording on to its workers and tells of those that died.

Each worker writes a journal of its own, so the reports that xdist forwards to the controller are not written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_semantest.attempts import TestHooks
from pytest_semantest.containment import contained
from pytest_semantest.protocol.encoding import PHASES

#: Keys in ``workerinput`` and ``workeroutput``.
WORKER_INPUT = WORKER_OUTPUT = "semantest"
WORKER_NOTICES = "semantest_notices"
#: How many records a worker could not write, when its journal cannot tell.
WORKER_DROPPED = "semantest_dropped"


def is_grouped(config: pytest.Config) -> bool:
    """Whether xdist appends groups to node ids; in its workers it sets dist to ``no`` and says loadgroup apart."""
    return getattr(config.option, "dist", "no") == "loadgroup" or bool(getattr(config.option, "loadgroup", False))


class ControllerHooks:
    """Hooks of the controller only; ``workers`` is what every worker needs to join."""

    def __init__(self, tests: TestHooks, workers: dict[str, str]) -> None:
        self._tests = tests
        self._workers = workers
        self._planned = False

    def contain(self, error: BaseException) -> None:
        """Hand on to the one who tells the user."""
        self._tests.contain(error)

    @pytest.hookimpl(optionalhook=True)
    @contained
    def pytest_configure_node(self, node: Any) -> None:
        """Before a worker starts, replacements for crashed ones included."""
        node.workerinput[WORKER_INPUT] = self._workers

    @pytest.hookimpl(optionalhook=True)
    @contained
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """All workers collect the same tests: the first one's are the plan."""
        if not self._planned:
            self._planned = True
            self._tests.write_plan(self._tests.ids.distinct(ids))

    @pytest.hookimpl(optionalhook=True)
    @contained
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker is gone; with an error it died. One that met Ctrl-C ended by itself."""
        told = getattr(node, "workeroutput", None)
        if told is not None:  # one that died tells nothing
            problems = told.get(WORKER_OUTPUT, ("this worker recorded nothing",))
            self._tests.worker_problems += [f"{node.gateway.id}: {problem}" for problem in problems]
            self._tests.notices += [f"{node.gateway.id}: {line}" for line in told.get(WORKER_NOTICES, ())]
            if dropped := told.get(WORKER_DROPPED):
                self._tests.workers_dropped[node.gateway.id] = dropped
        if error and error != "keyboard-interrupt":
            self._crash(node, {"reason": self._tests.translator.text(str(error), 500)})

    @pytest.hookimpl
    @contained
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Only the controller knows which test a dead worker ran: xdist's report has ``when="???"``."""
        node = getattr(report, "node", None)
        if report.when == "teardown" or (report.when not in PHASES and str(report.outcome) != "rerun"):
            self._tests.finished += 1
        if report.when in PHASES or node is None:
            return
        test_id = self._tests.ids.of_name(report.nodeid)
        self._crash(node, {"testId": test_id, "reason": self._tests.translator.text(str(report.longrepr), 500)})

    @pytest.hookimpl
    @contained
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What the workers could not collect."""
        self._tests.pytest_collectreport(report)

    @pytest.hookimpl
    @contained
    def pytest_warning_recorded(self, warning_message: Any, when: str, nodeid: str) -> None:
        """The controller's own warnings are those of its configuration; the others its workers wrote themselves."""
        if when == "config":
            self._tests.pytest_warning_recorded(warning_message, when, nodeid)

    def _crash(self, node: Any, facts: dict[str, str]) -> None:
        worker = node.gateway.id
        source = f"{self._workers['session']}.{worker}"
        self._tests.write(
            "worker/crash", {"runId": self._workers["runId"], "worker": worker, "source": source, **facts}
        )
