"""Whatever stands in a report, every format is well formed and tells the same of each test."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core import rows
from semantest_recorder.core.rows import AttemptRow, ResultRow
from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.exporter import ExportedRun, ExportOptions
from semantest_recorder.reports.exporters.formats import FORMATS
from semantest_recorder.reports.exporters.markdown import page
from semantest_recorder.reports.report import Report, TestInfo
from tests.recorder.reports.exporters.agreement import assert_agrees, name_in, ran
from tests.recorder.reports.exporters.hostile_runs import TEXTS, hostile_report, hostile_run, hostile_tests
from tests.recorder.reports.exporters.readers import READERS, Seen, read_csv, read_markdown
from tests.recorder.reports.rows_of import MAIN, attempt_row, result_row, run_rows

_RUN_ITSELF = {"junit": "semantest::run", "ctrf": "semantest.run"}


def _told(kind: str, seen: list[Seen], report: Report) -> list[TestInfo]:
    """The tests that the format can tell of; the run itself stands in JUnit XML and CTRF when no test is red."""
    known = {name_in(kind, test) for test in report.tests}
    seen[:] = [one for one in seen if one.name in known or one.name != _RUN_ITSELF.get(kind)]
    return ran(report) if kind == "reportlog" else report.tests


@settings(max_examples=50)
@given(
    st.lists(hostile_tests(), max_size=4, unique_by=lambda test: test[0].test_id),
    st.lists(TEXTS, min_size=3, max_size=3),
)
def test_every_format_tells_every_test(tests: list[tuple[ResultRow, list[AttemptRow]]], texts: list[str]) -> None:
    report = hostile_report(tests, texts)
    for name, read in READERS.items():
        stream = io.BytesIO()
        FORMATS[name].exporter()([hostile_run(report, texts)], stream, ExportOptions())
        kind = name.removesuffix("-xunit1")
        names = [name_in(kind, test) for test in report.tests]
        seen = read(stream.getvalue())
        expected = _told(kind, seen, report)
        if len(set(names)) == len(names):  # a format may have one spelling for two characters
            assert_agrees(kind, seen, expected)
        else:
            assert len(seen) == len(expected)
    attempts = io.BytesIO()
    FORMATS["csv"].exporter()([hostile_run(report, texts)], attempts, ExportOptions(rows="attempts"))
    assert len(read_csv(attempts.getvalue())) == sum(len(test.attempts_detail) for test in report.tests)


@settings(max_examples=50)
@given(
    st.lists(hostile_tests(), max_size=4, unique_by=lambda test: test[0].test_id),
    st.lists(TEXTS, min_size=3, max_size=3),
    st.integers(1_000, 4_000),
)
def test_a_page_is_text_and_keeps_within_its_bytes(
    tests: list[tuple[ResultRow, list[AttemptRow]]], texts: list[str], most: int
) -> None:
    report = hostile_report(tests, texts)
    stream = io.BytesIO()
    FORMATS["markdown"].exporter()([hostile_run(report, texts)], stream, ExportOptions())
    assert read_markdown(stream.getvalue())["tests"] == len(report.tests)
    cut = page(hostile_run(report, texts), most)
    assert len(cut) <= most
    assert cut == stream.getvalue() or b"more left out here" in cut
    assert page(hostile_run(report, texts)) == stream.getvalue()


def test_no_path_that_a_client_says_is_a_file_to_publish() -> None:
    """Jenkins' attachments plugin publishes what stands in ``[[ATTACHMENT|path]]``."""
    report = aggregate(run_rows([result_row("a.py::t", "failed")], [attempt_row("a.py::t", "failed")]))
    files = {
        1: {"name": "p", "path": "/etc/passwd", "sha256": "1" * 64},
        2: {"name": "k", "sha256": "0" * 64, "mediaType": "text/plain"},
    }
    kinds = {1: "test/screenshot", 2: "test/attachment"}
    events = [rows.TestEventRow("a.py::t", MAIN, seq, 1, kind) for seq, kind in kinds.items()]
    stream = io.BytesIO()
    run = ExportedRun(report, lambda _, seq: files.get(seq), lambda _: events, lambda sha256: f"/kept/{sha256}")
    FORMATS["junit"].exporter()([run], stream, ExportOptions())
    assert f"[[ATTACHMENT|/kept/{'0' * 64}]]" in stream.getvalue().decode()
    assert b"passwd" not in stream.getvalue()
