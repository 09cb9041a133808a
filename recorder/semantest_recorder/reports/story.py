"""One test in one run with all its attempts, and what became of it in earlier runs: ``semantest show``."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.reports.aggregate import PayloadOf
from semantest_recorder.reports.past_result import PastResult, past_result
from semantest_recorder.reports.report import REPORT_SCHEMA, AttemptInfo, Public, Report, RunInfo, TestInfo, WarningInfo

#: How far before its details an attempt's ``test/start`` is looked for.
_START_WITHIN = 64


class TestStory(Public, kw_only=True):
    """What ``semantest show --json`` prints; ``history`` newest first, ``usual_ms`` the median of its green runs.

    ``param_values`` are the parameters of the last attempt by name, as ``repr`` showed them.
    """

    schema: int = REPORT_SCHEMA
    __test__ = False

    run: RunInfo
    test: TestInfo
    param_values: dict[str, str]
    warnings: list[WarningInfo]
    history: list[PastResult]
    usual_ms: float | None


def story_of(report: Report, test: TestInfo, history: list[PastRun], payload_of: PayloadOf) -> TestStory:
    """The story of ``test``, which is one of ``report.tests`` with its details added."""
    green = [run.duration_ms for run in history if run.state in ("passed", "flaky", "xpassed")]
    last = test.attempts_detail[-1] if test.attempts_detail else None
    return TestStory(
        run=report.run,
        test=test,
        param_values=_param_values(last, test.id, payload_of) if last is not None and test.params else {},
        warnings=[warning for warning in report.warnings if warning.test_id == test.id],
        history=[past_result(run) for run in history],
        usual_ms=median(green) if green else None,
    )


def _param_values(attempt: AttemptInfo, test_id: str, payload_of: PayloadOf) -> dict[str, str]:
    """The parameters out of the attempt's ``test/start``, which stands a few records before its details."""
    if attempt.seq is None:
        return {}
    for seq in range(attempt.seq, max(0, attempt.seq - _START_WITHIN), -1):
        payload = payload_of(attempt.source, seq)
        if payload is not None and payload.get("testId") == test_id and "testName" in payload:
            return _texts(payload.get("params"))
    return {}


def _texts(params: Any) -> dict[str, str]:
    if not isinstance(params, Mapping):
        return {}
    return {str(name): value if isinstance(value, str) else repr(value) for name, value in params.items()}
