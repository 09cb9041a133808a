"""What changed against the run that a gate compares with."""

from __future__ import annotations

import gc
from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.answers.run_difference import run_difference
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.core.gate import Compared
from semantest_recorder.store.errors import BranchNotFound, NoDatabase, RunNotFound


def compared_run(folder: Path, run_id: str, branch: str | None) -> Compared | str:
    """The run against the last one of ``branch``, else the one before of its own branch; else why nothing is compared.

    Runs of pull requests are no runs of ``branch``: one from a fork could be called like it, and fail what it likes.
    Raises what ``Reader`` raises for a database that cannot be read.
    """
    gc.disable()  # as for a report
    try:
        with stored_history(folder / DATABASE) as history:
            reader, runs = history.reader, history.runs
            run = reader.run_by_id(run_id)
            base = runs.run_before(run_id) if branch is None else runs.last_of_branch(branch, run_id, merged=True)
            if base is None:
                return "there is no run of its branch before it"
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
