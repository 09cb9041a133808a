"""How often one test is flaky, and how sure that is."""

from __future__ import annotations

from semantest_recorder.core.analysis.flakiness import Flakiness
from semantest_recorder.core.analysis.proportion import wilson_interval
from semantest_recorder.reports.report import Public
from semantest_recorder.reports.wording import percent, plural


class FlakyRate(Public):
    """A test flaked in ``flaky_runs`` of the ``runs`` that judged it, at least one: ``rate``, its 95 % interval.

    Of a test that never did, ``rate`` is 0 and ``high`` what its rate may still be. ``status`` as of the list of flaky
    tests (``null``: never flaky). ``broken_runs``: how many runs failed as a whole, and were left out.
    """

    runs: int
    flaky_runs: int
    rate: float
    low: float
    high: float
    status: str | None
    broken_runs: int


def flaky_rate(found: Flakiness | None, judged: int, broken_runs: int) -> FlakyRate | None:
    """The rate of a test that ``judged`` runs judged; ``found``: its flakiness, if it ever was flaky."""
    if not judged:
        return None
    flaky_runs = len(found.flaky_runs) if found else 0
    low, high = wilson_interval(flaky_runs, judged)
    return FlakyRate(judged, flaky_runs, flaky_runs / judged, low, high, found.status if found else None, broken_runs)


def flaky_rate_words(told: FlakyRate) -> str:
    """``flaky in 3 of 40 runs: 7.5 %, likely 2.6 % to 19.9 %``."""
    left_out = f"; {plural(told.broken_runs, 'run')} left out, in which much failed at once" if told.broken_runs else ""
    if not told.flaky_runs:
        return f"never flaky in {plural(told.runs, 'run')}: a rate above {percent(told.high)} is unlikely{left_out}"
    likely = f"likely {percent(told.low)} to {percent(told.high)}"
    return f"flaky in {told.flaky_runs} of {plural(told.runs, 'run')}: {percent(told.rate)}, {likely}{left_out}"
