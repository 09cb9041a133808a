"""With which run a test broke, for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.text import Text

from semantest_recorder.core.analysis import blame
from semantest_recorder.reports.attempt_lines import STYLES
from semantest_recorder.reports.blame_report import BlameReport
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.past_result import PastResult
from semantest_recorder.reports.run_diff_lines import error_line
from semantest_recorder.reports.wording import moment, plural, shortened, state_word

_VALUE_MAX = 80
_PACKAGES = 20
_SAID = {
    blame.BROKEN_SINCE: "broken",
    blame.FIXED: "good again; this is the last time that it broke",
    blame.ALWAYS_BROKEN: "broken in every run: history cannot tell with which commit",
    blame.NEVER_BROKEN: "never broken: there is nothing to blame",
    blame.FLAKY: "flaky: it failed and passed with the same code, so history names no commit",
    blame.NOTHING: "without a verdict in every run: history cannot tell",
}


def blame_lines(report: BlameReport) -> Iterator[Text]:
    """The answer first, then what else changed, then how to look closer."""
    yield Text(inert_line(report.test), "bold")
    where = f" of branch {inert_line(report.branch)}" if report.branch else ""
    yield Text(f"  {_SAID[report.verdict]} ({plural(report.runs, 'run')}{where} looked at)")
    if report.verdict == blame.FIXED and report.last_good is None:
        yield Text("  last good   none: it had not passed before in these runs")
    yield from _run("last good", report.last_good)
    yield from _good_elsewhere(report)
    yield from _run("first bad", report.first_bad)
    if report.error is not None:
        yield from error_line(report.error)
    yield from _run("good again", report.fixed_by)
    if report.first_bad is not None:
        yield Text(f"  broken in {plural(report.bad_runs, 'run')}" + _silent(report))
    for doubt in report.doubts:
        yield Text(f"  but: {inert_line(doubt)}", "yellow")
    if report.flaky_commits and report.verdict != blame.FLAKY:
        yield Text(f"  flaky on {plural(len(report.flaky_commits), 'commit')}: failures there count as chance", "dim")
    if report.first_bad is not None and report.last_good is not None:
        yield from _changes(report)
        yield from _commits(report)
    if report.bisect is not None:
        yield Text()
        yield Text("Find the commit", "bold")
        yield Text(f"  {report.bisect}")


def _good_elsewhere(report: BlameReport) -> Iterator[Text]:
    good, bad = report.good_elsewhere, report.first_bad
    if good is None or bad is None:
        return
    (line,) = _run("good in", good)
    yield line.append(f", of branch {inert_line(good.branch)}" if good.branch else ", of no branch")
    compare = shlex.join(["semantest", "diff", good.run, bad.run])
    yield Text(f"          to compare them: {inert_line(compare)}", "dim")


def _run(label: str, run: PastResult | None) -> Iterator[Text]:
    if run is None:
        return
    commit = f", commit {inert_line(run.commit)[:10]}{' with changes' if run.dirty else ''}" if run.commit else ""
    line = Text(f"  {label:<10}  run {inert_line(run.run)}: ")
    line.append(state_word(run.state), STYLES.get(run.state, ""))
    yield line.append(f", {moment(run.started_ms)}{commit}")


def _silent(report: BlameReport) -> str:
    return f"; {plural(report.without_verdict, 'run')} between them without a verdict" if report.without_verdict else ""


def _changes(report: BlameReport) -> Iterator[Text]:
    yield Text()
    yield Text("What else changed between the two", "bold")
    edited = {
        True: "the test itself was edited",
        False: "the test itself is the same",
        None: "not known whether the test itself was edited",
    }
    yield Text(f"  {edited[report.test_edited]}")
    packages = [one for one in report.differences if one.kind == "package"]
    for one in [*(one for one in report.differences if one.kind != "package"), *packages[:_PACKAGES]]:
        before, after = (
            shortened(inert_line(value), _VALUE_MAX) if value else "none" for value in (one.before, one.after)
        )
        yield Text(f"  {inert_line(one.name)}: {before} -> {after}")
    if len(packages) > _PACKAGES:
        yield Text(f"  ... and {plural(len(packages) - _PACKAGES, 'more package')} (--json has all)", "dim")


def _commits(report: BlameReport) -> Iterator[Text]:
    yield Text()
    if report.commits_unknown is not None:
        yield Text(f"Commits between: {inert_line(report.commits_unknown)}")
        return
    number = report.commit_number or 0
    yield Text(f"Commits between ({number})", "bold")
    for commit in report.commits:
        words = f"{inert_line(commit.author)}: {inert_line(commit.subject)}"
        yield Text(f"  {inert_line(commit.id)[:10]}  {inert_line(commit.date)[:10]}  {words}")
    if number > len(report.commits):
        yield Text(f"  ... and {number - len(report.commits)} more", "dim")
