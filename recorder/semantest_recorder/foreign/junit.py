"""JUnit XML of any dialect: ``testsuites``, ``testsuite`` in each other, ``testcase``.

There is no standard. What is read is what these write: pytest (``xunit1``, ``xunit2``), Maven Surefire with
``rerunFailure`` and ``flakyFailure`` (its schema surefire-test-report-3.0.xsd), Gradle, Jest and Mocha reporters,
gotestsum, PHPUnit with suites in suites, NUnit and TestNG through their converters, GoogleTest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.foreign.amounts import moment_ms, seconds_ms
from semantest_recorder.foreign.errors import NotThisFormatError
from semantest_recorder.foreign.missing_shards import SKIP_TYPE, why_unfinished
from semantest_recorder.foreign.python_names import file_id, node_ids
from semantest_recorder.foreign.quarantine import FORGIVEN_TYPE, PROPERTY, put_into_quarantine
from semantest_recorder.foreign.run import (
    ForeignAttempt,
    ForeignFailure,
    ForeignOutput,
    ForeignRun,
    ForeignTest,
    SuiteNote,
)
from semantest_recorder.foreign.xml_tree import Element, read_tree

_SUITES = ("testsuites", "testsuite")
_BAD = ("failure", "error")
_RERUNS = ("rerunFailure", "rerunError")
_FLAKES = ("flakyFailure", "flakyError")
#: How types begin that an export of ours gives; the second is the run itself, which is no test.
_OURS = "semantest."
_RUN = "semantest.run"
_NEVER_RAN = frozenset({"semantest.not_run", "semantest.pending", "semantest.running"})
_NOT_RUN = frozenset({"notrun", "disabled", "skipped", "ignored"})
#: Roots of tools' own formats, and what to import instead.
_OTHERS = {
    "testng-results": "TestNG's own report: import the files in junitreports/",
    "test-run": "NUnit's own report: convert it (nunit3-junit.xslt) first",
    "test-results": "NUnit's own report: convert it (nunit3-junit.xslt) first",
    "assemblies": "xUnit.net's own report: let it write JUnit (`--logger junit`) instead",
    "TestRun": "a TRX report: let dotnet write JUnit (`--logger junit`) instead",
}
#: ``tests/test_a.py:7: AssertionError``, the last line of a traceback of pytest.
_PLACE = re.compile(r"^([^\s:][^:\n]*):(\d{1,9}): ?([\w.]*)$", re.MULTILINE)
#: Where a traceback of pytest says what was raised.
_RAISED = re.compile(r"(?<=^E   )\S.*", re.MULTILINE)
_ERROR_TYPE = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Failed|Interrupt|Timeout))\b")
_RUN_AGAIN = "it was run again; the file does not say why"
_PHASE = re.compile(r"failed on (setup|teardown)\b")


def read_junit(data: bytes) -> ForeignRun:
    """The run of one file. Raises ``UnreadableError`` when there is no XML in it, or no JUnit XML."""
    root, problem = read_tree(data)
    if root.tag not in _SUITES:
        other = _OTHERS.get(root.tag, f"its root is <{root.tag}>, not <testsuites> or <testsuite>")
        raise NotThisFormatError(f"this is no JUnit XML: {other}", root.line)
    reading = _Reading(_tool(root))
    reading.suite(root)
    run = reading.run
    run.problem = problem
    run.name = root.get("name") if root.tag == "testsuites" and run.tool != "pytest" else None
    if run.started_ms is None:
        run.started_ms = moment_ms(root.get("timestamp"))
    if reading.announced_bad and not any(test.is_bad for test in run.tests):
        run.exit_code = 1  # of something that is no test
    return run


def _tool(root: Element) -> str:
    """Who wrote the file, as far as it shows; ``JUnit`` otherwise."""
    first = next((suite for suite in _all_suites(root) if suite.of("testcase")), root)
    names = {root.get("name"), first.get("name")}
    properties = {found.get("name") or "" for suite in (root, first) for found in _properties(suite)}
    schema = " ".join(value for key, value in root.attributes.items() if key.endswith("SchemaLocation"))
    if "pytest" in names or "pytest tests" in names:
        return "pytest"
    if "surefire" in schema or "surefire.test.class.path" in properties or any("surefire" in one for one in properties):
        return "Surefire"
    if "go.version" in properties:
        return "Go"
    if "jest tests" in names:
        return "Jest"
    if "Mocha Tests" in names:
        return "Mocha"
    cases = first.of("testcase")
    if cases and "class" in cases[0].attributes and "assertions" in cases[0].attributes:
        return "PHPUnit"
    return "JUnit"


def _all_suites(root: Element) -> Iterator[Element]:
    waiting = [root]
    while waiting:
        suite = waiting.pop()
        yield suite
        waiting += reversed(suite.of(*_SUITES))


def _properties(element: Element) -> list[Element]:
    return [one for group in element.of("properties") for one in group.of("property")]


class _Reading:
    """Goes through a file's suites in their order."""

    def __init__(self, tool: str) -> None:
        self.run = ForeignRun("junit", tool)
        self.announced_bad = False
        self._by_ids: dict[tuple[Element, tuple[str, ...]], ForeignTest] = {}

    def suite(self, suite: Element) -> None:
        run = self.run
        started_ms = moment_ms(suite.get("timestamp"))
        if started_ms is not None:
            run.started_ms = min(started_ms, run.started_ms or started_ms)
            took = seconds_ms(suite.get("time"))
            run.ended_ms = max(run.ended_ms or 0.0, started_ms + (took or 0.0))
        for name in ("failures", "errors"):
            self.announced_bad = self.announced_bad or (suite.get(name) or "0").strip().lstrip("0") != ""
        at = started_ms
        for child in suite.children:
            if child.tag in _SUITES:
                self.suite(child)
            elif child.tag == "testcase":
                at = self._case(child, suite, at)
            elif child.tag in _BAD:
                self._suite_failed(child, suite, at)
        note = SuiteNote(suite.get("name") or "", _output(suite), _pairs(suite))
        if note.output or note.properties:
            run.notes.append(note)

    def _suite_failed(self, child: Element, suite: Element, at: float | None) -> None:
        """A suite that could not be set up, say: there is no test that it could be told of."""
        attempt = ForeignAttempt("error", started_ms=at, failure=self._failure(child))
        self.run.tests.append(ForeignTest((suite.get("name") or "suite",), [attempt], suite.get("file")))

    def _case(self, case: Element, suite: Element, at: float | None) -> float | None:
        """Takes one test; when it ended, for the next one begins then unless it says so itself."""
        started_ms = moment_ms(case.get("timestamp")) or at
        took = seconds_ms(case.get("time"))
        types = {told.get("type") for told in case.of("error", "skipped")}
        if _RUN in types:  # what an export says of the run itself
            return at
        so_far = [skip.get("message") for skip in case.of("skipped") if skip.get("type") == SKIP_TYPE]
        if so_far:
            self.run.unfinished = why_unfinished(so_far[0])
            return at
        if not _NEVER_RAN.isdisjoint(types):
            self.run.tests.append(self._test(case, suite, []))
            self.run.stopped_early = True
            return at
        attempts = self._attempts(case, took)
        attempts[0].started_ms = started_ms
        attempts[-1].output = _output(case)
        attempts[-1].properties = [pair for pair in _pairs(case) if not pair[0].startswith(PROPERTY)]
        test = self._test(case, suite, attempts)
        told = [(name.removeprefix(PROPERTY), value) for name, value in _pairs(case) if name.startswith(PROPERTY)]
        # An export has its own properties before those of the test.
        put_into_quarantine(test, dict(reversed(told)), forgiven=FORGIVEN_TYPE in types)
        if self.run.tool != "pytest":
            self.run.tests.append(test)
        else:
            self._take_pytest(test, suite)
        if started_ms is None:
            return None
        total = sum(attempt.duration_ms or 0.0 for attempt in attempts)
        return started_ms + total

    def _take_pytest(self, test: ForeignTest, suite: Element) -> None:
        """Takes a test of pytest, which names each once, unless its teardown failed, too, or it was run again.

        The same test in another suite is of another pytest, of another job say, and not an attempt more. Of an
        attempt that pytest-rerunfailures repeated the file says nothing but that there was one.
        """
        known = self._by_ids.setdefault((suite, test.ids), test)
        if known is test:
            self.run.tests.append(test)
            return
        before, attempt = known.attempts[-1], test.attempts[0]
        failure = attempt.failure
        if before.failure is not None and failure is not None and failure.phase == "teardown":
            before.failure.stack = "\n\n".join(filter(None, (before.failure.stack, failure.message, failure.stack)))
            before.output += attempt.output
            return
        if before.outcome == "passed":
            before.outcome, before.failure = "failed", ForeignFailure(_RUN_AGAIN)
        known.attempts += test.attempts

    def _attempts(self, case: Element, took: float | None) -> list[ForeignAttempt]:
        """The attempts in order: Surefire tells of those before the one that passed, and of reruns that failed."""
        bad, reruns, flakes = case.of(*_BAD), case.of(*_RERUNS), case.of(*_FLAKES)
        skipped = case.of("skipped")
        if not case.whole:
            last = ForeignAttempt(None, took)
        elif bad:
            last = ForeignAttempt(_outcome(bad[0]), took, failure=self._failure(*bad))
        elif skipped and skipped[0].get("type") == FORGIVEN_TYPE:
            last = _forgiven(skipped[0], took)
        elif skipped or (case.get("status") or case.get("result") or "").lower() in _NOT_RUN:
            last = _skip(skipped[0] if skipped else None, took)
        else:
            last = ForeignAttempt("passed", took)
        others = [self._retry(one) for one in flakes or reruns]
        # Surefire tells of the first failure as the test's own, an export of ours of the last.
        return [last, *others] if reruns and not flakes and self.run.tool != "pytest" else [*others, last]

    def _retry(self, told: Element) -> ForeignAttempt:
        outcome = _exact(told) or ("error" if told.tag in ("rerunError", "flakyError") else "failed")
        took = seconds_ms(told.get("time"))
        return ForeignAttempt(outcome, took, failure=self._failure(told), output=_output(told))

    def _failure(self, *told: Element) -> ForeignFailure:
        """What one or several elements say; GoogleTest writes one for each expectation."""
        first = told[0]
        traces = [trace.text for one in told for trace in one.of("stackTrace")]
        stack = "\n".join(part for part in (*(one.text for one in told), *traces) if part.strip()).strip("\n") or None
        messages = [message for one in told if (message := one.get("message"))]
        failure = ForeignFailure("\n".join(messages) or None, first.get("type"), stack)
        if failure.message is None and stack:
            failure.message = stack.strip().split("\n", 1)[0]
        if self.run.tool == "pytest":
            _read_pytest_failure(failure)
        return failure

    def _test(self, case: Element, suite: Element, attempts: list[ForeignAttempt]) -> ForeignTest:
        name, dotted = case.get("name") or "", case.get("classname") or ""
        file, line = case.get("file") or suite.get("file"), _line(case.get("line"))
        if self.run.tool == "pytest":
            if not dotted:  # pytest could not collect it, and gives the module as its name
                path = file_id(name)
                return ForeignTest((path,), attempts, path, collected=False)
            ids = node_ids(dotted, name, case.get("file"))
            return ForeignTest(ids, attempts, ids[0].partition("::")[0], None if line is None else line + 1)
        group = case.get("class") or dotted
        if name.endswith(f" {dotted}"):  # Mocha: the whole title is the name, and the title its class
            group, name = "", dotted
        if not group or group == name:  # Jest says the same twice
            group = suite.get("name") or ""
        return ForeignTest((f"{group}::{name}" if group else name,), attempts, file, line)


