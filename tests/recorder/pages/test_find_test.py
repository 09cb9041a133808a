"""The search of tests: what can be opened looks like it."""

from __future__ import annotations

from pathlib import Path

from multidict import MultiDict

from semantest_recorder.core.access import ANONYMOUS
from semantest_recorder.pages.drawing import Drawing
from semantest_recorder.pages.find_test import pages
from semantest_recorder.pages.page import Visit
from semantest_recorder.pages.static_files import StaticFiles
from tests.recorder.cli.suite_runs import PASSED, record_run


def test_the_name_of_a_file_that_cannot_be_imported_is_a_name(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {"a/test_b.py": PASSED, "a/test_b.py::test_c": PASSED})
    (page,) = pages(tmp_path / "semantest.db")
    seen = Visit("/tests", {}, MultiDict(), ANONYMOUS)
    text = Drawing(StaticFiles(), "shop").draw(
        page.template, seen.identity, page.section, visit=seen, **page.view(seen)
    )
    assert '<span class="name">a/test_b.py</span>' in text
    assert '<span class="path">a/test_b.py::</span><wbr><span class="name">test_c</span>' in text
