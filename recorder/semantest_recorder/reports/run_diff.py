"""The public shape of a comparison of two runs: what ``semantest diff --json`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import field

from semantest_recorder.core.analysis.comparison import Change, Comparison
from semantest_recorder.core.analysis.rows import Failure
from semantest_recorder.core.analysis.time_shift import FALSE_SHARE, FLOOR_MS, FLOOR_SHARE, PASSES, PASSES_MIN, Shift
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import run_head
from semantest_recorder.reports.checkout import run_checkout
from semantest_recorder.reports.other_difference import OtherDifference, other_differences
from semantest_recorder.reports.report import REPORT_SCHEMA, ErrorInfo, Public, RunHead


class ComparedRun(RunHead):
    """One of the two runs."""

    branch: str | None
    commit: str | None


class TestChange(Public):
    """A test in both runs: its states (null: it was not there), and its id in the earlier run if that was another.

    ``why``: why it may not have run. ``error``: of a broken one, that of its last attempt.
    """

    __test__ = False

    id: str
    before: str | None
    after: str | None
    old_id: str | None = None
    why: str | None = None
    error: ErrorInfo | None = None


class RenamedFunction(Public):
    """A function with all its cases; ``evidence``: why both are held for one, ``confidence`` from 0 to 1."""

    old: str
    new: str
    evidence: str
    confidence: float


class TimeChange(Public):
    """A test whose time is far from its usual one: the median of so many ``passes``.

    ``score``: how many spreads it is away; ``p``: how often chance alone would do that.
    """

    id: str
    usual_ms: float
    now_ms: float
    passes: int
    score: float
    p: float


class TimeMethod(Public):
    """How times were compared. ``run_factor``: by how much the whole run was slower; it was taken out first."""

    run_factor: float
    test: str = "robust z-score (median, median absolute deviation), Student's t"
    correction: str = "Benjamini-Hochberg"
    false_share: float = FALSE_SHARE
    floor_ms: float = FLOOR_MS
    floor_share: float = FLOOR_SHARE
    passes: int = PASSES
    passes_min: int = PASSES_MIN


class RunDiff(Public, kw_only=True):
    """What changed between two runs. A test stands in one list of states at most, beside it in ``added`` or the times.

    ``other`` are changes that are neither good nor bad, such as from passed to xfailed; ``same`` counts tests that are
    as they were and not broken; ``differences``: what else is another, such as the Python or a package.
    """

    schema: int = REPORT_SCHEMA
    before: ComparedRun
    after: ComparedRun
    newly_failing: list[TestChange]
    still_failing: list[TestChange]
    fixed: list[TestChange]
    newly_flaky: list[TestChange]
    newly_skipped: list[TestChange]
    other: list[TestChange]
    added: list[TestChange]
    removed: list[TestChange]
    renamed: list[RenamedFunction]
    not_run: list[TestChange]
    not_run_before: list[TestChange]
    slower: list[TimeChange] = field(default_factory=list)
    faster: list[TimeChange] = field(default_factory=list)
    times: TimeMethod
    same: int
    differences: list[OtherDifference] = field(default_factory=list)


def run_diff(
    before: RunRow,
    after: RunRow,
    found: Comparison,
    shifted: Sequence[Shift],
    factor: float,
    errors: Mapping[str, Failure],
) -> RunDiff:
    """The public shape of what was found; ``errors``: of broken tests, in the later run."""
    return RunDiff(
        before=_run(before),
        after=_run(after),
        newly_failing=_changes(found.newly_failing, errors),
        still_failing=_changes(found.still_failing, errors),
        fixed=_changes(found.fixed),
        newly_flaky=_changes(found.newly_flaky),
        newly_skipped=_changes(found.newly_skipped),
        other=_changes(found.other),
        added=_changes(found.added),
        removed=_changes(found.removed),
        renamed=[RenamedFunction(one.old, one.new, one.evidence, one.confidence) for one in found.renamed],
        not_run=_changes(found.not_run),
        not_run_before=_changes(found.not_run_before),
        slower=[_time(shift) for shift in shifted if shift.score > 0],
        faster=[_time(shift) for shift in shifted if shift.score < 0],
        times=TimeMethod(run_factor=round(factor, 3)),
        same=found.same,
        differences=other_differences(before, after),
    )


def error_info(failure: Failure) -> ErrorInfo:
    """The error without its traceback."""
    return ErrorInfo(failure.message or failure.reason, failure.type, failure.file, failure.line, failure.phase)


def _run(run: RunRow) -> ComparedRun:
    branch, commit = run_checkout(run)
    return ComparedRun(**run_head(run), branch=branch, commit=commit)


def _changes(changes: Iterable[Change], errors: Mapping[str, Failure] | None = None) -> list[TestChange]:
    found = []
    for change in changes:
        error = (errors or {}).get(change.test_id)
        found.append(
            TestChange(
                id=change.test_id,
                before=change.before,
                after=change.after,
                old_id=change.old_id,
                why=change.why or None,
                error=error_info(error) if error is not None else None,
            )
        )
    return found


def _time(shift: Shift) -> TimeChange:
    return TimeChange(shift.test_id, shift.usual_ms, shift.now_ms, shift.passes, shift.score, shift.p)
