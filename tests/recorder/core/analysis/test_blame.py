"""With which run a test broke."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis import blame as verdicts
from semantest_recorder.core.analysis.blame import Blame, blame
from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.core.analysis.rows import PastRun
from tests.recorder.core.analysis.past_runs import STATES, past, runs


def told(found: Blame) -> tuple[str, int | None, int | None, int | None]:
    return found.verdict, found.last_good, found.first_bad, found.fixed_by


@pytest.mark.parametrize(
    ("strip", "answer"),
    [
        ("..FF", (verdicts.BROKEN_SINCE, 1, 2, None)),
        (".s-FE", (verdicts.BROKEN_SINCE, 0, 3, None)),
        (".FsF-", (verdicts.BROKEN_SINCE, 0, 1, None)),
        ("F.FF", (verdicts.BROKEN_SINCE, 1, 2, None)),
        (".F..", (verdicts.FIXED, 0, 1, 2)),
        ("x~FF", (verdicts.BROKEN_SINCE, 1, 2, None)),
        ("FFs", (verdicts.ALWAYS_BROKEN, None, 0, None)),
        ("F.", (verdicts.FIXED, None, 0, 1)),
        ("..x", (verdicts.NEVER_BROKEN, None, None, None)),
        (".~.", (verdicts.FLAKY, None, None, None)),
        ("s-", (verdicts.NOTHING, None, None, None)),
        ("", (verdicts.NOTHING, None, None, None)),
    ],
)
def test_the_last_good_and_the_first_bad_run(
    strip: str, answer: tuple[str, int | None, int | None, int | None]
) -> None:
    assert told(blame(runs(strip))) == answer


def test_a_failure_on_a_commit_that_passed_as_well_is_chance() -> None:
    found = blame(runs("..F.FF", "aabbcd"))
    assert told(found) == (verdicts.BROKEN_SINCE, 3, 4, None)
    assert found.flaky_commits == ["b"]
    assert told(blame(runs(".F.", "abb"))) == (verdicts.FLAKY, None, None, None)


def matrix(strip: str, pythons: str) -> list[PastRun]:
    """Two runs of each commit, with the Pythons that have these letters."""
    legs = zip(strip, pythons, strict=True)
    return [past(n, STATES[letter], "abcdef"[n // 2], python=python) for n, (letter, python) in enumerate(legs)]


@pytest.mark.parametrize(
    ("strip", "pythons", "answer"),
    [
        (".....F.F", "pqpqpqpq", (verdicts.BROKEN_SINCE, 3, 5, None)),
        (".....F.F..", "pqpqpqpqpq", (verdicts.FIXED, 3, 5, 9)),
        (".....F.F.", "pqpqpqpqp", (verdicts.BROKEN_SINCE, 3, 5, None)),
        (".F.F", "pqpq", (verdicts.BROKEN_SINCE, 2, 3, None)),
        (".....FFF", "pppppqqq", (verdicts.BROKEN_SINCE, 4, 5, None)),
        ("..FFF...", "pppppqqq", (verdicts.FIXED, 1, 2, 5)),
    ],
    ids=["breaks", "mended", "last is another leg", "never good there", "new Python breaks it", "new Python mends it"],
)
def test_a_leg_of_a_matrix_is_no_flakiness(
    strip: str, pythons: str, answer: tuple[str, int | None, int | None, int | None]
) -> None:
    found = blame(matrix(strip, pythons))
    assert told(found) == answer
    assert (found.flaky_commits, found.without_verdict) == ([], 0)


def test_other_packages_are_a_cause_and_no_chance() -> None:
    history = [past(0, "passed", "a"), past(1, "failed", "a", packages="new"), past(2, "failed", "b", packages="new")]
    assert told(blame(history)) == (verdicts.BROKEN_SINCE, 0, 1, None)


def test_a_failure_by_chance_is_not_called_good() -> None:
    assert told(blame(runs(".FF", "aab"))) == (verdicts.BROKEN_SINCE, 0, 2, None)


def test_changed_files_make_another_state_of_the_same_commit() -> None:
    found = blame(runs("..F", "aaa", dirty=1))
    assert told(found) == (verdicts.BROKEN_SINCE, 1, 2, None)
    assert found.doubts == [
        "both runs are of the same commit: it is not a commit that broke it",
        "files were changed and not committed in one of these runs",
    ]


def test_what_may_be_chance_is_doubted() -> None:
    assert blame(runs(".~..F")).doubts == ["it failed once, and is flaky: it may be chance again"]
    assert blame(runs(".F.")).doubts == ["it failed in one run only: it may be chance"]
    assert blame(runs("..FF")).doubts == []
    unknown = [past(1, "passed", None), past(2, "failed", None), past(3, "failed", None)]
    assert blame(unknown).doubts == ["the commit of one of these runs is not known"]


def test_runs_between_that_say_nothing_are_counted() -> None:
    found = blame(runs(".s-sFF"))
    assert (found.without_verdict, found.bad_runs) == (3, 2)


_RUNS = st.lists(
    st.builds(
        past,
        st.just(1),
        st.sampled_from(list(STATES.values())),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([0, 1]),
        st.sampled_from(["3.12", "3.13"]),
    ),
    max_size=10,
)


@settings(deadline=None)
@given(_RUNS)
def test_the_answer_is_what_the_runs_say(history: list[PastRun]) -> None:
    found = blame(history)
    if found.first_bad is not None:
        assert history[found.first_bad].state in BROKEN
    if found.last_good is not None:
        assert found.first_bad is not None
        assert found.last_good < found.first_bad
        between = history[found.last_good + 1 : found.first_bad]
        silent = [run for run in between if run.state in ("skipped", "not_run")]
        assert found.without_verdict == len(silent)
        others = [run for run in between if run not in silent and run.leg == history[found.first_bad].leg]
        assert all(run.state in BROKEN and run.commit in found.flaky_commits for run in others)
    if found.verdict == verdicts.BROKEN_SINCE:
        assert found.last_good is not None
