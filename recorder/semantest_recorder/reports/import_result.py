"""What an import came to: its public shape and its lines."""

from __future__ import annotations

from collections.abc import Iterator

from semantest_recorder.foreign.formats import FORMATS
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Counts, Public
from semantest_recorder.reports.wording import count_words, plural, run_state_words

IMPORT_SCHEMA = 1


class ImportedFile(Public):
    """One file: its ``format`` and ``tool``, how many ``tests`` it tells of, and what of it could not be read."""

    file: str
    format: str
    tool: str
    tests: int
    problem: str | None = None


class ImportedRun(Public):
    """One run.

    ``outcome``: ``imported``, ``known`` (the history has it), ``waiting`` (no recorder has it yet), or ``planned``.
    ``state`` is that of these files alone: a run that ``--run-id`` joins may be in another.
    ``quarantined``: how many tests are in a bad state that does not count.
    """

    run: str
    session: str
    outcome: str
    state: str
    gaps: int
    counts: Counts
    quarantined: int
    files: list[ImportedFile]


class ImportResult(Public, kw_only=True):
    """What ``semantest import --json`` prints."""

    schema: int = IMPORT_SCHEMA
    directory: str
    dry_run: bool
    runs: list[ImportedRun]
    unread: list[str]


def import_lines(result: ImportResult) -> Iterator[str]:
    """A line for each file, and what became of the runs."""
    words = {
        "imported": "stored as run {}",
        "known": "run {} has it already; nothing was stored",
        "waiting": "written as run {}, which no recorder has yet",
        "planned": "would be run {}",
    }
    for run in result.runs:
        for file in run.files:
            title = FORMATS[file.format].title
            kind = title if file.tool.lower() in title.lower() else f"{title} of {file.tool}"
            cut = " before what cannot be read" if file.problem else ""
            yield inert_line(f"{file.file}: {kind}, {plural(file.tests, 'test')}{cut}")
        said = words[run.outcome].format(run.run)
        state = run_state_words(run.state, run.gaps, run.counts.total, run.quarantined)
        yield inert_line(f"{said}: {state}, {count_words(run.counts)}")
