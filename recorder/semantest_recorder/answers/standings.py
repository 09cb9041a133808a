"""How failures of a run stand among the runs of its branch before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.core.analysis.standing import RUNS, Standing, standing
from semantest_recorder.store.analysis_runs import RunPlace


def standings(database: Path, run_id: str, place: RunPlace, test_ids: Sequence[str]) -> Mapping[str, Standing]:
    """How each of these tests stands, which failed in the run ``run_id``.

    The run may be in no database yet: ``place`` says where it stands. Raises what ``Reader`` raises.
    """
    with stored_history(database) as history:
        names = {test_id: history.identity.ids_of(test_id) for test_id in test_ids}
        if history.runs.knows(run_id):
            past = history.runs.histories(run_id, names, RUNS + 1)
        else:
            past = history.runs.histories_before(place, names, RUNS)
    return {test_id: standing(past[test_id], run_id) for test_id in test_ids}
