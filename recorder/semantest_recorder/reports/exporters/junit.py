"""``junit`` and ``junit-xunit1``: JUnit XML in the two dialects of pytest, with Surefire's elements for retries.

What pytest writes stands in its ``_pytest/junitxml.py``, the elements that CI servers know in ``junit-10.xsd`` of
Jenkins' xunit plugin and in Maven's ``surefire-test-report.xsd``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree as ET  # only written here

from semantest_recorder.reports.exporters.exporter import ExportOptions, Runs, every_test
from semantest_recorder.reports.report import AttemptInfo, Counts, Report, TestInfo
from semantest_recorder.reports.run_reasons import run_reasons
from semantest_recorder.reports.verdict import bad_attempts, final_attempt, full_text, is_uncollected, why
from semantest_recorder.reports.wording import state_in_words

#: Outcomes and states that are a ``failure``: what pytest calls failed. All other bad ones are an ``error``.
_FAILURES = frozenset({"failed", "timeout"})
_ERRORS = frozenset({"error", "crashed", "interrupted", "lost"})
#: States that are ``skipped``, with the type that tells them apart.
_SKIPS = {
    "skipped": "pytest.skip",
    "xfailed": "pytest.xfail",
    "not_run": "semantest.not_run",
    "pending": "semantest.pending",
    "running": "semantest.running",
}
#: How Surefire's schema orders what is in a ``testcase``; the properties are pytest's.
_ORDER = (
    *("properties", "failure", "rerunFailure", "flakyFailure", "skipped", "error", "rerunError", "flakyError"),
    *("system-out", "system-err"),
)
#: Characters that XML 1.0 does not have; pytest counts DEL among them.
_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Characters of a message; all of it stands in the element's text.
_MESSAGE_MAX = 500
_TITLES = {"stdout": "Captured Out", "stderr": "Captured Err"}


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:  # noqa: ARG001 - an Exporter
    """The dialect ``xunit2``: a ``testsuite`` for each run."""
    _write(runs, stream, with_places=False)


def export_xunit1(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:  # noqa: ARG001 - an Exporter
    """The dialect ``xunit1``: the same, and each test with ``file`` and ``line``, which counts from 0 there."""
    _write(runs, stream, with_places=True)


def _write(runs: Runs, stream: BinaryIO, *, with_places: bool) -> None:
    stream.write(b'<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">')
    for run in runs:
        report = run.report
        name = "pytest" if len(runs) == 1 else report.run.id
        stream.write(_opening(report, name))
        stream.writelines(_bytes(_testcase(test, with_places=with_places)) for test in run.tests(every_test))
        if _hides_failure(report):
            stream.write(_bytes(_run_case(report)))
        stream.write(b"</testsuite>")
    stream.write(b"</testsuites>\n")


def _opening(report: Report, name: str) -> bytes:
    """The start tag of a run's ``testsuite``, and its properties."""
    run, numbers = report.run, _numbers(report)
    attributes = {"name": legal(name)} | {key: str(number) for key, number in numbers.items()}
    attributes["time"] = _seconds(run.duration_ms)
    if run.started_at is not None:
        attributes["timestamp"] = run.started_at.replace("Z", "+00:00")
    host = next((source.host for source in run.sources if source.host), None)
    if host is not None:
        attributes["hostname"] = legal(host)
    empty = _bytes(ET.Element("testsuite", attributes))
    return empty.removesuffix(b" />") + b">" + _bytes(_properties(_facts(report)))


def _numbers(report: Report) -> dict[str, int]:
    """What the attributes of a ``testsuite`` count: each test once."""
    counts = report.counts
    hidden = int(_hides_failure(report))
    return {
        "errors": sum(_count(counts, state) for state in _ERRORS) + hidden,
        "failures": sum(_count(counts, state) for state in _FAILURES),
        "skipped": sum(_count(counts, state) for state in _SKIPS),
        "tests": counts.total + hidden,
    }


def _count(counts: Counts, state: str) -> int:
    number = getattr(counts, state)
    return number if isinstance(number, int) else 0  # pending and running are not there in a run that is over


def _hides_failure(report: Report) -> bool:
    """Whether the run is not green and no test would say so: readers of JUnit XML look at tests only."""
    bad = any(_count(report.counts, state) for state in _FAILURES | _ERRORS)
    return report.run.state != "passed" and not bad


def _run_case(report: Report) -> ET.Element:
    """The run itself as a ``testcase`` with an error, as pytest writes an internal error of its own."""
    case = ET.Element("testcase", {"classname": "semantest", "name": "run", "time": "0.000"})
    reasons = [f"the run is not green: {state_in_words(report.run, report.counts.total)}", *run_reasons(report)]
    _fault(case, "error", "; ".join(reasons), "semantest.run", "\n".join(reasons))
    return case


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    run = report.run
    yield "semantest.run", run.id
    yield "semantest.state", run.state
    for key in ("branch", "commit"):
        value = (run.git or {}).get(key)
        if isinstance(value, str):
            yield f"semantest.{key}", value
    for key, value in sorted(run.labels.items()):
        yield f"semantest.label.{key}", value


def _properties(pairs: Iterator[tuple[str, str]]) -> ET.Element:
    properties = ET.Element("properties")
    for name, value in pairs:
        ET.SubElement(properties, "property", {"name": legal(name), "value": legal(value)})
    return properties


