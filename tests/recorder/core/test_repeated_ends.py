"""An attempt that ends more than once: what was bad is taken back by nobody."""

from __future__ import annotations

import pytest

from .told_run import Run, T

LIVE = "live/r.main"


def client(run: Run, kind: str, **more: object) -> None:
    run.tell(LIVE, f"test/{kind}", testId=T, **more)


@pytest.mark.parametrize("ends", [("failed", "passed"), ("passed", "failed")])
@pytest.mark.parametrize(("number", "at_once"), [(None, True), (1, True), (1, False)])
def test_two_clients_that_run_a_test_under_one_number(ends: tuple[str, str], number: int | None, at_once: bool) -> None:
    run = Run(LIVE)
    words = ["start", "start", *ends] if at_once else ["start", ends[0], "start", ends[1]]
    for word in words:
        if word == "start":
            client(run, "start", attempt=number)
        else:
            client(run, "end", attempt=number, status=word, duration=1)
    run.end(LIVE, None)
    assert run.states() == {T: "failed"}
    assert run.of_run == "failed"


@pytest.mark.parametrize(("first", "then"), [("failed", "passed"), ("passed", "failed"), ("failed", "skipped")])
def test_a_word_and_an_end_that_do_not_agree(first: str, then: str) -> None:
    run = Run(LIVE)
    client(run, first)
    client(run, "end", status=then, duration=1)
    run.plan(T, source=LIVE)
    assert run.states() == {T: "failed"}
    run = Run(LIVE)
    client(run, "end", status=first, duration=1)
    client(run, then)
    assert run.states() == {T: "failed"}


def test_an_end_says_more_than_a_word_before_it() -> None:
    run = Run(LIVE)
    client(run, "failed")
    client(run, "end", outcome="error", duration=7, error={"message": "boom"})
    [attempt] = run.state.tests[T].attempts
    assert (attempt.outcome, attempt.duration_ms, attempt.error_message) == ("error", 7, "boom")


def test_a_good_end_behind_an_announced_retry_is_the_retrys() -> None:
    run = Run(LIVE)
    client(run, "failed", willRetry=True)
    client(run, "end", status="failed", duration=1, willRetry=True)
    assert run.states() == {T: "running"}
    client(run, "end", status="passed", duration=1)
    assert run.states() == {T: "flaky"}
    assert [attempt.outcome for attempt in run.state.tests[T].attempts] == ["failed", "passed"]


def test_a_source_that_has_ended_makes_nothing_better() -> None:
    run = Run("s.main")
    run.plan(T)
    run.attempt("s.main", T, "failed")
    run.end(code=1)
    run.tell("s.main", "test/end", testId=T, attempt=1, outcome="passed", duration=1.0)
    run.end(code=0)  # a plugin may change the exit code of a pytest
    assert run.states() == {T: "failed"}
    assert run.of_run == "failed"


def test_a_file_that_could_not_be_collected_is_not_only_skipped() -> None:
    run = Run("s.main")
    for outcome in ("failed", "skipped"):
        run.tell("s.main", "collect/error", testId="a.py", outcome=outcome, error={"message": "boom"})
    assert run.states() == {"a.py": "error"}
