"""The list of runs in as many columns as there are."""

from __future__ import annotations

from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.report import Counts
from semantest_recorder.reports.run_list import RunSummary, run_lines, run_summary
from semantest_recorder.reports.wording import day_and_minute, moment
from tests.recorder.reports.rows_of import START

_IDS = ("20261121-093000-a1b2c3", "20261121-094500-ffffff")


def summaries(branch: str = "main") -> list[RunSummary]:
    counts = [Counts(total=1, passed=1), Counts(total=34, passed=14, failed=3, error=2, skipped=1, crashed=14)]
    rows = [
        RunRow(
            run_id,
            state=state,
            started_ms=START,
            ended_ms=START + took,
            gaps=gaps,
            context={"git": {"branch": branch}},
        )
        for run_id, state, took, gaps in ((_IDS[0], "passed", 900.0, 0), (_IDS[1], "failed", 125_000.0, 2))
    ]
    return [run_summary(row, count) for row, count in zip(rows, counts, strict=True)]


def texts(width: int | None, branch: str = "main") -> list[str]:
    return [line.plain for line in run_lines(summaries(branch), width)]


def test_all_is_said_where_there_is_room_and_no_line_ends_in_blanks() -> None:
    head, passed, failed = lines = texts(None)
    assert head.split() == ["run", "started", "state", "took", "tests", "branch"]
    assert passed.startswith(f"{_IDS[0]}  {moment(START)}  passed")
    assert "1 test: 1 passed" in passed
    assert "34 tests: 14 passed, 3 failed" in failed
    assert "failed, 2 records missing" in failed
    assert all(line == line.rstrip() for line in [*lines, *texts(None, branch="")])
    assert {line.index("main") for line in (passed, failed)} == {head.index("branch")}
    assert {line.index(word) + len(word) for line, word in ((passed, "900 ms"), (failed, "2 min 5 s"))} == {
        head.index("took") + len("took")
    }


def test_at_80_columns_each_run_has_one_line_and_its_whole_id() -> None:
    lines = texts(80)
    assert len(lines) == 3
    assert all(len(line) <= 80 for line in lines)
    assert [line.split()[0] for line in lines[1:]] == list(_IDS)
    assert lines[1].split("  ", 1)[1].startswith(day_and_minute(START))
    assert "14 passed" in lines[2]
    assert lines[2].endswith("…")
    assert lines[0].endswith("tests")
    assert lines[1].endswith("1 passed"), "the branch is the first to go"


def test_what_fits_is_not_made_narrow() -> None:
    wide = texts(None)
    assert texts(max(map(len, wide))) == wide
    assert texts(max(map(len, wide)) - 1) != wide


def test_an_id_is_whole_however_narrow_the_terminal_is() -> None:
    assert [line.split()[0] for line in texts(10)[1:]] == list(_IDS)


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in "".join(texts(None, branch="\x1b[31mred"))
