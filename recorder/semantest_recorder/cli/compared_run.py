"""What changed against the run that a gate compares with."""

from __future__ import annotations

import gc
from contextlib import closing
from pathlib import Path

from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.cli.run_difference import run_difference
from semantest_recorder.cli.stored_history import StoredHistory
from semantest_recorder.core.gate import Compared
from semantest_recorder.store.analysis_runs import AnalysisRuns
from semantest_recorder.store.errors import BranchNotFound, NoDatabase, RunNotFound
from semantest_recorder.store.identity import read_identity


def compared_run(folder: Path, run_id: str, branch: str | None) -> Compared | str:
    """The run against the last one of ``branch``, else the one before of its own branch; else why nothing is compared.

    Runs of pull requests are no runs of ``branch``: one from a fork could be called like it, and fail what it likes.
    Raises what ``Reader`` raises for a database that cannot be read.
    """
    reader = reader_of(folder)
    gc.disable()  # as for a report
    try:
        with closing(AnalysisRuns(reader.path)) as runs:
            run = reader.run_by_id(run_id)
            base = runs.run_before(run_id) if branch is None else runs.last_of_branch(branch, run_id, merged=True)
            if base is None:
                return "there is no run of its branch before it"
            history = StoredHistory(reader, runs, read_identity(reader.path))
            found = run_difference(history, reader.run_by_id(base), run)
    except BranchNotFound as error:
        return str(error)
    except (NoDatabase, RunNotFound):
        return "the run is not in the database yet, and only what is there can be compared"
    finally:
        gc.enable()
    return Compared(
        base,
        newly_failing=[change.id for change in found.newly_failing],
        slower=[change.id for change in found.slower],
        removed=[change.id for change in found.removed],
    )
