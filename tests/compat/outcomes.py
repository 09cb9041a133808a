"""What a pytest run said about each test, from JUnit XML and from Semantest's report, and where two accounts differ."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from _pytest.junitxml import bin_xml_escape, mangle_test_address

from pytest_semantest.protocol.redaction import Redactor

#: A test as JUnit XML names it: (classname, name).
Key = tuple[str, str]
#: The outcomes of all testcases of that name, sorted: names need not be unique.
Outcomes = Mapping[Key, tuple[str, ...]]

BAD = frozenset({"failed", "error"})
#: How a state of the ledger shows in JUnit XML; one that is not here never has a place in a complete run.
JUNIT_OUTCOME = {
    "passed": "passed",
    "flaky": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "error",
    "skipped": "skipped",
    "xfailed": "skipped",
}
_SUMMARY = re.compile(r"^=*\s*((?:\d+ [a-z]+(?:, )?)+|no tests (?:ran|collected).*?) in [\d.]+s.*$", re.MULTILINE)


@dataclass(frozen=True)
class Observed:
    """One pytest run from outside: exit code, outcomes by test, the counts of its last line."""

    exit_code: int
    outcomes: Outcomes
    summary: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Difference:
    """Something two accounts of the same suite do not agree on; ``what`` names a test or a number of the run."""

    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


def parse_junit(text: str | bytes) -> Outcomes:
    """Outcomes of a JUnit file of pytest; raises ``ET.ParseError`` for something that is no XML."""
    found: dict[Key, list[str]] = {}
    for case in ET.fromstring(text).iter("testcase"):
        key = (case.get("classname", ""), case.get("name", ""))
        tags = {child.tag for child in case}
        if "failure" in tags:
            outcome = "failed"
        elif "error" in tags:
            outcome = "error"
        else:
            outcome = "skipped" if "skipped" in tags else "passed"
        found.setdefault(key, []).append(outcome)
    return {key: tuple(sorted(outcomes)) for key, outcomes in found.items()}


def parse_summary(terminal: str) -> dict[str, int]:
    """``{"passed": 3, "failed": 1}`` of pytest's last line; raises LookupError when there is none."""
    matches = _SUMMARY.findall(terminal)
    if not matches:
        raise LookupError("pytest printed no closing summary")
    words = re.findall(r"(\d+) ([a-z]+)", matches[-1])
    return {word.removesuffix("s") if word in ("errors", "warnings") else word: int(count) for count, word in words}


def junit_key(test_id: str) -> Key:
    """The name pytest's JUnit XML gives to the test of that id."""
    names = mangle_test_address(test_id)
    return bin_xml_escape(".".join(names[:-1])), bin_xml_escape(names[-1])


def reported_outcomes(report: Mapping[str, Any]) -> dict[Key, tuple[str, ...]]:
    """The outcomes of ``semantest report --json`` under JUnit's names; a state JUnit does not know keeps its own."""
    ids = {test["id"] for test in report["tests"]}
    found: dict[Key, list[str]] = {}
    for test in report["tests"]:
        node_id, mark, ordinal = test["id"].rpartition("#")
        # "#2" is Semantest's mark of a node id that occurs twice; JUnit has the same name for both.
        repeated = mark and ordinal.isdigit() and node_id in ids
        key = junit_key(node_id if repeated else test["id"])
        found.setdefault(key, []).append(JUNIT_OUTCOME.get(test["state"], test["state"]))
    return {key: tuple(sorted(outcomes)) for key, outcomes in found.items()}


def compare_runs(bare: Observed, recorded: Observed) -> list[Difference]:
    """Where a recorded run differs from the bare one: tests, exit code, counts of the last line."""
    differences = [
        Difference(_name(key), _words(bare.outcomes.get(key)), _words(recorded.outcomes.get(key)))
        for key in sorted(bare.outcomes.keys() | recorded.outcomes.keys())
        if bare.outcomes.get(key) != recorded.outcomes.get(key)
    ]
    if bare.exit_code != recorded.exit_code:
        differences.append(Difference("exit code", str(bare.exit_code), str(recorded.exit_code)))
    if bare.summary != recorded.summary:
        differences.append(Difference("last line", _counts(bare.summary), _counts(recorded.summary)))
    return differences


def compare_report(recorded: Observed, report: Mapping[str, Any]) -> list[Difference]:
    """Where Semantest's report differs from the JUnit file of the very same run, secrets in names aside."""
    reported = reported_outcomes(report)
    expected = _without_secrets(recorded.outcomes)
    differences = [
        Difference(f"report of {_name(key)}", _words(_all(expected.get(key, ()))), _words(reported.get(key)))
        for key in sorted(expected.keys() | reported.keys())
        if not _agree(expected.get(key, ()), reported.get(key, ()))
    ]
    counts = dict(report["counts"])
    total = counts.pop("total")
    if sum(counts.values()) != total or total != len(report["tests"]):
        differences.append(Difference("report: counts", f"{len(report['tests'])} tests", f"{total}: {counts}"))
    if report["run"]["exitCode"] != recorded.exit_code:
        differences.append(Difference("report: exit code", str(recorded.exit_code), str(report["run"]["exitCode"])))
    return differences


def unstable(runs: Sequence[Observed]) -> frozenset[str]:
    """What differs between bare runs of the same suite: tests that are flaky by themselves, in a Difference's words."""
    first, *others = runs
    return frozenset(difference.what for other in others for difference in compare_runs(first, other))


def counted(differences: Iterable[Difference], by_themselves: frozenset[str]) -> list[Difference]:
    """The differences that are not explained by a suite that differs from itself."""
    shaky = bool(by_themselves)
    whole_run = ("exit code", "last line")
    return [
        difference
        for difference in differences
        if difference.what not in by_themselves and not (shaky and difference.what in whole_run)
    ]


def _without_secrets(outcomes: Outcomes) -> dict[Key, tuple[tuple[str, ...], ...]]:
    """Outcomes of each test of a name, once what surely is a secret in its parameters is masked, as in test ids."""
    redact = Redactor().redact_exact
    found: dict[Key, tuple[tuple[str, ...], ...]] = {}
    for (classname, name), results in outcomes.items():
        key = (classname, redact(name))
        found[key] = (*found.get(key, ()), results)
    return found


def _all(groups: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(sorted(outcome for group in groups for outcome in group))


def _agree(groups: tuple[tuple[str, ...], ...], reported: tuple[str, ...]) -> bool:
    junit = _all(groups)
    if junit == reported:
        return True
    # Names that only their secrets told apart are several tests, and every one of them has to be there.
    if len(groups) != 1 or not reported or len(junit) <= len(reported):
        return False
    # JUnit has one testcase more for a subtest, and for a teardown error behind a failed call.
    if BAD & set(junit) or BAD & set(reported):
        return max(map(_badness, junit)) == max(map(_badness, reported))
    return set(reported) <= set(junit)


def _badness(outcome: str) -> int:
    return {"failed": 2, "error": 1}.get(outcome, 0)


def _name(key: Key) -> str:
    return f"{key[0]}::{key[1]}" if key[0] else key[1]


def _words(outcomes: tuple[str, ...] | None) -> str:
    return " + ".join(outcomes) if outcomes else "absent"


def _counts(summary: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(summary.items()))
