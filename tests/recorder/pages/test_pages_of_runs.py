"""Pages about runs, as they are drawn from what runs left: what they say, once and so that people understand it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from semantest_recorder.answers.kept_differences import KeptDifferences
from semantest_recorder.core.access import ANONYMOUS
from semantest_recorder.pages import comparing, run_list, run_overview
from semantest_recorder.pages.drawing import Drawing
from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.static_files import StaticFiles
from tests.recorder.cli.recording import START, Recording
from tests.recorder.cli.suite_runs import FAILED, PASSED, Ran, record_run, run_id

T, OTHER = "a.py::test_one", "a.py::test_other"
SUBJECT = f"Round prices up <b>{'and say so ' * 10}\x1b[31m"


def drawn(page: Page, *, run: str | None = None, **query: str) -> str:
    """The page as text with one blank between words."""
    names = {"run": run} if run is not None else {}
    visit = Visit(page.path.format(**names), names, MultiDict(query), ANONYMOUS)
    text = Drawing(StaticFiles(), "shop").draw(page.template, None, page.section, visit=visit, **page.view(visit))
    return " ".join(text.split())


def listed(folder: Path, **query: str) -> str:
    (page,) = run_list.pages(folder / "semantest.db")
    return drawn(page, **query)


def compared(folder: Path, **query: str) -> str:
    database = folder / "semantest.db"
    (page,) = comparing.pages(database, KeptDifferences(database))
    return drawn(page, **query)


def overview(folder: Path, number: int) -> str:
    (page,) = run_overview.pages(folder / "semantest.db")
    return drawn(page, run=run_id(number))


def record_commit(folder: Path, git: dict[str, Any]) -> None:
    """A run of a commit that goes on: one test passed, one runs, one is to come."""
    recording = Recording(run_id(1), start_ms=START)
    recording.start()
    recording.plan(T, OTHER, "b.py::test_last")
    recording.add("main", "run/context", {"git": git})
    recording.test(T)
    recording.begin(OTHER)
    recording.store(folder)


@pytest.mark.parametrize("page", [listed, compared])
def test_runs_show_the_commit_by_which_they_are_found(tmp_path: Path, page: Any) -> None:
    git = {"branch": "main", "commit": "ab" * 20, "subject": SUBJECT, "author": "Ada <i>"}
    record_commit(tmp_path, git)
    text = page(tmp_path)
    row = text[text.index("<tbody") :]
    assert "ababababab</code>" in row
    shown = re.search(r'<span class="breaks" title="(.*?)">(.*?)</span> <span class="dim breaks">(.*?)</span>', row)
    assert shown is not None
    title, subject, author = shown.groups()
    assert title.startswith("Round prices up &lt;b&gt;and say so")
    assert "\x1b" not in title
    assert title.endswith("and say so")
    assert subject.startswith("Round prices up &lt;b&gt;and say so")
    assert subject.endswith("...")
    assert author == "Ada &lt;i&gt;"


@pytest.mark.parametrize("page", [listed, compared])
def test_a_run_without_a_commit_shows_none(tmp_path: Path, page: Any) -> None:
    record_commit(tmp_path, {})
    assert "commit-words" not in page(tmp_path)


def test_the_numbers_of_a_run_that_goes_on_add_up(tmp_path: Path) -> None:
    record_commit(tmp_path, {"subject": "Round prices up", "author": "Ada"})
    (page,) = run_list.pages(tmp_path / "semantest.db")
    assert page.table is not None
    table = page.table(Visit("/runs", {}, MultiDict(), ANONYMOUS))
    told: dict[str, Any] = dict(zip(table.columns, table.rows[0], strict=True))
    states = table.columns[table.columns.index("passed") : table.columns.index("subject")]
    assert {state: told[state] for state in states if told[state]} == {"passed": 1, "running": 1, "pending": 1}
    assert told["total"] == 3
    assert (told["subject"], told["author"]) == ("Round prices up", "Ada")


def test_who_compares_without_a_choice_is_told_what_to_choose(tmp_path: Path) -> None:
    for number in (1, 2):
        record_run(tmp_path, number, {T: PASSED})
    assert "Nothing was compared" not in compared(tmp_path)
    assert "Nothing was compared: choose a run under Before and one under After." in compared(tmp_path, q="")
    assert "choose the later run, too." in compared(tmp_path, q="", before=run_id(1))
    assert "choose the earlier run, too." in compared(tmp_path, q="", after=run_id(1))
    assert "Nothing was compared" not in compared(tmp_path, q="main", find="1"), "who looks for runs is no further yet"


def test_since_when_a_cause_is_there_is_said_once(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: PASSED})
    record_run(tmp_path, 2, {T: FAILED})
    record_run(tmp_path, 3, {T: FAILED})
    text = overview(tmp_path, 3)
    assert "failing since" in text
    assert "first seen" not in text
    record_run(tmp_path, 4, {T: Ran("failed", message="another")})
    record_run(tmp_path, 5, {T: Ran("failed", message="another")})
    assert f'first seen in <a class="id" href="/runs/{run_id(4)}"' in overview(tmp_path, 5), "it fails since run 2"


def test_causes_say_of_how_many_failures_they_are(tmp_path: Path) -> None:
    def failing(number: int) -> dict[str, Ran]:
        return {f"test_{place % 2}.py::test_{place}": Ran("failed", message="no stock") for place in range(number)}

    record_run(tmp_path, 1, {T: Ran("failed", message="another"), **failing(1999)})
    text = overview(tmp_path, 1)
    assert "were looked at" not in text
    assert "at least" not in text
    record_run(tmp_path, 2, {T: Ran("failed", message="another"), **failing(2000)})
    text = overview(tmp_path, 2)
    assert "Of the 2,001 tests that failed, the first 2,000 were looked at" in text
    assert re.search(r"<summary>at least [\d,]+ more tests</summary>", text)
