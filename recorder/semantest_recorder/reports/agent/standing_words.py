"""How a failure stands among earlier runs, in words for a coding agent."""

from __future__ import annotations

from semantest_recorder.core.analysis import standing as kinds
from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.core.analysis.standing import Standing
from semantest_recorder.reports.agent.tokens import plain_name
from semantest_recorder.reports.wording import plural

_COMMIT = 10


def standing_words(standing: Standing | None) -> str:
    """``new: it was good in run A (commit B)``, ``failing since run A, 4 runs``, and the like; empty for ``None``."""
    if standing is None:
        return ""
    words = _kind_words(standing)
    if standing.retried:
        words += f"; passed only on a retry in {standing.retried} of {plural(standing.judged, 'earlier run')}"
    return words


def _kind_words(standing: Standing) -> str:
    good, bad = standing.last_good, standing.first_bad
    before = f"passed in {run_words(good)}" if good is not None else ""
    if standing.kind == kinds.NEW:
        return f"new: {standing.newness(run_words)}"
    if standing.kind == kinds.FLAKY:
        return f"known flaky: it passed with the same code{f', last in {run_words(good)}' if good is not None else ''}"
    if standing.kind == kinds.FAILING and bad is not None:
        last = f", last {before}" if before else ""
        return f"failing since {run_words(bad)}, {plural(standing.bad_runs, 'run')}{last}"
    return f"failing in every run that is known, {plural(standing.bad_runs, 'run')}"


def run_words(run: PastRun) -> str:
    """``run A (commit B)``, ``with changes`` where files were changed since that commit."""
    name, commit = plain_name(run.run_id), plain_name(run.commit or "")[:_COMMIT]
    return f"run {name} (commit {commit}{' with changes' if run.dirty else ''})" if commit else f"run {name}"
