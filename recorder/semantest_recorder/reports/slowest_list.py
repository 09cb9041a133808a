"""What takes the time: the public shape of ``semantest slowest`` and its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from semantest_recorder.core.analysis.durations import Durations, Sample, last_change
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import REPORT_SCHEMA, Public
from semantest_recorder.reports.window import RunPlace, WindowInfo, place_words, run_place, window_words
from semantest_recorder.reports.wording import duration, percent

if TYPE_CHECKING:
    from rich.text import Text

_PLURAL = {"test": "tests", "file": "files", "suite": "suites"}


class DurationChange(Public):
    """From ``run`` on the median time in a run is ``after_ms`` instead of ``before_ms``; ``p``: by chance alone."""

    run: RunPlace
    before_ms: float
    after_ms: float
    p: float


class SlowEntry(Public):
    """A test, file or suite. Of a test ``times`` are attempts, of the others runs; ``share``: of all time spent."""

    id: str
    times: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    total_ms: float
    share: float
    change: DurationChange | None


class SlowestList(Public, kw_only=True):
    """What ``semantest slowest --json`` prints, the slowest first. ``total``: how many there are without ``--limit``.

    ``total_ms``: the time that all tests spent in these runs, in ``phase`` (``None``: in all).
    """

    schema: int = REPORT_SCHEMA
    window: WindowInfo
    by: str
    sort: str
    phase: str | None
    total: int
    total_ms: float
    entries: list[SlowEntry]


def slow_entry(
    name: str, samples: Sequence[Sample], found: Durations, all_ms: float, runs: Sequence[WindowRun]
) -> SlowEntry:
    """One line of the list; ``all_ms``: the time that all spent."""
    change = last_change(samples)
    return SlowEntry(
        id=name,
        times=found.number,
        p50_ms=found.p50,
        p95_ms=found.p95,
        max_ms=found.longest,
        total_ms=found.total,
        share=found.total / all_ms if all_ms else 0.0,
        change=change and DurationChange(run_place(runs[change.run]), change.before, change.after, change.p),
    )


def slowest_lines(found: SlowestList) -> Iterator[Text]:
    """The list for a terminal; below what got slower or faster for good, since when."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    from semantest_recorder.reports.columns import columns  # noqa: PLC0415

    spent = f"{duration(found.total_ms)} in {found.phase or 'all phases'}"
    of = inert_line(window_words(found.window))
    yield Text(f"Slowest {_PLURAL[found.by]} by {found.sort}, of {spent}, in {of}")
    if not found.entries:
        return
    yield Text()
    headings = ("p50", "p95", "max", "total", "share", "times", found.by)
    heading, *lines = columns(headings, [_cells(entry) for entry in found.entries], headings[:-1])
    yield heading
    for line, entry in zip(lines, found.entries, strict=True):
        yield line
        if entry.change is not None:
            yield _change_line(entry.change)
    if found.total > len(found.entries):
        yield Text(f"... and {found.total - len(found.entries)} more: --limit 0 shows all")


def _cells(entry: SlowEntry) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415

    times = (entry.p50_ms, entry.p95_ms, entry.max_ms, entry.total_ms)
    numbers = [*map(duration, times), percent(entry.share), str(entry.times)]
    return [*map(Text, numbers), Text(inert_line(entry.id))]


def _change_line(change: DurationChange) -> Text:
    from rich.text import Text  # noqa: PLC0415

    slower = change.after_ms > change.before_ms
    times = f"{duration(change.before_ms)} before, {duration(change.after_ms)} since {place_words(change.run)}"
    return Text(f"  {'slower' if slower else 'faster'}: {inert_line(times)}", "bold red" if slower else "green")
