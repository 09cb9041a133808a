"""A look at a running run for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES
from semantest_recorder.reports.attempt_lines import STYLES, run_style
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.live import LatestFailure, LiveView, RunningTest
from semantest_recorder.reports.wording import (
    count_word,
    count_words,
    duration,
    is_so_far,
    nonzero,
    run_state_words,
    state_word,
)

_NAME_MAX = 200
_COLLECTING = "collecting tests"


def live_display(view: LiveView) -> Group:
    """The whole display: header, bar, counts, what each worker does, the latest failures."""
    title = Text("Run ").append(inert_line(view.run), "bold")
    if view.name:
        title.append(f" ({inert_line(view.name)})")
    title.append(": ").append(inert_line(live_state_words(view)), run_style(view.state, view.shards_missing))
    title.append(f"  {duration(view.elapsed_ms)}", "dim")
    parts: list[RenderableType] = [title]
    parts += [Text(_COLLECTING, "dim")] if _is_collecting(view) else [_bar(view), _counts(view)]
    if view.running:
        parts += [Text(), _workers(view.running)]
    if view.failures:
        parts += [Text(), Text("Latest failures", "bold"), *map(failure_line, view.failures)]
    return Group(*parts)


def live_state_words(view: LiveView) -> str:
    """``still running``, and at the end what came of it."""
    shards = (view.shard_count, view.shards_missing)
    return run_state_words(view.state, view.gaps, view.counts.total, view.quarantined, shards=shards)


def progress_words(view: LiveView) -> str:
    """``3 of 5 tests: 2 passed, 1 failed, 2 pending``."""
    return _COLLECTING if _is_collecting(view) else f"{view.done} of {count_words(view.counts)}"


def _is_collecting(view: LiveView) -> bool:
    """Whether no test is known yet of a run that goes on."""
    return not view.counts.total and view.state not in CLOSED_RUN_STATES


def _bar(view: LiveView) -> Table:
    wrong = any(not failure.forgiven for failure in view.failures) or view.state in CLOSED_RUN_STATES - {"passed"}
    style = "red" if wrong else "cyan" if is_so_far(view.state, view.shards_missing) else "green"
    total = max(view.counts.total, 1)
    bar = ProgressBar(total=total, completed=view.done, width=40, complete_style=style, finished_style=style)
    row = Table.grid(padding=(0, 1))
    row.add_row(bar, Text(f"{view.done} of {view.counts.total}"))
    return row


def _counts(view: LiveView) -> Text:
    line = Text()
    for state, number in nonzero(view.counts):
        line.append(", " if line else "").append(count_word(state, number), STYLES.get(state, ""))
    return line


def _workers(running: list[RunningTest]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("worker", "phase", "elapsed", "usually"):
        table.add_column(heading, no_wrap=True)
    table.add_column("test", no_wrap=True, overflow="ellipsis", ratio=1)
    for test in sorted(running, key=lambda entry: entry.worker):
        again = f" (attempt {test.attempt})" if test.attempt > 1 else ""
        table.add_row(
            Text(inert_line(test.worker)),
            Text(inert_line(test.phase)),
            Text(duration(test.elapsed_ms), "bold yellow" if test.slow else ""),
            Text(duration(test.usual_ms) if test.usual_ms is not None else "-", "dim"),
            Text(inert_line(test.test_id)[:_NAME_MAX] + again),
        )
    return table


def failure_line(failure: LatestFailure) -> Text:
    """``FAILED a.py::test_x - assert 1 == 2``."""
    line = Text(f"{state_word(failure.state).upper()} ", STYLES.get(failure.state, ""))
    line.append(inert_line(failure.test_id)[:_NAME_MAX])
    line.append(" (in quarantine)" if failure.forgiven else "", "yellow")
    first = inert_line((failure.message or "").strip().split("\n", 1)[0])[:_NAME_MAX]
    return line.append(f" - {first}", "dim") if first else line


def plain_lines(view: LiveView) -> Iterator[str]:
    """One look without a terminal: what each worker does."""
    for test in view.running:
        usual = f", usually {duration(test.usual_ms)}" if test.usual_ms is not None else ""
        where = f"{inert_line(test.worker)}: {inert_line(test.test_id)} in {inert_line(test.phase)}"
        yield f"{where} for {duration(test.elapsed_ms)}{usual}"
