"""``markdown``: a page for people, in GitHub's dialect. Whatever comes from a test stands as code and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from semantest_recorder.reports.chain_words import chain_words
from semantest_recorder.reports.checkout import branch_and_commit
from semantest_recorder.reports.excerpt import excerpt
from semantest_recorder.reports.exporters.exporter import ExportedRun, ExportOptions, Runs
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import AttemptInfo, Report, TestInfo, is_forgiven
from semantest_recorder.reports.run_reasons import run_reasons
from semantest_recorder.reports.verdict import bad_attempts, final_attempt, full_text, is_uncollected, why
from semantest_recorder.reports.wording import duration, is_open, nonzero, plural, shortened, state_in_words, state_word

#: Sections in their order: the title, and the states of its tests. Each of them is explained.
_SECTIONS = (
    ("Lost", ("lost",)),
    ("Crashed, timed out, interrupted", ("crashed", "timeout", "interrupted")),
    ("Failures", ("failed", "error")),
    ("Flaky: failed, then passed", ("flaky",)),
    ("Still running", ("running",)),
)
_STACK_LINES = 40
_LINE_MAX = 1000
_MESSAGE_MAX = 300
_NAME_MAX = 500
_SLOWEST = 5
_SLOW_MS = 100.0
#: Bytes that the line about what was left out may take.
_TAIL = 200
#: Bytes of a step summary of GitHub's that are shown; a longer one is shown not at all.
STEP_SUMMARY_BYTES = 1024 * 1024


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:  # noqa: ARG001 - an Exporter
    """A page for each run, one below the other."""
    for number, run in enumerate(runs):
        stream.write(b"\n---\n\n" if number else b"")
        stream.writelines(entry.encode() for entry in _entries(run))


def page(run: ExportedRun, most_bytes: int = STEP_SUMMARY_BYTES) -> bytes:
    """The page of a run in at most so many bytes (not below 1,000): whole entries, and how many are left out."""
    kept, size, left_out = list[bytes](), 0, 0
    for entry in _entries(run):
        data = entry.encode()
        if left_out or size + len(data) > most_bytes - _TAIL:
            left_out += 1
        else:
            kept.append(data)
            size += len(data)
    if left_out:
        entries = "1 entry" if left_out == 1 else f"{left_out} entries"
        kept.append(f"\n{entries} more left out here; `semantest report` has all of it.\n".encode())
    return b"".join(kept)


def _entries(run: ExportedRun) -> Iterator[str]:
    """The page in pieces that stay whole: the head, each test, each list."""
    report = run.report
    yield "".join(f"{line}\n" for line in _head(report))
    for title, states in _SECTIONS:
        yield from _section(run, title, lambda test, states=states: test.state in states and not is_forgiven(test))  # type: ignore[misc]
    yield from _section(run, "Failed in quarantine, which does not count", is_forgiven)
    yield from _not_run(report)
    yield from _slowest(report)
    yield from _warnings(report)


def _section(run: ExportedRun, title: str, belongs: Callable[[TestInfo], bool]) -> Iterator[str]:
    number = sum(map(belongs, run.report.tests))
    if not number:
        return
    heading = f"\n## {title} ({number})\n"
    for test in run.tests(belongs):
        if belongs(test):
            yield heading + "".join(f"{line}\n" for line in _test_lines(test))
            heading = ""


def _head(report: Report) -> Iterator[str]:
    run = report.run
    mark = "⏳" if is_open(run.state, run.shards_missing) else "✅" if run.state == "passed" else "❌"
    name = f" ({code(run.name)})" if run.name else ""
    yield f"# {mark} Run {code(run.id)}{name}: {state_in_words(run, report.counts.total)}"
    yield ""
    for reason in run_reasons(report):
        yield f"- {code(reason)}"
    if words := chain_words(report):
        yield f"- {code(words)}"
    facts = [f"took {duration(run.duration_ms)}"] if run.duration_ms is not None else []
    for key, value in zip(("branch", "commit"), branch_and_commit(run.git, run.ci), strict=True):
        facts += [f"{key} {code(value)}"] if value else []
    facts += [f"exit code {run.exit_code}"] if run.exit_code is not None else []
    facts += [code(f"{key}={value}") for key, value in sorted(run.labels.items())]
    yield f"- started {run.started_at or 'at an unknown time'}{''.join(f', {fact}' for fact in facts)}"
    if run.gaps:
        yield f"- **{plural(run.gaps, 'record')} missing**: tests or results may be missing, the run is not green"
    states = nonzero(report.counts)
    yield ""
    yield f"| tests |{''.join(f' {state_word(state)} |' for state, _ in states)}"
    yield f"|---:|{'---:|' * len(states)}"
    yield f"| {report.counts.total} |{''.join(f' {number} |' for _, number in states)}"


def _test_lines(test: TestInfo) -> Iterator[str]:
    final = final_attempt(test)
    took = "could not be collected" if is_uncollected(test) else f"{duration(test.duration_ms)}{_where(test)}"
    yield ""
    yield f"**{state_word(test.state)}** {code(test.id)} ({took})"
    if (told := test.quarantine) is not None:
        yield f"- in quarantine until {code(told.expires)}, {code(told.owner)}: {code(told.reason)}"
    bad = bad_attempts(test)
    for attempt in bad:
        yield f"- attempt {attempt.attempt}{_where(attempt)}, {state_word(attempt.outcome or '')}: {_message(attempt)}"
    if test.state == "flaky":
        return
    yield ""
    message = why(test.state, final, test.reason)
    yield code(shortened(inert_line(message.strip().split("\n", 1)[0]), _MESSAGE_MAX)) if message else ""
    if final is not None:
        trace = full_text(final.error) if final.error is not None else ""
        yield from _folded("traceback", trace if trace != message else "")
        for output in final.output:
            yield from _folded(f"{output.stream} {output.phase or ''}".strip(), output.text)
        yield from _folded("last output", final.last_output or "")


def _where(told: TestInfo | AttemptInfo) -> str:
    """The job, if the run has several, and the worker, if that was not pytest itself."""
    job = f", job {code(told.job)}" if told.job is not None else ""
    return job + (f", worker {code(told.worker)}" if told.worker not in (None, "main") else "")


def _message(attempt: AttemptInfo) -> str:
    words = why(attempt.outcome or "", attempt).strip().split("\n", 1)[0]
    return code(shortened(inert_line(words), _MESSAGE_MAX))


def _folded(title: str, text: str) -> Iterator[str]:
    """A text behind a title that is to be clicked; of a long one the beginning of the story and the end."""
    lines = [line[:_LINE_MAX] for line in inert(text).rstrip().split("\n")] if text.strip() else []
    if not lines:
        return
    shown = [
        line if isinstance(line, str) else f"... {plural(line, 'line')} left out"
        for line in excerpt(lines, _STACK_LINES)
    ]
    fence = "`" * max(3, _longest_run(shown) + 1)
    yield ""
    yield f"<details><summary>{_escaped(title)}</summary>"
    yield ""
    yield f"{fence}text"
    yield from shown
    yield fence
    yield "</details>"


def _not_run(report: Report) -> Iterator[str]:
    missed = [test for test in report.tests if test.state == "not_run"]
    if missed:
        names = "".join(f"- {code(test.id)}\n" for test in missed[:_SLOWEST])
        more = f"- and {len(missed) - _SLOWEST} more\n" if len(missed) > _SLOWEST else ""
        yield f"\n## Not run ({len(missed)})\n\n{names}{more}"


def _slowest(report: Report) -> Iterator[str]:
    slow = sorted((test for test in report.tests if test.duration_ms >= _SLOW_MS), key=lambda test: -test.duration_ms)
    if slow:
        lines = "".join(f"- {duration(test.duration_ms)} {code(test.id)}\n" for test in slow[:_SLOWEST])
        yield f"\n## Slowest\n\n{lines}"


def _warnings(report: Report) -> Iterator[str]:
    most = sorted(report.warnings, key=lambda warning: -warning.count)
    if most:
        shown = [(one, shortened(inert_line(one.message), _MESSAGE_MAX)) for one in most[:_SLOWEST]]
        lines = "".join(
            f"- {plural(one.count, 'time')} {code(f'{one.category}: {message}')}\n" for one, message in shown
        )
        more = f"- and {len(most) - _SLOWEST} more kinds\n" if len(most) > _SLOWEST else ""
        yield f"\n## Warnings ({sum(one.count for one in most)})\n\n{lines}{more}"


def code(text: str) -> str:
    """The text on one line as a code span, in which nothing means anything to Markdown or HTML."""
    line = shortened(inert_line(text), _NAME_MAX).strip() or " "
    ticks = "`" * (_longest_run([line]) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{edge}{line}{edge}{ticks}"


def _longest_run(lines: list[str]) -> int:
    """How many backticks stand side by side at most."""
    return max((len(run) for line in lines for run in re.findall("`+", line)), default=0)


def _escaped(text: str) -> str:
    line = shortened(inert_line(text), _NAME_MAX)
    return re.sub(r"[^\w .-]", lambda found: f"&#{ord(found[0])};", line)
