"""Numbers of a run in the text form of OpenMetrics 1.0, as GitLab compares them between branches.

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.reports.report import Report


def metrics(report: Report) -> bytes:
    """A gauge for each number; nothing in it was named by a test."""
    return "".join(f"{line}\n" for line in _lines(report)).encode()


def _lines(report: Report) -> Iterator[str]:
    run, counts = report.run, msgspec.to_builtins(report.counts)
    yield "# TYPE semantest_tests gauge"
    yield "# HELP semantest_tests Tests by their final state."
    for state in FINAL_STATES:
        yield f'semantest_tests{{state="{state}"}} {counts[state]}'
    yield "# TYPE semantest_quarantined gauge"
    yield "# HELP semantest_quarantined Tests in a bad state that does not count."
    yield f"semantest_quarantined {run.quarantined}"
    yield "# TYPE semantest_shards_missing gauge"
    yield "# HELP semantest_shards_missing Shards of the run that did not come."
    yield f"semantest_shards_missing {run.shards_missing}"
    yield "# TYPE semantest_attempts gauge"
    yield "# HELP semantest_attempts Attempts of all tests together, retries included."
    yield f"semantest_attempts {sum(test.attempts for test in report.tests)}"
    yield "# TYPE semantest_warnings gauge"
    yield f"semantest_warnings {sum(warning.count for warning in report.warnings)}"
    if run.duration_ms is not None:
        yield "# TYPE semantest_run_duration_seconds gauge"
        yield "# UNIT semantest_run_duration_seconds seconds"
        yield f"semantest_run_duration_seconds {run.duration_ms / 1000:.3f}"
    yield "# TYPE semantest_tests_duration_seconds gauge"
    yield "# UNIT semantest_tests_duration_seconds seconds"
    yield f"semantest_tests_duration_seconds {sum(test.duration_ms for test in report.tests) / 1000:.3f}"
    yield "# EOF"
