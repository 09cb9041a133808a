"""What a run has to do with its reruns, in one sentence."""

from __future__ import annotations

from semantest_recorder.reports.report import Report
from semantest_recorder.reports.wording import plural, run_names


def chain_words(report: Report) -> str | None:
    """``reruns 5 of 200 tests of run X; outstanding after it: 0, together they passed``; ``None`` without reruns."""
    run, chain = report.run, report.chain
    if chain is None:
        return None
    if run.rerun_of:
        words = f"reruns {report.counts.total} of {plural(chain.tests, 'test')} of {run_names(run.rerun_of)}"
    else:
        words = f"rerun by {run_names([run_id for run_id in chain.runs if run_id != run.id])}"
    words += f"; outstanding {'after it' if chain.runs[-1:] == [run.id] else 'by now'}: {chain.outstanding}"
    if chain.missing:
        return f"{words}, and what {run_names(chain.missing)} owed, not there any more"
    if not chain.complete:
        return f"{words}, and tests that no run names"
    return f"{words}, together they passed" if chain.state == "passed" else words
