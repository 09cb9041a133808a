"""What is flaky and what is not, how it is counted, and by what tests are ranked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.flakiness import (
    FAILED,
    FLAKY,
    JUDGED,
    Flakiness,
    Observation,
    flakiness,
    is_broken,
    worst_first,
)
from semantest_recorder.core.analysis.run_code import code_of

STATES = {".": "passed", "F": "failed", "~": "flaky", "s": "skipped", "I": "interrupted", "E": "error"}


def seen(results: str, fingerprints: str = "") -> list[Observation]:
    """``"a. aF -~"``: code ``a`` passed and failed, some unknown code was flaky, from run to run."""
    return [
        Observation(
            run,
            None if word[0] == "-" else word[0],
            STATES[word[1]],
            2 if word[1] == "~" else 1,
            fingerprints[run : run + 1].strip() or None,
        )
        for run, word in enumerate(results.split())
    ]


def judged(results: str, fingerprints: str = "") -> Flakiness:
    found = flakiness(seen(results, fingerprints))
    assert found is not None
    return found


OBSERVATIONS = st.lists(
    st.tuples(st.sampled_from("abc-"), st.sampled_from([*JUDGED, "skipped", "xfailed", "lost"]), st.integers(1, 3)),
    max_size=12,
).map(
    lambda drawn: [
        Observation(run, None if code == "-" else code, state, attempts, None)
        for run, (code, state, attempts) in enumerate(drawn)
    ]
)


@pytest.mark.parametrize(
    ("results", "flaky_runs", "why"),
    [
        ("a. a~ b.", (1,), "it passed on a retry"),
        ("a. aF b.", (1,), "the same code passed before"),
        ("aF a. b.", (0,), "the same code passed afterwards"),
        ("aF a~", (0, 1), "the same code passed, be it on a retry"),
        ("a. aE b.", (1,), "an error of a fixture is a failure"),
        ("-~ -.", (0,), "for a retry the code needs not to be known"),
    ],
)
def test_flaky(results: str, flaky_runs: tuple[int, ...], why: str) -> None:
    assert judged(results).flaky_runs == flaky_runs, why


def test_what_failed_after_it_had_passed_in_the_same_run_is_flaky_and_was_not_retried() -> None:
    new = Observation(0, None, "failed", 3, None, repeated=True)
    found = flakiness([new, Observation(1, None, "passed", 3, None, repeated=True)])
    assert found is not None
    assert (found.flaky_runs, found.contradicted, found.retried, found.retries) == ((0,), 1, 0, 0)
    assert flakiness([new._replace(attempts=1)]) is None


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ("a. b. cF cF dF", "it fails since a commit: a regression"),
        ("aF aF b. b.", "it was mended"),
        ("-. -F -.", "the code may have been any"),
        ("as aF bI b.", "neither a skip nor Ctrl-C says anything"),
        ("", "there is nothing"),
    ],
)
def test_not_flaky(results: str, why: str) -> None:
    assert flakiness(seen(results)) is None, why


def test_what_is_counted() -> None:
    found = judged("a. aF a. b~ b. as c. cF")
    assert found.runs == 7, "a skip judges nothing"
    assert found.flaky_runs == (1, 3, 7)
    assert (found.retried, found.contradicted, found.retries) == (1, 2, 1)
    assert (found.failures_after_pass, found.passes_after_failure) == (2, 1)
    assert found.rate == 3 / 7
    assert (found.quiet_runs, found.luck, found.status) == (0, 1.0, "flaky")


def test_how_long_it_is_quiet_and_how_probable_that_is() -> None:
    found = judged("a. a~ b. c. d. e.")
    assert found.quiet_runs == 4
    assert found.luck == pytest.approx(0.5**4)


def test_whether_its_function_was_changed_since() -> None:
    assert judged("a. a~ b. c.", "1122").status == "changed"
    assert judged("a. a~ b. c.", "1222").status == "flaky", "it flaked with the function as it is"
    assert judged("a. a~ b. c.", "11  ").status == "flaky", "nobody knows"


def test_failures_at_the_end_that_flakiness_does_not_explain_are_told() -> None:
    quiet = "a~ " + "b. " * 10
    assert (judged(quiet + "cF cF").failing_runs, judged(quiet + "cF cF").status) == (2, "flaky")
    assert (judged(quiet + "cF dF dF").failing_runs, judged(quiet + "cF dF dF").status) == (3, "failing")
    assert judged(quiet + "cF cF cF c.").failing_runs == 0, "the same code passed"
    assert judged(quiet + "cF dF dF").quiet_runs == 10, "a failure is no quiet run"


@settings(max_examples=50)
@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_each_flaky_run_has_its_reason(observations: list[Observation], random: object) -> None:
    found = flakiness(observations)
    shuffled = sorted(observations, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert flakiness(shuffled) == found, "the order in which they come says nothing"
    by_run = {one.run: one for one in observations}
    passing = {one.code for one in observations if one.state in JUDGED - FAILED} - {None}
    expected = {
        run for run, one in by_run.items() if one.state == FLAKY or (one.state in FAILED and one.code in passing)
    }
    assert set(found.flaky_runs if found else ()) == expected
    if found is not None:
        assert found.retried + found.contradicted == len(expected) <= found.runs <= len(observations)
        assert found.interval.low <= found.rate <= found.interval.high
        assert 0 <= found.luck <= 1


def test_the_surest_comes_first() -> None:
    tests = {
        "once": judged("a~"),
        "often": judged("a~ " * 20 + "b. " * 20),
        "seldom": judged("a~ " + "b. " * 30),
        "also seldom": judged("a~ " + "b. " * 30),
    }
    assert [name for name, _ in worst_first(tests.items())] == ["often", "once", "also seldom", "seldom"]


@pytest.mark.parametrize(
    ("bad", "tests", "broken"), [(9, 9, False), (10, 50, True), (10, 51, False), (200, 1000, True), (199, 1000, False)]
)
def test_when_a_run_was_broken_as_a_whole(bad: int, tests: int, broken: bool) -> None:
    assert is_broken(bad, tests) is broken


def test_when_two_runs_had_the_same_code() -> None:
    usual = ("c0ffee", "3.12", "linux", '{"pytest":"9.2"}', "{}")
    assert code_of(*usual, clean=True) == code_of(*usual, clean=True)
    for place in range(len(usual)):
        other = (*usual[:place], None if place else "beef", *usual[place + 1 :])
        assert code_of(*other, clean=True) != code_of(*usual, clean=True)
    assert code_of(*usual, clean=False) is None
    assert code_of(None, *usual[1:], clean=True) is None
