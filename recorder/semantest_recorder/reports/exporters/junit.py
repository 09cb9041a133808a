"""``junit`` and ``junit-xunit1``: JUnit XML in the two dialects of pytest, with Surefire's elements for retries.

What pytest writes stands in its ``_pytest/junitxml.py``, the elements that CI servers know in ``junit-10.xsd`` of
Jenkins' xunit plugin and in Maven's ``surefire-test-report.xsd``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from semantest_recorder.reports.checkout import branch_and_commit
from semantest_recorder.reports.exporters.exporter import ExportOptions, Runs, every_test
from semantest_recorder.reports.exporters.pytest_phases import file_line
from semantest_recorder.reports.exporters.xml_text import element, opening, text
from semantest_recorder.reports.report import AttemptInfo, Counts, Report, TestInfo, is_forgiven
from semantest_recorder.reports.run_reasons import RUN_ITSELF, hidden_failure, missing_shards
from semantest_recorder.reports.verdict import bad_attempts, final_attempt, full_text, is_uncollected, why
from semantest_recorder.reports.wording import shard_words

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
        stream.write(_suite_opening(report, "pytest" if len(runs) == 1 else report.run.id).encode())
        stream.writelines(_testcase(test, with_places=with_places).encode() for test in run.tests(every_test))
        if reasons := hidden_failure(report):
            stream.write(_run_case(reasons).encode())
        elif so_far := missing_shards(report):
            stream.write(_part_case(so_far).encode())
        stream.write(b"</testsuite>")
    stream.write(b"</testsuites>\n")


def _suite_opening(report: Report, name: str) -> str:
    """The start tag of a run's ``testsuite``, and its properties."""
    run = report.run
    attributes = {"name": name} | {key: str(number) for key, number in _numbers(report).items()}
    attributes["time"] = _seconds(run.duration_ms)
    if run.started_at is not None:
        attributes["timestamp"] = run.started_at.replace("Z", "+00:00")
    host = next((source.host for source in run.sources if source.host), None)
    if host is not None:
        attributes["hostname"] = host
    return opening("testsuite", attributes) + _properties(_facts(report))


def _numbers(report: Report) -> dict[str, int]:
    """What the attributes of a ``testsuite`` count: each test once."""
    counts = report.counts
    hidden = 1 if hidden_failure(report) else 0
    part = 1 if missing_shards(report) else 0
    forgiven = [test.state for test in report.tests if is_forgiven(test)]
    return {
        "errors": sum(_count(counts, state) - forgiven.count(state) for state in _ERRORS) + hidden,
        "failures": sum(_count(counts, state) - forgiven.count(state) for state in _FAILURES),
        "skipped": sum(_count(counts, state) for state in _SKIPS) + len(forgiven) + part,
        "tests": counts.total + hidden + part,
    }


def _count(counts: Counts, state: str) -> int:
    number = getattr(counts, state)
    return number if isinstance(number, int) else 0  # pending and running are not there in a run that is over


def _run_case(reasons: list[str]) -> str:
    """The run itself as a ``testcase`` with an error, as pytest writes an internal error of its own."""
    fault = _fault("error", "; ".join(reasons), RUN_ITSELF, "\n".join(reasons))
    return element("testcase", {"classname": "semantest", "name": "run", "time": "0.000"}, fault)


def _part_case(so_far: str) -> str:
    """The run itself as a ``testcase`` that did not run: shards are missing, which is no failure yet."""
    skipped = element("skipped", {"message": so_far, "type": "semantest.shards_missing"}, "")
    return element("testcase", {"classname": "semantest", "name": "run", "time": "0.000"}, skipped)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    run = report.run
    yield "semantest.run", run.id
    yield "semantest.state", run.state
    if run.shard_count:
        yield "semantest.shards", shard_words(run.shard_count, run.shards_missing)
    for key, value in zip(("branch", "commit"), branch_and_commit(run.git, run.ci), strict=True):
        if value:
            yield f"semantest.{key}", value
    for key, value in sorted(run.labels.items()):
        yield f"semantest.label.{key}", value


def _properties(pairs: Iterable[tuple[str, str]]) -> str:
    return element("properties", {}, "".join(element("property", {"name": name, "value": to}) for name, to in pairs))


def _testcase(test: TestInfo, *, with_places: bool) -> str:
    """One test; what stands in it has the order of Surefire's schema."""
    classname, name = address(test.id)
    attributes = {"classname": classname, "name": name}
    if with_places:
        attributes["file"] = test.file or test.id.partition("::")[0]
        if (line := file_line(test)) is not None:
            attributes["line"] = str(line)
    attributes["time"] = _seconds(test.duration_ms)
    final = final_attempt(test)
    properties = [*_entry(test), *(final.user_properties if final is not None else [])]
    content = _properties((str(key), str(value)) for key, value in properties) if properties else ""
    retries = {"Failure": "", "Error": ""}
    for attempt in bad_attempts(test):
        kind = "Failure" if attempt.outcome in _FAILURES else "Error"
        retries[kind] += _retried(attempt, f"{'flaky' if test.state == 'flaky' else 'rerun'}{kind}")
    forgiven = is_forgiven(test)
    if test.state in _FAILURES and not forgiven:
        content += _bad("failure", test, final)
    content += retries["Failure"]
    if forgiven:
        content += _forgiven(test, final)
    if test.state in _SKIPS:
        content += _skipped(test)
    if test.state in _ERRORS and not forgiven:
        content += _bad("error", test, final)
    content += retries["Error"]
    return element("testcase", attributes, content + (_outputs(final) if final is not None else ""))