def _testcase(test: TestInfo, *, with_places: bool) -> ET.Element:
    """One test."""
    classname, name = address(test.id)
    attributes = {"classname": legal(classname), "name": legal(name)}
    if with_places:
        attributes["file"] = legal(test.file or test.id.partition("::")[0])
        if test.line is not None:
            attributes["line"] = str(test.line - 1)
    case = ET.Element("testcase", attributes | {"time": _seconds(test.duration_ms)})
    final = final_attempt(test)
    if final is not None and final.user_properties:
        case.append(_properties((str(key), str(value)) for key, value in final.user_properties))
    if test.state in _FAILURES | _ERRORS:
        _add_bad(case, test, final)
    elif test.state in _SKIPS:
        _add_skipped(case, test)
    prefix = "flaky" if test.state == "flaky" else "rerun"
    case.extend(_retried(attempt, prefix) for attempt in bad_attempts(test))
    if final is not None:
        _add_output(case, final)
    case[:] = sorted(case, key=lambda child: _ORDER.index(child.tag))
    return case


def _add_bad(case: ET.Element, test: TestInfo, attempt: AttemptInfo | None) -> None:
    error = attempt.error if attempt is not None else None
    message = why(test.state, attempt, test.reason)
    if is_uncollected(test):
        title = "collection failure"
    elif test.state == "error" and error is not None and error.phase in ("setup", "teardown"):
        title = f'failed on {error.phase} with "{message}"'
    else:
        title = message
    kind = error.type if error is not None and error.type else f"semantest.{test.state}"
    text = full_text(error) if error is not None else message
    _fault(case, "failure" if test.state in _FAILURES else "error", title, kind, text or message)


def _add_skipped(case: ET.Element, test: TestInfo) -> None:
    reason = (test.reason or why(test.state, None)).removeprefix("reason: ")
    skipped = ET.SubElement(case, "skipped", {"type": _SKIPS[test.state], "message": legal(reason)})
    if test.state == "skipped" and test.file is not None:
        skipped.text = legal(f"{test.file}:{test.line or 0}: {reason}")


def _retried(attempt: AttemptInfo, prefix: str) -> ET.Element:
    """An attempt before the final one: ``flakyFailure`` and the like."""
    outcome = attempt.outcome or "running"
    kind = attempt.error.type if attempt.error is not None and attempt.error.type else f"semantest.{outcome}"
    message = why(outcome, attempt)
    tag = f"{prefix}{'Failure' if outcome in _FAILURES else 'Error'}"
    element = ET.Element(tag, {"message": legal(shortened(message)), "type": legal(kind)})
    stack = full_text(attempt.error) if attempt.error is not None else message
    ET.SubElement(element, "stackTrace").text = legal(stack)
    _add_output(element, attempt)
    return element


def _fault(case: ET.Element, tag: str, message: str, kind: str, text: str) -> None:
    element = ET.SubElement(case, tag, {"message": legal(shortened(message)), "type": legal(kind)})
    element.text = legal(text)


def _add_output(element: ET.Element, attempt: AttemptInfo) -> None:
    """What it printed; its files in the form that Jenkins' attachments plugin looks for."""
    out = [_section(output.stream, output.text) for output in attempt.output if output.stream != "stderr"]
    out += [_section("last output", attempt.last_output)] if attempt.last_output else []
    out += [f"[[ATTACHMENT|{file.place}]]\n" for file in attempt.attachments if file.place is not None]
    err = [_section(output.stream, output.text) for output in attempt.output if output.stream == "stderr"]
    for tag, parts in (("system-out", out), ("system-err", err)):
        if parts:
            ET.SubElement(element, tag).text = legal("".join(parts))


def _section(stream: str, text: str) -> str:
    title = _TITLES.get(stream, f"Captured {stream.capitalize()}")
    return f"{f' {title} ':-^80}\n{text}{'' if text.endswith(chr(10)) else chr(10)}"


def address(test_id: str) -> tuple[str, str]:
    """``(classname, name)`` as pytest makes them: ``a/b.py::TestX::test_y[1]`` is ``a.b.TestX`` and ``test_y[1]``."""
    head, bracket, params = test_id.partition("::")[2].partition("[")
    path = test_id.partition("::")[0].removesuffix(".py").replace("/", ".")
    names = [path, *head.split("::")] if "::" in test_id else [path]
    return ".".join(names[:-1]), names[-1] + bracket + params


def legal(text: str) -> str:
    """The text with characters that XML cannot hold written out as pytest does: ``#x1B``, ``#xFFFE``."""
    return _ILLEGAL.sub(lambda found: f"#x{ord(found[0]):0{2 if ord(found[0]) <= 0xFF else 4}X}", text)


def shortened(message: str) -> str:
    """A message for an attribute: whole lines as long as they are few, and that there are more."""
    if len(message) <= _MESSAGE_MAX:
        return message
    kept = message[:_MESSAGE_MAX]
    return f"{kept.rpartition(chr(10))[0] or kept}\n[cut; all of it stands in the element]"


def _seconds(milliseconds: float | None) -> str:
    return f"{max(0.0, milliseconds or 0.0) / 1000:.3f}"


def _bytes(element: ET.Element) -> bytes:
    return ET.tostring(element, encoding="unicode").encode()
