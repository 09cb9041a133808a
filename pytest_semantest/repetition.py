"""Tests that run several times in one session, each time as a whole test of its own, until one time is not a pass.

Every time is an attempt in the recording; pytest hears of the last one only. Nothing is retried behind it: a failure
after a pass is what it was repeated for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, Final

import pytest
from _pytest.runner import call_and_report

from pytest_semantest.forgiveness import true_outcome
from pytest_semantest.protocol.identity import strip_group
from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.repeated_items import NUMBER, REPEATS, TIMES

#: On the reports that pytest hears of: which time it is, and of how many.
REPEATED: Final = "semantest_repeated"


def why_not(config: pytest.Config) -> str:
    """What stands against running tests more than once in this session; empty when nothing does."""
    option = config.option
    if getattr(option, "forked", False):
        return "--forked"
    showing = {"setuponly": "--setup-only", "setupshow": "--setup-show"}
    return next((name for attribute, name in showing.items() if getattr(option, attribute, False)), "")


def install_repetition(config: pytest.Config, items: Iterable[pytest.Item], times: int) -> None:
    """Let these items run so many times; registered last of all, so that each time goes through everybody's hooks."""
    config.stash[REPEATS] = True
    for item in items:
        if item.get_closest_marker("forked") is None:
            item.stash[TIMES] = times
    repetition = _Repetition()
    config.pluginmanager.register(repetition, "semantest-repetition")
    config.pluginmanager.register(_Times(repetition), "semantest-repetition-times")


class _Repetition:
    """Runs an item one time, in the place of pytest's own protocol and of what retries."""

    def __init__(self) -> None:
        self.item: pytest.Item | None = None
        self.is_over = False
        self._properties = 0
        self._subtest_failed = False
        #: The names that a doctest begins with: it forgets them when it has run.
        self._names: dict[str, Any] = {}

    def begin(self, item: pytest.Item) -> None:
        """From now on ``item`` is run here."""
        self.item, self.is_over, self._properties = item, False, len(item.user_properties)
        self._subtest_failed = False
        self._names = dict(getattr(getattr(item, "dtest", None), "globs", None) or {})
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)

    def end(self) -> None:
        """The item has run."""
        if self.item is not None:
            self.item.stash[NUMBER] = 0
        self.item = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """One time; nothing more once that was the last one."""
        if item is not self.item:
            return None
        if not self.is_over:
            self._run(item, nextitem)
            if self.is_over:
                item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A subtest is logged while its test runs, whose own report is a pass nevertheless."""
        item = self.item
        if item is None or report.nodeid != item.nodeid or hasattr(report, REPEATED):
            return
        if true_outcome(report) == "failed":
            self._subtest_failed = True
            setattr(report, REPEATED, (item.stash[NUMBER], item.stash[TIMES]))

    def _run(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """As pytest's ``runtestprotocol``; what the item shares with others is kept for its next time."""
        number = item.stash[NUMBER]
        if number > 1:
            del item.user_properties[self._properties :]
            _renew(item, self._names)
        try:
            reports = [call_and_report(item, "setup", log=False)]
            if reports[0].passed:
                reports.append(call_and_report(item, "call", log=False))
            is_pass = all(map(_is_pass, reports)) and not self._subtest_failed
            self.is_over = number == item.stash[TIMES] or not is_pass or _stops(item)
            if self.is_over:
                _tell(item, reports)
            # A node that is no test: all up to the item's parent stays set up.
            following: Any = _following(item, nextitem) if self.is_over else item.parent
            teardown = call_and_report(item, "teardown", log=False, nextitem=following)
        finally:
            if hasattr(item, "_request"):
                vars(item).update(_request=False, funcargs=None)
        if self.is_over:
            _tell(item, [teardown])
        elif not teardown.passed:
            self.is_over = True
            _tell(item, [*reports, teardown])
            rest = _tear_down_the_rest(item, _following(item, nextitem))
            _tell(item, [] if rest.passed else [rest])