def _bad(tag: str, test: TestInfo, attempt: AttemptInfo | None) -> str:
    error = attempt.error if attempt is not None else None
    message = why(test.state, attempt, test.reason)
    if is_uncollected(test):
        title = "collection failure"
    elif test.state == "error" and error is not None and error.phase in ("setup", "teardown"):
        title = f'failed on {error.phase} with "{message}"'
    else:
        title = message
    kind = error.type if error is not None and error.type else f"semantest.{test.state}"
    return _fault(tag, title, kind, (full_text(error) if error is not None else "") or message)


def _fault(tag: str, message: str, kind: str, content: str) -> str:
    return element(tag, {"message": shortened(message), "type": kind}, text(content))


def _entry(test: TestInfo) -> list[tuple[str, str]]:
    """The entry of a test in quarantine; before the test's own properties, of which one may be called alike."""
    names = ("entry", "reason", "owner", "expires", "issue")
    told = [(name, getattr(test.quarantine, name, None)) for name in names]
    return [(f"semantest.quarantine.{name}", value) for name, value in told if value is not None]


def _forgiven(test: TestInfo, attempt: AttemptInfo | None) -> str:
    """A failure that does not count: servers would count it as any other."""
    told, error = test.quarantine, attempt.error if attempt is not None else None
    who = f" ({told.owner}, until {told.expires}): {told.reason}" if told is not None else ""
    content = full_text(error) if error is not None else why(test.state, attempt, test.reason)
    return _fault("skipped", f"{test.state} in quarantine{who}", "semantest.quarantine", content)


def _skipped(test: TestInfo) -> str:
    reason = (test.reason or why(test.state, None)).removeprefix("reason: ")
    told = test.state == "skipped" and test.file is not None
    content = text(f"{test.file}:{test.line or 0}: {reason}") if told else ""
    return element("skipped", {"type": _SKIPS[test.state], "message": reason}, content)


def _retried(attempt: AttemptInfo, tag: str) -> str:
    """An attempt before the final one: ``flakyFailure`` and the like."""
    outcome, error = attempt.outcome or "running", attempt.error
    message = why(outcome, attempt)
    attributes = {"message": shortened(message), "type": (error.type if error else None) or f"semantest.{outcome}"}
    stack = element("stackTrace", {}, text((full_text(error) if error is not None else "") or message))
    return element(tag, attributes, stack + _outputs(attempt))


def _outputs(attempt: AttemptInfo) -> str:
    """What it printed; its files in the form that Jenkins' attachments plugin looks for."""
    out = [_section(output.stream, output.text) for output in attempt.output if output.stream != "stderr"]
    out += [_section("last output", attempt.last_output)] if attempt.last_output else []
    # Of a file that the recorder does not keep a client may say any path, and Jenkins would publish it.
    out += [f"[[ATTACHMENT|{file.place}]]\n" for file in attempt.attachments if file.place and file.sha256]
    err = [_section(output.stream, output.text) for output in attempt.output if output.stream == "stderr"]
    told = (("system-out", out), ("system-err", err))
    return "".join(element(tag, {}, text("".join(parts))) for tag, parts in told if parts)


def _section(stream: str, content: str) -> str:
    title = _TITLES.get(stream, f"Captured {stream.capitalize()}")
    return f"{f' {title} ':-^80}\n{content}{'' if content.endswith(chr(10)) else chr(10)}"


def address(test_id: str) -> tuple[str, str]:
    """``(classname, name)`` as pytest makes them: ``a/b.py::TestX::test_y[1]`` is ``a.b.TestX`` and ``test_y[1]``."""
    head, bracket, params = test_id.partition("::")[2].partition("[")
    path = test_id.partition("::")[0].removesuffix(".py").replace("/", ".")
    names = [path, *head.split("::")] if "::" in test_id else [path]
    return ".".join(names[:-1]), names[-1] + bracket + params


def shortened(message: str) -> str:
    """A message for an attribute: whole lines as long as they are few, and that there are more."""
    if len(message) <= _MESSAGE_MAX:
        return message
    kept = message[:_MESSAGE_MAX]
    return f"{kept.rpartition(chr(10))[0] or kept}\n[cut; all of it stands in the element]"


def _seconds(milliseconds: float | None) -> str:
    return f"{max(0.0, milliseconds or 0.0) / 1000:.3f}"
