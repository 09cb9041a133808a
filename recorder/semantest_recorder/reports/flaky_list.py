"""Flaky tests: the public shape of ``semantest flaky`` and its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from semantest_recorder.core.analysis.flakiness import Flakiness
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import REPORT_SCHEMA, Public
from semantest_recorder.reports.window import RunPlace, WindowInfo, place_words, run_place, window_words
from semantest_recorder.reports.wording import percent, plural, shortened

if TYPE_CHECKING:
    from rich.text import Text

_HEADINGS = ("rate", "95 % interval", "flaky", "retries", "test")
_STYLES = {"flaky": "bold magenta", "changed": "yellow", "failing": "bold red"}
_MESSAGE_MAX = 150


class CommonError(Public):
    """The error that most flaky attempts have, values in it aside; ``message`` is that of the newest of them."""

    type: str | None
    message: str
    attempts: int
    of_attempts: int


class FlakyTest(Public):
    """A flaky test; the fields are those of ``Flakiness`` (core/analysis/flakiness.py), which tells what they mean.

    ``rate`` is ``flaky_runs`` of ``runs``, ``low`` and ``high`` its 95 % interval; ``low`` is the score.
    """

    id: str
    runs: int
    flaky_runs: int
    rate: float
    low: float
    high: float
    retried: int
    contradicted: int
    failures_after_pass: int
    passes_after_failure: int
    retries: int
    first: RunPlace
    last: RunPlace
    quiet_runs: int
    luck: float
    failing_runs: int
    status: str
    error: CommonError | None


class FlakyList(Public, kw_only=True):
    """What ``semantest flaky --json`` prints, the highest score first.

    ``total``: how many there are without ``--limit``. ``broken_runs`` failed as a whole, and were left out.
    """

    schema: int = REPORT_SCHEMA
    window: WindowInfo
    broken_runs: list[str]
    total: int
    tests: list[FlakyTest]


#: The commonest error of a test in some runs.
ErrorOf = Callable[[str, Sequence[WindowRun]], CommonError | None]


def flaky_test(name: str, found: Flakiness, runs: Sequence[WindowRun], error_of: ErrorOf) -> FlakyTest:
    """One line of the list; ``runs`` are those of the window."""
    flaky = [runs[place] for place in found.flaky_runs]
    return FlakyTest(
        id=name,
        runs=found.runs,
        flaky_runs=len(flaky),
        rate=found.rate,
        low=found.interval.low,
        high=found.interval.high,
        retried=found.retried,
        contradicted=found.contradicted,
        failures_after_pass=found.failures_after_pass,
        passes_after_failure=found.passes_after_failure,
        retries=found.retries,
        first=run_place(flaky[0]),
        last=run_place(flaky[-1]),
        quiet_runs=found.quiet_runs,
        luck=found.luck,
        failing_runs=found.failing_runs,
        status=found.status,
        error=error_of(name, flaky),
    )


def flaky_lines(found: FlakyList) -> Iterator[Text]:
    """The list for a terminal: a line of numbers for each test, and below it when, why and whether it goes on."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    from semantest_recorder.reports.columns import columns  # noqa: PLC0415

    yield Text(_heading(found))
    if found.broken_runs:
        names = ", ".join(inert_line(name) for name in found.broken_runs[:3])
        more = ", ..." if len(found.broken_runs) > 3 else ""
        yield Text(f"left out, since so much failed at once: {plural(len(found.broken_runs), 'run')} ({names}{more})")
    if not found.tests:
        return
    yield Text()
    heading, *lines = columns(_HEADINGS, [_cells(test) for test in found.tests], _HEADINGS[:-1])
    yield heading
    for line, test in zip(lines, found.tests, strict=True):
        yield line
        for text in _details(test):
            yield Text(f"  {text}", "dim")
    if found.total > len(found.tests):
        yield Text(f"... and {found.total - len(found.tests)} more: --limit 0 shows all")


def _heading(found: FlakyList) -> str:
    window = inert_line(window_words(found.window))
    return f"{plural(found.total, 'flaky test') if found.total else 'No flaky tests'} in {window}"


def _cells(test: FlakyTest) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415

    return [
        Text(percent(test.rate)),
        Text(f"{percent(test.low)} to {percent(test.high)}"),
        Text(f"{test.flaky_runs} of {test.runs}"),
        Text(str(test.retries)),
        Text(inert_line(test.id), _STYLES[test.status]),
    ]


def _details(test: FlakyTest) -> Iterator[str]:
    last = f", last {inert_line(place_words(test.last))}" if test.flaky_runs > 1 else ""
    yield f"first {inert_line(place_words(test.first))}{last}"
    if test.contradicted:
        turned = test.failures_after_pass + test.passes_after_failure
        yield f"{plural(test.contradicted, 'failure')} where the same code passed; it turned {plural(turned, 'time')}"
    if test.error is not None:
        times = plural(test.error.of_attempts, "time")
        yield f"{test.error.attempts} of {times} {inert_line(_error_words(test.error))}"
    if test.quiet_runs:
        since = "its function was changed since: " if test.status == "changed" else ""
        runs, luck = plural(test.quiet_runs, "run"), percent(test.luck)
        yield f"{since}{runs} without, which luck alone gives in {luck} of cases"
    if test.failing_runs:
        why = "more than flakiness explains" if test.status == "failing" else "which may be flakiness"
        runs = "run" if test.failing_runs == 1 else f"{test.failing_runs} runs"
        yield f"failed in the last {runs}, {why}"


def _error_words(error: CommonError) -> str:
    """The first line, with the type where the message does not begin with it."""
    kind = error.type or ""
    words = shortened(error.message.strip().split("\n", 1)[0], _MESSAGE_MAX)
    named = not kind or words.startswith((kind, kind.rpartition(".")[2]))
    return words if named else f"{kind}: {words}"