class _Times:
    """Calls the whole protocol anew for each time but the last: so timeouts and the like hold for one time."""

    def __init__(self, repetition: _Repetition) -> None:
        self._repetition = repetition

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Outermost: nobody else has begun when the first time does."""
        times = item.stash.get(TIMES, 0)
        if not times or self._repetition.item is item:
            return (yield)
        self._repetition.begin(item)
        try:
            for number in range(1, times):
                item.stash[NUMBER] = number
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
                if self._repetition.is_over:
                    break
            else:
                item.stash[NUMBER] = times
            return (yield)
        finally:
            self._repetition.end()


class RepetitionSummary:
    """What the user is told at the end; in pytest itself, or xdist's controller."""

    def __init__(self) -> None:
        #: How often each of them was to run.
        self._times: dict[str, int] = {}
        #: Those that did not pass so often.
        self._short: set[str] = set()
        #: How often each of them passed before it failed.
        self._failed: dict[str, int] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A report of a test that was to run several times."""
        repeated: tuple[int, int] | None = getattr(report, REPEATED, None)
        if repeated is None:
            return
        number, times = repeated
        test = strip_group(report.nodeid)
        self._times[test] = times
        if number < times or not _is_pass(report):
            self._short.add(test)
        if true_outcome(report) == "failed":
            self._failed[test] = number - 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """How many ran how often, and which of them are flaky."""
        if not self._times:
            return
        number = f"{len(self._times)} test{'' if len(self._times) == 1 else 's'}"
        times, whole = max(self._times.values()), len(self._times.keys() - self._short)
        line = f"{number} without a pass in earlier runs: up to {times} times each, {whole} passed all of them"
        terminalreporter.write_line(f"semantest: {line}")
        for test, passes in self._failed.items():
            if not passes:
                continue
            passed = "once" if passes == 1 else f"{passes} times"
            line = f"FLAKY: {printable_line(test)} passed {passed}, then failed"
            terminalreporter.write_line(f"semantest: {line}", yellow=True)


def _renew(item: pytest.Item, names: dict[str, Any]) -> None:
    """Takes away what earlier times left on the item: output, the test's instance, its fixtures' values.

    ``names`` are those that a doctest begins with.
    """
    own = vars(item)
    if names:
        own["dtest"].globs.update(names)
    own.get("_report_sections", []).clear()
    if isinstance(item.parent, pytest.Class) and own.get("_instance") is not None:
        del own["_instance"]
        own["_obj"] = None
    fresh: Callable[[], None] | None = getattr(item, "_initrequest", None)
    if fresh is not None:
        fresh()


def _tell(item: pytest.Item, reports: list[pytest.TestReport]) -> None:
    """Pytest and its plugins hear of the last time only: of its setup and call before its teardown, as ``-x`` needs."""
    number, times = item.stash[NUMBER], item.stash[TIMES]
    for report in reports:
        setattr(report, REPEATED, (number, times))
        if report.failed and number > 1:
            passed = "once" if number == 2 else f"{number - 1} times"
            report.sections.append(("semantest", f"time {number} of {times}; before, it passed {passed}"))
        item.ihook.pytest_runtest_logreport(report=report)


def _stops(item: pytest.Item) -> bool:
    return bool(item.session.shouldfail or item.session.shouldstop)


def _following(item: pytest.Item, nextitem: pytest.Item | None) -> pytest.Item | None:
    """The test that runs next: none where the session stops, so all is torn down while a failure of it can be told."""
    return None if _stops(item) else nextitem


def _is_pass(report: pytest.TestReport) -> bool:
    return report.passed and not hasattr(report, "wasxfail")


def _tear_down_the_rest(item: pytest.Item, nextitem: pytest.Item | None) -> pytest.TestReport:
    """What had been kept for a next time that will not come."""
    state: Any = item.session._setupstate  # noqa: SLF001 - pytest has no hook for it
    call = pytest.CallInfo.from_call(
        lambda: state.teardown_exact(nextitem),
        when="teardown",
        reraise=(pytest.exit.Exception, KeyboardInterrupt),
    )
    report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
    return report
