"""An export takes the memory of the report and of one test: it writes as it goes, and keeps no details."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest

from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.exporter import ExportedRun, ExportOptions
from semantest_recorder.reports.exporters.formats import FORMATS
from tests.recorder.reports.rows_of import attempt_row, result_row, run_rows

TESTS = 40
#: ``html`` writes blocks of several tests, which are compressed.
ONE_BY_ONE = [name for name in FORMATS if name != "html"]
OUTPUT = "a line that a test has printed\n" * 100


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_each_test_is_written_before_the_next_is_read(name: str) -> None:
    ids = [f"a.py::test_{number}" for number in range(TESTS)]
    results = [result_row(test_id, "failed", position) for position, test_id in enumerate(ids)]
    report = aggregate(run_rows(results, [attempt_row(test_id, "failed") for test_id in ids]))
    logs = [{"stream": "stdout", "phase": "call", "text": OUTPUT}]
    details = {"error": {"message": "m", "stack": OUTPUT}, "logs": logs}
    stream = io.BytesIO()
    written: list[int] = []
    run = ExportedRun(
        report, lambda *_: details, lambda _: [], lambda _: None, lambda *_: written.append(stream.tell())
    )
    FORMATS[name].exporter()([run], stream, ExportOptions())
    # What is told of a test comes when the next one is asked for: by then the test is in the stream.
    told = written[-TESTS:]
    assert all(later > earlier for earlier, later in pairwise(told))
    kept = [attempt for test in report.tests for attempt in test.attempts_detail]
    assert not any(attempt.output or (attempt.error is not None and attempt.error.stack) for attempt in kept)
