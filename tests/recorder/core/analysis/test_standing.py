"""How a failure stands among earlier runs."""

from __future__ import annotations

import pytest

from semantest_recorder.core.analysis import standing as kinds
from semantest_recorder.core.analysis.standing import standing
from tests.recorder.core.analysis.past_runs import runs


@pytest.mark.parametrize(
    ("strip", "kind", "last_good", "first_bad", "bad_runs"),
    [
        ("...F", kinds.NEW, "r2", None, 1),
        (".F.sF", kinds.NEW, "r2", None, 1),
        (".-FsF", kinds.FAILING, "r0", "r2", 2),
        ("F.FFF", kinds.FAILING, "r1", "r2", 3),
        ("FFF", kinds.ALWAYS, None, "r0", 3),
        ("F", kinds.NEW, None, None, 1),
        ("s-F", kinds.NEW, None, None, 1),
        ("x~F", kinds.NEW, "r1", None, 1),
    ],
)
def test_of_a_run_that_is_among_them(
    strip: str, kind: str, last_good: str | None, first_bad: str | None, bad_runs: int
) -> None:
    found = standing(runs(strip), f"r{len(strip) - 1}")
    named = [run.run_id if run is not None else None for run in (found.last_good, found.first_bad)]
    assert (found.kind, *named, found.bad_runs) == (kind, last_good, first_bad, bad_runs)


@pytest.mark.parametrize(
    ("strip", "kind", "bad_runs"),
    [
        ("..", kinds.NEW, 1),
        ("F.", kinds.NEW, 1),
        (".FF", kinds.FAILING, 3),
        ("FF", kinds.ALWAYS, 3),
        ("", kinds.NEW, 1),
    ],
)
def test_of_a_run_that_is_in_no_database_yet(strip: str, kind: str, bad_runs: int) -> None:
    found = standing(runs(strip), "this one")
    assert (found.kind, found.bad_runs) == (kind, bad_runs)


def test_a_failure_of_code_with_which_it_passed_is_chance() -> None:
    found = standing(runs(".~.F", "abcc"), "r3")
    assert (found.kind, found.judged, found.retried) == (kinds.FLAKY, 3, 1)
    assert found.last_good is not None
    assert found.last_good.run_id == "r2"
