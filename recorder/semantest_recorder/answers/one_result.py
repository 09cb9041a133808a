"""One test in one run, with what leads on from there."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from semantest_recorder.answers.artifact_files import artifact_file
from semantest_recorder.answers.results import result_in_run
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.core.analysis.standing import RUNS, Standing, standing
from semantest_recorder.reports.aggregate import run_info
from semantest_recorder.reports.named_jobs import name_jobs
from semantest_recorder.reports.report import Counts, Report, TestInfo, WarningInfo
from semantest_recorder.reports.rerun import rerun_command
from semantest_recorder.store.reader import Neighbours


class OneResult(NamedTuple):
    """A test with all that is known of its attempts.

    ``standing``: of a bad one, since when. ``rerun``: the shell line, in the folder of the run, that runs a bad one
    again; ``None`` where pytest cannot. ``around``: the bad tests before and behind it in the run.
    """

    test: TestInfo
    standing: Standing | None
    rerun: str | None
    warnings: list[WarningInfo]
    around: Neighbours


def one_result(database: Path, run_id: str, test: str) -> OneResult:
    """The test that ``test`` means in the run with this id. Raises what ``result_in_run`` raises."""

    def place_of(sha256: str) -> str | None:
        path = artifact_file(database, sha256)
        return None if path is None else str(path)

    found = result_in_run(database, run_id, test, place_of).test
    with stored_history(database) as history:
        reader = history.reader
        run = reader.run_by_id(run_id)
        report = Report(
            run=run_info(run, reader.sources(run_id), 0), counts=Counts(), tests=[found], suites=[], warnings=[]
        )
        if report.run.sessions > 1:
            name_jobs(report, reader.origins(run_id))
        is_bad = found.state in BROKEN or found.state == "flaky"
        past = history.runs.histories(run_id, {found.id: history.identity.ids_of(found.id)}, RUNS + 1)
        return OneResult(
            test=found,
            standing=standing(past[found.id], run_id) if is_bad else None,
            rerun=rerun_command(report, ""),
            warnings=[
                WarningInfo(row.category, row.message, row.test_id, row.file, row.line, row.count)
                for row in reader.warnings_of(run_id, found.id)
            ],
            around=reader.bad_around(run_id, found.id),
        )
