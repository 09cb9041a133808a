"""Which of the runs that go on a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semantest_recorder.cli.stop import EXIT_NOTHING, Stop
from semantest_recorder.reports.inert import inert_line

if TYPE_CHECKING:
    from semantest_recorder.client import Client


def active_run(client: Client, name: str | None) -> str:
    """The id of the run that ``name`` means, ``None``: of the only one. Raises ``Stop``."""
    active = [str(run["runId"]) for run in client.active_runs()]
    if not active:
        raise Stop("no run goes on", EXIT_NOTHING)
    found = [run_id for run_id in active if name is None or run_id.startswith(name)]
    exact = [run_id for run_id in found if run_id == name]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise Stop(f"no run {name!r} goes on; there {_are(active)}", EXIT_NOTHING)
    raise Stop(f"several runs go on: name one; there {_are(found)}", 2)


def _are(run_ids: list[str]) -> str:
    names = inert_line(", ".join(run_ids[:5]))
    return f"{'is' if len(run_ids) == 1 else 'are'} {names}{', ...' if len(run_ids) > 5 else ''}"
