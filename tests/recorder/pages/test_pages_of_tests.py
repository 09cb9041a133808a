"""Pages about tests over time, as they are drawn from what runs left: what they say where there is little to say."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from markupsafe import escape
from multidict import MultiDict

from semantest_recorder.core.access import ANONYMOUS
from semantest_recorder.pages import find_test, flaky_board, one_test, slow_board, slower_board, trend_charts
from semantest_recorder.pages.drawing import Drawing
from semantest_recorder.pages.page import Visit
from semantest_recorder.pages.static_files import StaticFiles
from semantest_recorder.pages.table import as_csv
from tests.recorder.cli.command import semantest
from tests.recorder.cli.suite_runs import FAILED, FLAKY, PASSED, Ran, record_run, run_id

T, OTHER = "test_till.py::test_total", "test_till.py::test_other"
LONG = f"test_till.py::test_long[<img src=x>ä€😀\u202e{'x' * 480}\n</title><b>::]"
ROOMS = (find_test, flaky_board, one_test, slow_board, slower_board, trend_charts)


def drawn(room: ModuleType, folder: Path, **query: str) -> str:
    """The page as text with one blank between words."""
    (page,) = room.pages(folder / "semantest.db")
    visit = Visit(page.path, {}, MultiDict(query), ANONYMOUS)
    text = Drawing(StaticFiles(), "shop").draw(page.template, None, page.section, visit=visit, **page.view(visit))
    return " ".join(text.split())


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.rpartition(".")[2])
def test_of_one_run_every_page_has_something_to_say(tmp_path: Path, room: ModuleType) -> None:
    record_run(tmp_path, 1, {T: PASSED, LONG: FAILED}, not_run=(OTHER,))
    text = drawn(room, tmp_path, id=T)
    assert "<h1" in text
    assert any(
        said in text for said in ("test_total", "No flaky tests in 1 run", "no run started before that", run_id(1))
    )


def test_a_test_that_never_ran_has_no_times_and_no_rate(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: FAILED}, not_run=(OTHER,))
    text = drawn(one_test, tmp_path, id=OTHER)
    assert "not run" in text
    assert "<figure" not in text
    assert "<dt>Flaky</dt>" not in text


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.rpartition(".")[2])
def test_a_name_is_escaped_and_inert_wherever_it_stands(tmp_path: Path, room: ModuleType) -> None:
    for number in range(1, 6):
        record_run(tmp_path, number, {LONG: Ran(ms=100.0)}, branch="<b>")
    record_run(tmp_path, 6, {LONG: FLAKY}, branch="<b>")
    record_run(tmp_path, 7, {LONG: Ran(ms=900.0)}, branch="<b>")
    text = drawn(room, tmp_path, id=LONG, since=run_id(7))
    assert "<img src=x>" not in text
    assert "</title><b>" not in text
    shown = re.sub(r'<input type="hidden"[^>]*>', "", text)  # what nobody sees holds the name as it is
    assert "\u202e" not in shown
    assert room is trend_charts or str(escape("<img src=x>")) in text


@pytest.mark.parametrize("room", [flaky_board, slow_board, slower_board, trend_charts])
def test_when_runs_were_is_told_with_year_and_zone(tmp_path: Path, room: ModuleType) -> None:
    for number in (1, 2, 3):
        record_run(tmp_path, number, {T: FLAKY}, branch="Feature-X")
    text = drawn(room, tmp_path, since=run_id(3), branch="Feature-X")
    words = re.search(r"the last [23] runs of Feature-X, (<time.*?</time>) to (<time.*?</time>)", text, re.IGNORECASE)
    assert words is not None
    for time in words.groups():
        assert re.fullmatch(r'<time datetime="2026-11-21T[\d:.]+Z">2026-11-2\d [\d:]{8} \S+</time>', time)


def test_a_renamed_test_says_what_it_was_called_and_its_old_name_leads_to_it(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {OTHER: PASSED})
    record_run(tmp_path, 2, {T: PASSED})
    assert semantest("alias", "add", OTHER, T, "--directory", tmp_path).code == 0
    for name in (T, OTHER):
        text = drawn(one_test, tmp_path, id=name)
        assert '<h1 class="mono">test_total</h1>' in text
        assert f'<dt>Was called</dt><dd><span class="id">{OTHER}</span>' in text


def test_what_is_broken_on_one_branch_and_good_on_another_is_compared(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: PASSED})
    record_run(tmp_path, 2, {T: FAILED}, branch="feature")
    text = drawn(one_test, tmp_path, id=T)
    assert "It has failed in every run of feature that judged it" in text
    assert f'href="/compare?before={run_id(1)}&amp;after={run_id(2)}">compare the two' in text


def test_what_else_changed_stands_beside_the_commits(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: PASSED}, environment={"packages": {"requests": "2.32.0"}})
    record_run(tmp_path, 2, {T: FAILED}, environment={"packages": {"requests": "2.33.0"}})
    assert "<li>requests: <code>2.32.0</code> → <code>2.33.0</code></li>" in drawn(one_test, tmp_path, id=T)


def test_a_failure_by_chance_behind_one_that_was_mended_is_no_change(tmp_path: Path) -> None:
    for number, ran in enumerate((PASSED, FAILED, PASSED), 1):
        record_run(tmp_path, number, {T: ran})
    for number, ran in ((4, PASSED), (5, FAILED)):
        record_run(tmp_path, number, {T: ran}, commit="c" * 40)
    text = drawn(one_test, tmp_path, id=T)
    assert "Its last failure is chance: with the same code it passed as well." in text
    assert f'it was good again in <a href="/runs/{run_id(3)}">' in text


def test_flaky_tests_name_the_type_of_their_error(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: FLAKY._replace(message="'shipping'")})
    assert "AssertionError: &#39;shipping&#39;" in drawn(flaky_board, tmp_path)


def test_many_tests_are_counted_with_separators_and_as_many_as_a_page_has_are_offered(tmp_path: Path) -> None:
    tests = [f"test_till.py::test_{number}" for number in range(1001)]
    for number in range(7):  # a run in which much flakes is left out
        record_run(tmp_path, number, dict.fromkeys(tests, PASSED) | dict.fromkeys(tests[number::7], FLAKY))
    assert re.search(r'data-label="Tests">1,001</td>', drawn(trend_charts, tmp_path))
    assert ">Show 1,000 of 1,001</a>" in drawn(flaky_board, tmp_path)
    assert ">Show 1,000" not in drawn(flaky_board, tmp_path, limit="1000"), "it has no more to show"


def test_a_change_of_the_duration_leads_to_the_tests_that_became_slower(tmp_path: Path) -> None:
    for number in range(1, 21):
        slow = number > 10
        more = {f"test_till.py::test_{one}": PASSED for one in range(16 if slow else 10)}  # each takes its time
        record_run(tmp_path, number, {T: Ran(ms=900.0 if slow else 100.0), **more})
    text = drawn(trend_charts, tmp_path)
    assert f'<a href="/slower?since={run_id(11)}">Which tests?</a>' in text
    assert '<path class="mark"' in text
    assert f'Slower for good with <a href="/runs/{run_id(11)}">' in drawn(one_test, tmp_path, id=T)
    assert "+800 ms" in drawn(slower_board, tmp_path, since=run_id(11))


def test_a_number_of_runs_that_is_not_offered_stays_chosen(tmp_path: Path) -> None:
    for number in range(1, 4):
        record_run(tmp_path, number, {T: PASSED})
    text = drawn(one_test, tmp_path, id=T, runs="2")
    assert "<option selected>2</option>" in text
    assert "<dt>In 2 runs</dt>" in text


def test_tables_hold_all_of_a_page(tmp_path: Path) -> None:
    for number in range(1, 8):
        record_run(tmp_path, number, {T: Ran(ms=900.0 if number == 7 else 100.0)})
    (page,) = slower_board.pages(tmp_path / "semantest.db")
    assert page.table is not None
    text = as_csv(page.table(Visit("/slower", {}, MultiDict({"since": "last"}), ANONYMOUS))).decode()
    assert text.splitlines()[1].startswith(f"{T},100.0,900.0,6,1,")
