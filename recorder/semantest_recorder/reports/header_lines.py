"""The head of a report: which run, what came of it and why, when and where, and the counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from pytest_semantest.protocol.identity import CLIENT_WORKER, MAIN_WORKER, SHIPPER_WORKER
from semantest_recorder.reports.attempt_lines import STYLES, run_style
from semantest_recorder.reports.chain_words import chain_words
from semantest_recorder.reports.checkout import branch_and_commit
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import ImportedFrom, Report, RunInfo
from semantest_recorder.reports.run_reasons import run_reasons
from semantest_recorder.reports.wording import (
    count_word,
    count_words,
    duration,
    moment,
    nonzero,
    plural,
    state_in_words,
)

#: So many jobs are named.
_JOBS_NAMED = 4
_NO_WORKERS = (MAIN_WORKER, SHIPPER_WORKER, CLIENT_WORKER)


def header_lines(report: Report) -> Iterator[Text]:
    """Run, state and reason, when, where, and the counts of all states that are not zero."""
    run = report.run
    title = Text("Run ").append(inert_line(run.id), "bold")
    if run.name:
        title.append(f" ({inert_line(run.name)})")
    style = run_style(run.state, run.shards_missing)
    yield title.append(": ").append(inert_line(state_in_words(run, report.counts.total)), style)
    for reason in run_reasons(report):
        yield Text("  ").append(inert_line(reason), style)
    yield Text("  " + ", ".join(_facts(run)))
    yield _counts(report)
    if run.imported_from:
        yield Text(f"  imported from {_files(run.imported_from)}")
    if report.chain is not None and (words := chain_words(report)):
        yield Text("  ").append(words, STYLES.get(report.chain.state, ""))
    if run.gaps:
        yield Text()
        yield Text(f"!!! {plural(run.gaps, 'record')} MISSING !!!", "bold white on red")
        yield Text(
            "  They cannot be read (see semantest doctor). Tests or results may be missing: this run is not green."
        )


def _facts(run: RunInfo) -> Iterator[str]:
    yield f"started {moment(run.started_ms)}"
    if run.duration_ms is not None:
        yield f"took {duration(run.duration_ms)}"
    place = _place(run)
    if place:
        yield place
    yield from _workers(run)
    yield from _jobs(run)
    yield from _selected(run)
    if run.exit_code is not None:
        yield f"exit code {run.exit_code}"
    for key, value in sorted(run.labels.items()):
        yield inert_line(f"{key}={value}")


def _workers(run: RunInfo) -> Iterator[str]:
    """How many processes ran tests at a time: xdist replaces a worker that died by one with a new name."""
    workers = [source for source in run.sources if source.worker not in _NO_WORKERS]
    if not workers:
        return
    distribution = run.distribution or {}
    asked, mode = distribution.get("workers"), distribution.get("mode")
    one_session = len({source.session for source in run.sources}) == 1
    number = asked if one_session and isinstance(asked, int) and asked > 0 else len(workers)
    yield plural(number, "worker") + (f" ({inert_line(mode)})" if isinstance(mode, str) else "")


def _jobs(run: RunInfo) -> Iterator[str]:
    """The shards or jobs of CI that the run is of, by name as long as they are few."""
    jobs = list(dict.fromkeys(source.job for source in run.sources if source.job is not None))
    if jobs:
        more = f" and {len(jobs) - _JOBS_NAMED} more" if len(jobs) > _JOBS_NAMED else ""
        yield f"{plural(len(jobs), 'job')} ({inert_line(', '.join(jobs[:_JOBS_NAMED]))}{more})"


def _selected(run: RunInfo) -> Iterator[str]:
    """``shard 2 of 4``, ``budget 120 s``, ``order likely-to-fail``: of several sessions the first tells."""
    found = [shard for one in run.selections if (shard := one.shard) is not None]
    if len(found) == 1:
        yield f"shard {found[0]['index']} of {found[0]['of']}"
    elif run.shards is not None:
        yield f"{len(run.shards.seen)} of {run.shards.of} shards"
    for one in run.selections[:1]:
        if one.budget is not None:
            yield f"budget {duration(one.budget['limitMs'])}"
        if one.order is not None:
            yield f"order {inert_line(one.order)}"
        if one.repeat is not None and one.repeat.get("tests"):
            yield f"{plural(one.repeat['tests'], 'new test')} up to {one.repeat['times']} times"


def _place(run: RunInfo) -> str:
    """``branch main @ 1a2b3c4d5e (with changes)``."""
    branch, commit = branch_and_commit(run.git, run.ci)
    words = f"branch {inert_line(branch)}" if branch else ""
    if commit:
        words += f"{' @ ' if words else 'commit '}{inert_line(commit)[:10]}"
    return words + (" (with changes)" if words and run.git and run.git.get("dirty") is True else "")


def _files(files: Sequence[ImportedFrom]) -> str:
    """``junit.xml (junit of pytest)``, and how many more."""
    first = files[0]
    more = f" and {plural(len(files) - 1, 'more file')}" if len(files) > 1 else ""
    return inert_line(f"{first.name} ({first.format} of {first.tool}){more}")


def _counts(report: Report) -> Text:
    line = Text("  ").append(count_words(report.counts).partition(":")[0], "bold")
    for index, (state, number) in enumerate(nonzero(report.counts)):
        line.append(": " if index == 0 else ", ").append(count_word(state, number), STYLES.get(state, ""))
    if report.run.quarantined:
        line.append(f" ({report.run.quarantined} in quarantine)", "yellow")
    if report.run.deselected:
        line.append(f" ({report.run.deselected} deselected)")
    return line
