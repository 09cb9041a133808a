"""Choosing two runs to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from semantest_recorder.answers.kept_differences import KeptDifferences
from semantest_recorder.core.access import ANONYMOUS
from semantest_recorder.pages.comparing import pages
from semantest_recorder.pages.page import Visit
from semantest_recorder.store.errors import RunNotFound
from tests.recorder.cli.recording import START, green_run, small_run

FIRST, SECOND, THIRD = (f"20261121-09{minute}00-a1b2c3" for minute in (30, 40, 50))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for number, run in enumerate((FIRST, SECOND, THIRD)):
        made = small_run if run == THIRD else green_run
        made(run, start_ms=START + number * 600_000).store(folder)
    return folder / "semantest.db"


def seen(database: Path, **query: str) -> Any:
    (page,) = pages(database, KeptDifferences(database))
    return page.view(Visit("/compare", {}, MultiDict(query), ANONYMOUS))


def test_runs_that_are_chosen_stay_chosen_while_others_are_looked_for(database: Path) -> None:
    told = seen(database, q="0940", find="1", before=FIRST, after="last")
    assert told["diff"] is None, "who looks for runs does not compare yet"
    assert told["chosen"] == {"before": FIRST, "after": THIRD}
    assert [run.id for run in told["runs"]] == [FIRST, THIRD, SECOND]
    assert seen(database, q="0940", before=FIRST, after=THIRD)["diff"] is not None


def test_one_run_is_compared_with_the_one_before_it(database: Path) -> None:
    diff = seen(database, after="last")["diff"]
    assert (diff.before.id, diff.after.id) == (SECOND, THIRD)
    told = seen(database, after=FIRST)
    assert (told["diff"], told["chosen"]) == (None, {"before": "", "after": FIRST})


def test_a_run_that_is_not_there_is_said(database: Path) -> None:
    for query in ({"before": "nobody"}, {"after": "nobody"}, {"before": "nobody", "after": "last"}):
        with pytest.raises(RunNotFound):
            seen(database, **query)
