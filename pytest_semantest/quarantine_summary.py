"""What pytest's terminal says of quarantine at the end of a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_semantest.forgiveness import PROTECTED
from pytest_semantest.protocol.identity import strip_group
from pytest_semantest.protocol.layout import HISTORY
from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.protocol.small_file import read_object
from pytest_semantest.quarantine_list import QuarantineList

_MESSAGE_MAX = 200
_NAMED = 20
#: Bytes of a history with half a million tests.
_HISTORY_MOST = 64 * 1024 * 1024
#: How often in a row a test has to have passed before it is said that quarantine is over for it.
_ENOUGH = 20


class QuarantineSummary:
    """Collects what is to be told, and tells it."""

    def __init__(self, listed: QuarantineList, directory: str) -> None:
        self._listed = listed
        self._directory = directory
        #: Reports of failures that did not count.
        self.forgiven: list[pytest.TestReport] = []
        #: Tests in quarantine that passed.
        self.passed: dict[str, None] = {}
        #: By node id: why a failure counted although there is an entry.
        self.unforgiven: dict[str, str] = {}
        #: What the hooks could not do.
        self.problems: dict[str, None] = {}
        #: Entries under which no collected test falls, and what each may be called now.
        self.unmatched: dict[str, str | None] = {}

    @pytest.hookimpl
    def pytest_report_header(self) -> str | None:
        """How many entries hold."""
        entries = self._listed.entries
        if not entries:
            return None
        expired = sum(entry.is_expired(self._listed.today) for entry in entries)
        told = f", {expired} expired" if expired else ""
        return f"semantest: quarantine of {len(entries)} {'entry' if len(entries) == 1 else 'entries'}{told}"

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """A section of its own, if there is anything to tell."""
        lines = list(self._lines())
        if not lines:
            return
        terminalreporter.section("quarantine", yellow=True)
        for line, markup in lines:
            terminalreporter.write_line(printable_line(line), **markup)

    def _lines(self) -> Iterator[tuple[str, dict[str, bool]]]:
        for report in self.forgiven[:_NAMED]:
            facts = getattr(report, PROTECTED)
            where = "" if report.when == "call" else f" (in {report.when})"
            yield f"QUARANTINED {strip_group(report.nodeid)}{where}{_message(report)}", {"yellow": True}
            yield f"    {facts['reason']} ({facts['owner']}, until {facts['expires']})", {}
        if len(self.forgiven) > _NAMED:
            yield f"... and {len(self.forgiven) - _NAMED} more: semantest report", {}
        for node_id, why in self.unforgiven.items():
            yield f"NOT PROTECTED {node_id}: {why}", {"red": True}
        yield from ((line, {}) for line in self._passed())
        for test, now in self.unmatched.items():
            hint = "take it out, or correct its name" if now is None else f"if it is {now} now, correct its name"
            yield f"no test falls under the entry {test}: {hint}", {"yellow": True}
        yield from ((line, {"yellow": True}) for line in (*self._listed.notices, *self.problems))

    def _passed(self) -> Iterator[str]:
        """Tests that need no quarantine any more, and how many others passed."""
        failed = {strip_group(report.nodeid) for report in self.forgiven} | self.unforgiven.keys()
        passed = [node_id for node_id in self.passed if node_id not in failed]
        if not passed:
            return
        history = read_object(os.path.join(self._directory, HISTORY), _HISTORY_MOST).get("quarantined")
        cured = [node_id for node_id in passed if _is_cured(history, node_id)]
        for node_id in cured:
            told = f"it passed in all of its last {_ENOUGH} runs: take it out"
            yield f"{node_id}: {told} (semantest quarantine remove)"
        if len(passed) > len(cured):
            number = len(passed) - len(cured)
            yield f"{number} test{'' if number == 1 else 's'} in quarantine passed"


def _is_cured(history: object, node_id: str) -> bool:
    """Whether the history says that a test passed often enough in quarantine."""
    found = history.get(node_id) if isinstance(history, dict) else None
    runs, passed = (found.get("runs"), found.get("passed")) if isinstance(found, dict) else (None, None)
    return isinstance(runs, int) and runs >= _ENOUGH and passed == runs


def _message(report: pytest.TestReport) -> str:
    """The first line of what failed, as pytest's own summary has it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    first = str(getattr(crash, "message", "")).strip().partition("\n")[0]
    return f" - {first[:_MESSAGE_MAX]}" if first else ""
