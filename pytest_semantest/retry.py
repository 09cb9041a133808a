"""Retry policy on top of pytest-rerunfailures: which failed tests may run again, how often, after which delay."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from pytest_semantest.containment import CONTAINED
from pytest_semantest.protocol.identity import strip_group
from pytest_semantest.protocol.layout import HISTORY
from pytest_semantest.repeated_items import TIMES
from pytest_semantest.settings import Settings


class RetryPolicy:
    """Sets pytest-rerunfailures up by its own options and marker.

    ``problems`` are lines for the user, ``notices`` takes those that come later.

    ``all`` becomes ``--reruns``; ``known-flaky`` marks the tests that earlier runs found flaky.
    A user's own ``--reruns`` and ``flaky`` markers win.
    """

    def __init__(self, config: pytest.Config, settings: Settings, notices: Callable[[str], None]) -> None:
        self._notices = notices
        self.problems: list[str] = []
        self._settings = settings
        self._active = False
        option = config.option
        if not config.pluginmanager.hasplugin("rerunfailures"):
            self.problems.append("--semantest-retries needs pytest-rerunfailures, which is switched off; not retrying")
            return
        if option.usepdb:
            self.problems.append("--semantest-retries does not go with --pdb; not retrying")
            return
        self._active = True
        if settings.retry_match and option.only_rerun is None:
            option.only_rerun = list(settings.retry_match)
        if settings.retry == "all" and option.reruns is None:
            option.reruns = settings.retries
            if option.reruns_delay is None:
                option.reruns_delay = settings.retry_delay

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Mark what is known to be flaky, and all other tests, too, when somebody decides test by test."""
        if not self._active:
            return
        asked = bool(config.hook.pytest_semantest_should_retry.get_hookimpls())
        unknown: set[pytest.Item] = set()
        if self._settings.retry == "known-flaky":
            known = known_flaky(self._settings.directory)
            for item in items:
                is_known = strip_group(item.nodeid) in known
                if (is_known or asked) and item.get_closest_marker("flaky") is None:
                    item.add_marker(
                        pytest.mark.flaky(reruns=self._settings.retries, reruns_delay=self._settings.retry_delay)
                    )
                    if not is_known:
                        unknown.add(item)
        if asked:
            config.pluginmanager.register(RetryDecision(self._notices, unknown), "semantest-retry-decision")


class RetryDecision:
    """``pytest_semantest_should_retry``: asked once for an attempt, for the first phase of it that failed.

    ``notices`` takes what the user should know; ``unknown`` are tests that run again only if the hook says so. What
    pytest-rerunfailures makes of an error is overridden where it keeps that: public ways to do so are one per test.
    """

    def __init__(self, notices: Callable[[str], None], unknown: set[pytest.Item]) -> None:
        self._notices = notices
        self._unknown = unknown
        self._decided: tuple[pytest.Item, int, bool | None] | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Behind pytest-rerunfailures, which has classified the error by now."""
        report = yield
        if report.failed and not hasattr(report, "wasxfail") and TIMES not in item.stash:
            terminal: dict[str, bool] | None = getattr(item, "_terminal_errors", None)
            again = self._decide(item, report, int(getattr(item, "execution_count", 1)))
            if again is not None and terminal is not None:
                terminal[report.when or "call"] = not again
            elif again is not None:
                self._notices(
                    "pytest_semantest_should_retry has no effect: pytest-rerunfailures keeps errors elsewhere"
                )
        return report

    def _decide(self, item: pytest.Item, report: pytest.TestReport, attempt: int) -> bool | None:
        if self._decided is None or self._decided[:2] != (item, attempt):
            answer = self._ask(item, report, attempt)
            self._decided = (item, attempt, False if answer is None and item in self._unknown else answer)
        return self._decided[2]

    def _ask(self, item: pytest.Item, report: pytest.TestReport, attempt: int) -> bool | None:
        try:
            answer = item.ihook.pytest_semantest_should_retry(item=item, report=report, attempt=attempt)
            if answer is None or isinstance(answer, bool):
                return answer
            why = f"it gave {type(answer).__name__}, not True, False or None"
        except CONTAINED as error:
            why = f"{type(error).__name__}: {error}"
        self._notices(f"pytest_semantest_should_retry: {why}; --semantest-retry decided")
        return None


def known_flaky(directory: str) -> frozenset[str]:
    """Ids of the tests that were flaky in recent runs, from the snapshot that the recorder keeps; empty without one."""
    try:
        with open(os.path.join(directory, HISTORY), "rb") as file:
            history: Any = json.loads(file.read())
        return frozenset(history["flaky"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset()


def reruns_possible(config: pytest.Config, items: Sequence[pytest.Item]) -> bool:
    """Whether pytest-rerunfailures may repeat any of these tests."""
    if not config.pluginmanager.hasplugin("rerunfailures"):
        return False
    option = config.option
    forced = getattr(option, "force_reruns", None)  # an option since 16.1
    if option.reruns is not None or forced is not None or config.getini("reruns"):
        return True
    parents: set[Any] = set()
    for item in items:
        if item.own_markers and _is_flaky(item):
            return True
        parents.add(item.parent)
    return any(_is_flaky(node) for parent in parents if parent is not None for node in parent.listchain())


def _is_flaky(node: Any) -> bool:
    return any(mark.name == "flaky" for mark in node.own_markers)
