"""Quarantine in pytest: tests on the list run, are recorded as they are, and their failures do not fail the run.

A failure is taken out of the count where its report is logged, in the process that ran the test: behind everybody who
decides about it (skips, expected failures, reruns), before everybody who counts. What a crash takes with it, and what
others share, is not one test's own and stays a failure; so does what is not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

import pytest
from _pytest.fixtures import FixtureDef

from pytest_semantest.containment import contained
from pytest_semantest.forgiveness import FORGIVEN, PROTECTED, QUARANTINED, is_forgiven, is_protected
from pytest_semantest.own_teardown import OwnTeardown
from pytest_semantest.present_names import present_names
from pytest_semantest.protocol.encoding import PHASES
from pytest_semantest.protocol.globs import is_glob
from pytest_semantest.protocol.identity import strip_group
from pytest_semantest.protocol.quarantine import Entry, Matcher, file_of, names_of, unmatched
from pytest_semantest.quarantine_list import QuarantineList, load_list
from pytest_semantest.quarantine_summary import QuarantineSummary
from pytest_semantest.settings import Settings

#: Key in ``workerinput`` and ``workeroutput``.
_WORKER: Final = "semantest_quarantine"
#: On a report of a failure that is not forgiven although there is an entry: why.
_COUNTS: Final = "semantest_counts"


def install_quarantine(config: pytest.Config, settings: Settings, is_recorded: Callable[[], bool]) -> None:
    """Register quarantine for this process. Raises ``pytest.UsageError`` for a list that is wrong."""
    given = getattr(config, "workerinput", {}).get(_WORKER)
    if given is None and hasattr(config, "workerinput"):
        return  # the controller has none
    listed = load_list(config, settings) if given is None else QuarantineList.unpacked(given)
    summary = QuarantineSummary(listed, settings.directory)
    config.pluginmanager.register(QuarantineHooks(config, listed, summary, is_recorded), "semantest-quarantine")
    if given is None:
        config.pluginmanager.register(summary, "semantest-quarantine-summary")


class QuarantineHooks:
    """The hooks of pytest itself, of xdist's controller, and of each worker."""

    def __init__(
        self,
        config: pytest.Config,
        listed: QuarantineList,
        summary: QuarantineSummary,
        is_recorded: Callable[[], bool],
    ) -> None:
        self._config = config
        self._listed = listed
        self._matcher = Matcher(listed.entries)
        self._summary = summary
        self._is_recorded = is_recorded
        self._own_teardown = OwnTeardown()
        #: Why a test has failed in a way that counts, by node id: no later attempt takes that back.
        self._counted: dict[str, str] = {}
        #: Tests whose subtests failed and are forgiven.
        self._in_parts: set[str] = set()

    def contain(self, error: BaseException) -> None:
        """What a hook raised takes protection away; it is told at the end."""
        self._summary.problems[f"quarantine: {type(error).__name__}: {error}"] = None

    # -- which tests --------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    @contained
    def pytest_collection_modifyitems(self, session: pytest.Session, items: Sequence[pytest.Item]) -> None:
        """Note on each item what protects it, before any is deselected and before xdist changes names."""
        for item in items:
            entry = self._matcher.find(item.nodeid)
            if entry is not None and not entry.is_expired(self._listed.today):
                item.stash[QUARANTINED] = entry.facts()
        node_ids = [item.nodeid for item in items]
        missing = self._present_names(self._unmatched(node_ids) if not session.testsfailed else [], node_ids)
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_WORKER] = missing
        else:
            self._summary.unmatched = missing

    def _unmatched(self, node_ids: Sequence[str]) -> list[Entry]:
        """Entries that mean no test, as far as this collection can tell: files that were not asked for may have it."""
        whole = self._config.args_source is not pytest.Config.ArgsSource.ARGS
        files = {file_of(node_id) for node_id in node_ids}
        files -= {file_of(argument) for argument in self._config.args if "::" in argument}
        if getattr(self._config.option, "lf", False):
            return []
        missing = unmatched(self._listed.entries, node_ids)
        return [
            entry
            for entry in missing
            if whole
            or file_of(entry.test) in files
            or not (is_glob(entry.test) or (self._config.rootpath / file_of(entry.test)).exists())
        ]

    def _present_names(self, missing: list[Entry], node_ids: Sequence[str]) -> dict[str, str | None]:
        """What these entries call their tests, and of tests without an entry the one that each may be now."""
        if not missing:
            return {}
        names = [name for node_id in node_ids if self._matcher.find(node_id) is None for name in names_of(node_id)]
        likely = present_names([entry.test for entry in missing if not is_glob(entry.test)], names)
        return {entry.test: likely.get(entry.test) for entry in missing}

    # -- xdist --------------------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Before a worker starts: it goes by the same list."""
        node.workerinput[_WORKER] = self._listed.packed()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """All workers collect the same tests; one that died tells nothing."""
        told = getattr(node, "workeroutput", {})
        self._summary.unmatched = told.get(_WORKER, self._summary.unmatched)

    # -- what becomes of a failure ------------------------------------------------------------------------------

    @pytest.hookimpl
    @contained
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Before pytest undoes anything."""
        if QUARANTINED in item.stash:
            self._own_teardown.watch(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note on the report what protects its test, or why nothing does."""
        report = yield
        self._mark(item.stash.get(QUARANTINED, None), call, report)
        return report

    @contained
    def _mark(self, facts: dict[str, str] | None, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        if facts is None:
            return
        why = (self._counted.get(report.nodeid) or self._why_it_counts(call)) if report.failed else ""
        self._own_teardown.forget()
        if why:
            self._counted[report.nodeid] = why
            setattr(report, _COUNTS, why)
        else:
            setattr(report, PROTECTED, facts)

    def _why_it_counts(self, call: pytest.CallInfo[None]) -> str:
        if not self._is_recorded():
            return "its failure is not recorded"
        error = call.excinfo.value if call.excinfo is not None else None
        if call.when == "teardown" and self._own_teardown.raised(error):
            return ""
        shared = _shared_fixture(error)
        if shared:
            return f"the teardown of {shared} failed, which other tests share"
        return "something failed in its teardown that is not its own" if call.when == "teardown" else ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """A failure that is protected passes as one that was expected."""
        self._forgive(report)
        try:
            return (yield)
        finally:
            # Else pytest would not call pytest_exception_interact: no debugger, no picture of a failed page.
            if is_forgiven(report) and hasattr(report, "wasxfail"):
                del report.wasxfail

    @contained
    def _forgive(self, report: pytest.TestReport) -> None:
        if report.failed and is_protected(report):
            setattr(report, FORGIVEN, True)
            report.outcome = "skipped"
            report.wasxfail = f"in quarantine: {getattr(report, PROTECTED)['reason']}"
        if is_forgiven(report):
            self._in_parts.add(report.nodeid)
            self._summary.forgiven.append(report)
        elif report.failed:
            self._note_failure(report)
        elif is_protected(report) and report.when == "call" and report.passed:
            self._summary.passed[strip_group(report.nodeid)] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """A letter and a count of its own."""
        if is_forgiven(report):
            return "quarantined", "Q", ("QUARANTINED", {"yellow": True})
        # Here pytest makes a failure of a test that passed but for its subtests; those are told already.
        return ("", "", "") if report.passed and report.when == "call" and report.nodeid in self._in_parts else None

    def _note_failure(self, report: pytest.TestReport) -> None:
        """A failure that counts although there is an entry for its test."""
        node_id = strip_group(report.nodeid)
        entry = self._matcher.find(node_id)
        if entry is None:
            return
        if entry.is_expired(self._listed.today):
            why = f"its entry {entry.test} expired on {entry.expires}"
        elif hasattr(report, _COUNTS):
            why = getattr(report, _COUNTS)
        elif report.when not in PHASES:
            why = "its process died, and took more with it than one test"
        else:
            return
        self._summary.unforgiven[node_id] = why


def _shared_fixture(failure: BaseException | None) -> str:
    """The fixture of a class, module, package or session whose teardown failed; empty when none did.

    With other parameters the next test that asks for it tears it down, in its own setup.
    """
    for error in _leaves(failure):
        innermost: FixtureDef[object] | None = None
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code is FixtureDef.finish.__code__:
                innermost = traceback.tb_frame.f_locals["self"]
            traceback = traceback.tb_next
        if innermost is not None and innermost.scope != "function":
            return f"{innermost.argname} ({innermost.scope} scope)"
    return ""


def _leaves(error: BaseException | None) -> list[BaseException]:
    """The exceptions of a group, of groups in it, too."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [] if error is None else [error]
