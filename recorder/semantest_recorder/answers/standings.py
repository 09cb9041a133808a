"""How failures of a run stand among the runs of its branch before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.core.analysis.standing import Standing, standing

#: So many runs of a test are looked at, the last ones.
_RUNS = 30


def standings(
    database: Path, run_id: str, since_ms: float | None, branch: str | None, test_ids: Sequence[str]
) -> Mapping[str, Standing]:
    """How each of these tests stands, which failed in the run ``run_id``.

    That run started at ``since_ms`` (ms since the epoch) on ``branch`` (``None``: on none). It may be in no database
    yet. Raises what ``Reader`` raises.
    """
    found: dict[str, Standing] = {}
    with stored_history(database) as history:
        for test_id in test_ids:
            past = history.runs.history(history.identity.ids_of(test_id), branch, _RUNS + 1)
            up_to = [
                run
                for run in past
                if run.branch == branch
                and (run.run_id == run_id or since_ms is None or (run.since_ms or 0.0) < since_ms)
            ]
            own = [run for run in up_to if run.run_id == run_id]  # of two that began at once it is the later one
            found[test_id] = standing([*reversed([run for run in up_to if run.run_id != run_id]), *own], run_id)
    return found
