"""One test through its runs, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from semantest_recorder.reports.attempt_lines import STYLES
from semantest_recorder.reports.columns import columns
from semantest_recorder.reports.flaky_rate import flaky_rate_words
from semantest_recorder.reports.history_of_test import TestHistory
from semantest_recorder.reports.history_strip import bars, strip_lines
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.past_result import PastResult
from semantest_recorder.reports.wording import duration, moment, plural, state_word

_HEADINGS = ("run", "started", "branch", "commit", "state", "took", "")


def history_lines(history: TestHistory) -> Iterator[Text]:
    """Names, strips of states and times, and a line for each run, newest first."""
    yield Text(inert_line(history.test), "bold")
    for name in history.earlier_names:
        yield Text(f"  also called {inert_line(name)}", "dim")
    where = f" of branch {inert_line(history.branch)}" if history.branch else ""
    counts = ", ".join(f"{number} {state_word(state)}" for state, number in history.counts.items())
    yield Text(f"  {plural(len(history.runs), 'run')}{where}: {counts}")
    yield from strip_lines([run.state for run in history.runs])
    if history.usual_ms is not None:
        yield Text(f"  {bars(_took(run) for run in reversed(history.runs))}", "cyan")
        yield Text(f"  usually takes {duration(history.usual_ms)} (median of its passes)", "dim")
    if history.flaky is not None:
        yield Text(f"  {flaky_rate_words(history.flaky)}", "magenta" if history.flaky.flaky_runs else "dim")
    if history.broken_since is not None:
        yield Text(
            f"  broken since run {inert_line(history.broken_since)}; `semantest blame` looks for the cause", "red"
        )
    yield Text()
    yield from columns(_HEADINGS, [_cells(run, history.test) for run in history.runs], {"took"})


def _cells(run: PastResult, test: str) -> list[Text]:
    commit = inert_line(run.commit or "")[:10] + ("+" if run.dirty and run.commit else "")
    attempts = f" ({run.attempts} attempts)" if run.attempts > 1 else ""
    return [
        Text(inert_line(run.run)),
        Text(moment(run.started_ms)),
        Text(inert_line(run.branch or "")),
        Text(commit),
        Text(state_word(run.state) + attempts, STYLES.get(run.state, "")),
        Text("" if (took := _took(run)) is None else duration(took)),
        Text(f"as {inert_line(run.test)}" if run.test != test else "", "dim"),
    ]


def _took(run: PastResult) -> float | None:
    """Milliseconds; ``None`` of a test that never started."""
    return run.duration_ms if run.attempts else None
