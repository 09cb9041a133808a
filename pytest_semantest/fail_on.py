"""``--semantest-fail-on``: policies that fail a session which pytest calls green, and why.

What the session itself knows is decided here; what needs the run's record, or earlier runs, is left to
``semantest gate``, which knows the same policies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from pytest_semantest.command_at_end import CommandAtEnd, Deadline, Recorded
from pytest_semantest.protocol.identity import strip_group
from pytest_semantest.protocol.keys import FAIL_ON

#: Policies that ask no command.
_OWN = ("flaky", "lost", "warnings")
_NAMED = 3
_OPTION = "--semantest-fail-on"


def checked_policies(names: Iterable[str]) -> list[str]:
    """The names without doubles. Raises ``UsageError`` for one that is no policy's, naming the nearest."""
    found = list(dict.fromkeys(names))
    for name in found:
        if name not in FAIL_ON:
            from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

            near = get_close_matches(name, FAIL_ON, n=1, cutoff=0.4)
            hint = f": did you mean {near[0]!r}?" if near else "."
            raise pytest.UsageError(f"{_OPTION}: there is no policy {name!r}{hint} Policies: {', '.join(FAIL_ON)}.")
    return found


class FailOn:
    """The policies of a session: hooks of pytest itself and of xdist's controller, which hears of all tests."""

    def __init__(self, policies: Sequence[str]) -> None:
        self._policies = policies
        #: What a retried test came to last, by its id.
        self._retried: dict[str, bool] = {}
        self._warnings = 0
        #: Why the session is to fail, and what could not be judged: a line each.
        self.hits: list[str] = []
        self.unknown: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that was run again is flaky if it passed, and nothing of it failed after that."""
        test_id = strip_group(report.nodeid)
        if str(report.outcome) == "rerun":
            self._retried[test_id] = False
        elif test_id in self._retried:
            if report.failed:
                self._retried[test_id] = False
            elif report.when == "call" and report.passed:
                self._retried[test_id] = True

    def pytest_warning_recorded(self) -> None:
        """One more; xdist hands those of its workers over."""
        self._warnings += 1

    def judge(self, missing: int, recorded: Recorded | None, deadline: Deadline) -> None:
        """Judge by all policies. ``missing``: how many planned tests have no result; ``recorded``: ``None`` without."""
        flaky = [test_id for test_id, passed in self._retried.items() if passed]
        own = {
            "flaky": (len(flaky), "failed, then passed", flaky),
            "lost": (missing, "planned without a result", []),
            "warnings": (self._warnings, "", []),
        }
        for policy in self._policies:
            number, words, tests = own.get(policy, (0, "", []))
            if number and policy == "warnings":
                self.hits.append(f"{policy}: {number} warning{'' if number == 1 else 's'}")
            elif number:
                self.hits.append(_hit(policy, number, words, tests))
        asked = [policy for policy in self._policies if policy not in _OWN]
        if asked:
            self._ask(asked, recorded, deadline)

    def _ask(self, policies: Sequence[str], recorded: Recorded | None, deadline: Deadline) -> None:
        """Have the others judged by ``semantest gate``."""
        problem = "nothing was recorded"
        if recorded is not None:
            options = [part for policy in policies for part in ("--fail-on", policy)]
            try:
                command = CommandAtEnd(recorded, "gate", "gate", recorded.run_id, "--json", *options)
                code = command.exit_code(deadline)
                if code in (0, 1) and self._take(json.loads(command.output() or "null"), policies):
                    return
                problem = "there was no time" if code is None else command.reason() or f"exit code {code}"
            except (OSError, ValueError) as error:
                problem = str(error)
        self.unknown.append(f"{', '.join(policies)}: {problem}")

    def _take(self, result: Any, policies: Sequence[str]) -> bool:
        """Take what ``semantest gate --json`` says; false for what is no such thing."""
        checks = result.get("checks") if isinstance(result, dict) else None
        if not isinstance(checks, list) or len(checks) != len(policies):
            return False
        by_condition = {check["condition"]: check for check in checks}
        for policy in policies:
            check = by_condition[_CONDITIONS[policy]]
            if check["verdict"] == "unknown":
                self.unknown.append(f"{policy}: {check['why']}")
            elif check["verdict"] == "failed":
                words = " ".join(part for part in (_WORDS[policy], check["why"]) if part)
                self.hits.append(_hit(policy, int(check["value"]), words, check["tests"]))
        return True


#: What ``semantest gate`` calls them, and what is said of the tests.
_CONDITIONS = {"left-out": "max-left-out", "new-failures": "no-new-failures", "slower": "max-slower"}
_WORDS = {"left-out": "left out by the budget", "new-failures": "newly failing", "slower": "slower than usual"}


def _hit(policy: str, number: int, words: str, tests: Sequence[str]) -> str:
    """``flaky: 2 tests failed, then passed: a.py::test_x, ...``."""
    named = ", ".join(tests[:_NAMED]) + (", ..." if len(tests) > _NAMED else "")
    return f"{policy}: {number} test{'' if number == 1 else 's'} {words}{named and ': '}{named}"
