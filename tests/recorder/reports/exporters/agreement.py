"""What each format should say of the tests of a report, in the words of the format."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.reports.report import Report, TestInfo, is_forgiven
from tests.recorder.reports.exporters.readers import Seen

_BROKEN = ("crashed", "interrupted", "lost")
_WAITING = ("not_run", "pending", "running")
WORDS: dict[str, dict[str, str]] = {
    "junit": {
        **dict.fromkeys(("passed", "xpassed"), "passed"),
        **dict.fromkeys(("failed", "timeout"), "failure"),
        **dict.fromkeys(("error", *_BROKEN), "error"),
        "skipped": "pytest.skip",
        "xfailed": "pytest.xfail",
        **{state: f"semantest.{state}" for state in _WAITING},
    },
    "pytest-json-report": {
        "flaky": "passed",
        "crashed": "failed",
        "timeout": "failed",
        "interrupted": "error",
        "lost": "error",
    },
}
#: By how many milliseconds a format rounds.
ROUNDED = {
    "html": 0.006,
    "junit": 0.501,
    "ctrf": 0.501,
    "csv": 0.001,
    "json": 0.0,
    "pytest-json-report": 0.001,
    "reportlog": 0.001,
}


def junit_name(test_id: str) -> str:
    """As pytest's own JUnit XML has it, and with what XML cannot hold written out."""
    path, colons, rest = test_id.partition("::")
    names, bracket, params = rest.partition("[")
    parts = [path.replace("/", ".").removesuffix(".py"), *(names.split("::") if colons else [])]
    name = f"{'.'.join(parts[:-1])}::{parts[-1]}{bracket}{params}"
    return "".join(f"#x{ord(char):0{2 if ord(char) < 256 else 4}X}" if not _is_xml(char) else char for char in name)


def _is_xml(char: str) -> bool:
    code = ord(char)
    return (
        char in "\t\n\r" or 0x20 <= code <= 0x7E or 0x80 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code > 65535
    )


def assert_agrees(kind: str, seen: Iterable[Seen], tests: Iterable[TestInfo]) -> None:
    """``kind``: a format, or ``junit`` for both dialects."""
    expected, found = [], []
    by_name = {name_in(kind, test): test for test in tests}
    for one in seen:
        test = by_name[one.name]
        expected.append((one.name, _state(kind, test), _attempts(kind, test)))
        found.append((one.name, one.state, one.attempts))
        if one.milliseconds is not None and not _is_collection(test):
            assert abs(one.milliseconds - _milliseconds(kind, test)) <= ROUNDED[kind], one
    assert found == expected
    assert sorted(name for name, _, _ in found) == sorted(by_name)


def name_in(kind: str, test: TestInfo) -> str:
    return junit_name(test.id) if kind == "junit" else test.id


def _state(kind: str, test: TestInfo) -> str:
    if kind == "reportlog":
        if test.state in _BROKEN or test.state == "timeout":
            return "failed" if (test.attempts_detail[-1].phase or "call") == "call" else "error"
        return "passed" if test.state == "flaky" else test.state
    if kind == "junit" and is_forgiven(test):
        return "semantest.quarantine"
    return WORDS.get(kind, {}).get(test.state, test.state)


def _attempts(kind: str, test: TestInfo) -> int | None:
    if kind == "pytest-json-report":
        return None
    if kind == "junit":
        bad = sum(attempt.outcome in BAD_OUTCOMES for attempt in test.attempts_detail)
        return bad if bad and test.state in BAD_OUTCOMES else 1 + bad
    if kind in ("csv", "html", "json"):
        return test.attempts
    return max(1, len(test.attempts_detail))


def _milliseconds(kind: str, test: TestInfo) -> float:
    """A recording whose clock was moved keeps phases whose sum is not quite the duration."""
    if kind in ("pytest-json-report", "reportlog"):
        phases = test.attempts_detail[-1].phases
        known = [took for took in (phases.setup, phases.call, phases.teardown) if took is not None]
        return max(sum(known), test.duration_ms) if len(known) < 3 else sum(known)
    return test.duration_ms


def _is_collection(test: TestInfo) -> bool:
    return any(attempt.phase == "collect" for attempt in test.attempts_detail)


def ran(report: Report) -> list[TestInfo]:
    """Without the tests that a log of what ran cannot have: none of their phases is over."""
    return [test for test in report.tests if test.attempts_detail and _is_begun(test)]


def _is_begun(test: TestInfo) -> bool:
    phases = test.attempts_detail[-1].phases
    return test.state != "running" or (phases.setup, phases.call, phases.teardown) != (None, None, None)