def _outcome(told: Element) -> str:
    return _exact(told) or ("error" if told.tag == "error" else "failed")


def _exact(told: Element) -> str | None:
    """The outcome that an export of ours gives as the type, where no error has one."""
    outcome = (told.get("type") or "").removeprefix(_OURS)
    return outcome if outcome in BAD_OUTCOMES else None


def _skip(told: Element | None, took: float | None) -> ForeignAttempt:
    if told is None:
        return ForeignAttempt("skipped", took)
    reason = told.get("message") or told.text.strip() or None
    return ForeignAttempt("xfailed" if told.get("type") == "pytest.xfail" else "skipped", took, reason=reason)


def _forgiven(told: Element, took: float | None) -> ForeignAttempt:
    """A failure in quarantine: its message begins with the outcome, and its text is the traceback."""
    outcome = (told.get("message") or "").partition(" ")[0]
    stack = told.text.strip("\n")
    raised = _RAISED.search(stack)
    failure = ForeignFailure(raised[0] if raised else stack.partition("\n")[0], stack=stack)
    _read_pytest_failure(failure)
    return ForeignAttempt(outcome if outcome in BAD_OUTCOMES else "failed", took, failure=failure)


def _read_pytest_failure(failure: ForeignFailure) -> None:
    """Where it failed stands at the end of the traceback, what it was at the beginning of the message."""
    places = _PLACE.findall(failure.stack or "")
    if places:
        failure.file, line, kind = places[-1]
        failure.line, failure.type = int(line), kind or failure.type
    message = failure.message or ""
    kind_of_message = _ERROR_TYPE.match(message)
    failure.type = failure.type or (kind_of_message[1] if kind_of_message else None)
    phase = _PHASE.match(message)
    failure.phase = phase[1] if phase else None


def _output(element: Element) -> list[ForeignOutput]:
    """Captured text; Surefire puts the output of a rerun into elements of the same names."""
    named = (("system-out", "stdout"), ("system-err", "stderr"))
    return [ForeignOutput(stream, one.text) for tag, stream in named for one in element.of(tag) if one.text.strip()]


def _pairs(element: Element) -> list[tuple[str, str]]:
    return [(one.get("name") or "", one.get("value") or one.text) for one in _properties(element)]


def _line(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
