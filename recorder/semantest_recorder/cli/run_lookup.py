"""The runs of a folder for a list of them: those of the database, and those of which it lacks something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from semantest_recorder.answers.runs import run_summaries
from semantest_recorder.cli.journal_runs import heads_behind, journal_run, why_journals
from semantest_recorder.cli.leftovers import take_in_leftovers, unstored_notes
from semantest_recorder.cli.lookup import CANNOT_READ, FoundRun, reader_of
from semantest_recorder.cli.rereading import reread_when_shipped
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.core.nearest import nearest
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, counts_of
from semantest_recorder.reports.checkout import run_checkout
from semantest_recorder.reports.run_list import RunSummary, run_summary
from semantest_recorder.store.errors import BranchNotFound, NoDatabase, RunNotFound, StoreError
from semantest_recorder.store.reader import Reader

#: How many runs are looked through for those that are wanted.
_SEARCHED = 10_000
Wanted = Callable[[RunRow], bool]


def chosen_runs(
    folder: Path, most: int, sync_seconds: float, state: str | None, branch: str | None
) -> tuple[list[RunSummary], list[str]]:
    """As :func:`found_runs`, of those in one ``state`` and of one ``branch`` (``None``: of any).

    Raises ``BranchNotFound`` for a branch that no run has.
    """
    branches = set[str]()

    def wanted(run: RunRow) -> bool:
        its_branch, _commit = run_checkout(run)
        if its_branch:
            branches.add(its_branch)
        return state in (None, run.state) and branch in (None, its_branch)

    found, notes = found_runs(folder, most, sync_seconds, None if state is None and branch is None else wanted)
    if branch is not None and branch not in branches:
        raise BranchNotFound(branch, nearest(branch, sorted(branches), 0.4), known=False)
    return found, notes


def found_runs(
    folder: Path, most: int, sync_seconds: float, wanted: Wanted | None = None
) -> tuple[list[RunSummary], list[str]]:
    """The runs that started last, newest first, at most ``most`` of the database, and what should be told about them.

    ``wanted``: only those of which it says so. Raises ``RunNotFound`` when there is no run at all, and what
    ``store.reader.Reader`` raises when there is no other.
    """
    note = take_in_leftovers(folder, sync_seconds)
    return reread_when_shipped(lambda: _found(folder, most, note, wanted))


def _found(folder: Path, most: int, note: str, wanted: Wanted | None) -> tuple[list[RunSummary], list[str]]:
    reader: Reader | None = reader_of(folder)
    stored, problem = _stored(folder, most if wanted is None else max(most, _SEARCHED))
    if problem is not None:
        reader = None
    found, notes = _unstored(folder, reader, note)
    if problem is not None and not isinstance(problem, NoDatabase):
        notes.append(f"without what the database has: {problem}")
    if not stored and not found:
        raise problem or RunNotFound("last", [])
    known = {entry.rows.run.id for entry in found}
    stored = [row for row in stored if row.id not in known]
    if wanted is not None:  # before tests are counted, which takes longer than all else
        found = [entry for entry in found if wanted(entry.rows.run)]
        stored = list(islice(filter(wanted, stored), most))
    since = reader.since_ms([row.id for row in stored]) if reader is not None and stored else {}
    runs = run_summaries(reader.path, stored) if reader is not None else []
    runs += map(_summary, found)
    return sorted(runs, key=lambda run: -since.get(run.id, run.started_ms or 0.0)), notes


def _stored(folder: Path, most: int) -> tuple[list[RunRow], StoreError | None]:
    try:
        return reader_of(folder).runs(most), None
    except (NoDatabase, *CANNOT_READ) as error:
        return [], error


def _unstored(folder: Path, reader: Reader | None, note: str) -> tuple[list[FoundRun], list[str]]:
    heads = heads_behind(folder, note)
    notes = session_notes(folder) + [told for head in heads for told in head.unreadable]
    found, reasons = list[FoundRun](), dict[str, list[str]]()
    for run_id in dict.fromkeys(head.run_id for head in heads):
        own = [head for head in heads if head.run_id == run_id]
        found.append(journal_run(own, reader))
        notes += [told for told in found[-1].notes if told not in notes]
        reasons.setdefault(why_journals(own, note), []).append(run_id)
    if not reasons:
        notes += unstored_notes(note)
    for reason, ids in reasons.items():
        were = "run {} was read from its journals" if len(ids) == 1 else "runs {} were read from their journals"
        notes.append(f"{were.format(', '.join(ids))}: {reason}")
    return found, notes


def _summary(found: FoundRun) -> RunSummary:
    run = found.rows.run
    numbers = Counter(row.state for row in found.rows.results)
    return run_summary(run, counts_of(numbers, closed=run.state in CLOSED_RUN_STATES))
