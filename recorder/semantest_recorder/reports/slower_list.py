"""Tests that take longer, or less, than they did: the public shape of ``semantest slower`` and its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from semantest_recorder.core.analysis.time_shift import Shift
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import REPORT_SCHEMA, Public
from semantest_recorder.reports.run_diff import TimeMethod
from semantest_recorder.reports.window import WindowInfo, window_words
from semantest_recorder.reports.wording import duration, percent, plural

if TYPE_CHECKING:
    from rich.text import Text

_HEADINGS = ("before", "now", "times", "passes", "test")


class ShiftedTest(Public):
    """A test: the medians of its passes before and since, and how many there were of each.

    ``score``: how many spreads of the earlier times lie between; ``p``: how often chance alone would do that, at most.
    """

    id: str
    before_ms: float
    now_ms: float
    passes_before: int
    passes_now: int
    score: float
    p: float


class SlowerList(Public, kw_only=True):
    """What ``semantest slower --json`` prints, the largest difference first.

    ``before`` and ``later`` are the runs on either side of ``since``; ``compared``: how many tests passed on both.
    ``total_slower`` and ``total_faster``: how many there are without ``--limit``.
    """

    schema: int = REPORT_SCHEMA
    since: str
    before: WindowInfo
    later: WindowInfo
    compared: int
    total_slower: int
    total_faster: int
    slower: list[ShiftedTest]
    faster: list[ShiftedTest]
    times: TimeMethod


class Compared(NamedTuple):
    """How many tests were compared, and by which ``factor`` all of them together took longer."""

    tests: int
    factor: float


def slower_list(
    since: str,
    sides: tuple[WindowInfo, WindowInfo],
    found: Sequence[tuple[Shift, int]],
    compared: Compared,
    limit: int | None,
) -> SlowerList:
    """The list. ``sides``: the runs before and since; ``found``: each with the number of its passes since."""
    slower = [_test(shift, passes) for shift, passes in found if shift.score > 0]
    faster = [_test(shift, passes) for shift, passes in found if shift.score <= 0]
    return SlowerList(
        since=since,
        before=sides[0],
        later=sides[1],
        compared=compared.tests,
        total_slower=len(slower),
        total_faster=len(faster),
        slower=slower[:limit],
        faster=faster[:limit],
        times=TimeMethod(run_factor=round(compared.factor, 3)),
    )


def _test(shift: Shift, passes: int) -> ShiftedTest:
    return ShiftedTest(shift.test_id, shift.usual_ms, shift.now_ms, shift.passes, passes, shift.score, shift.p)


def method_words(found: SlowerList) -> str:
    """What counts as slower, and how many tests could be compared."""
    method = found.times
    floor = f"{duration(method.floor_ms)} and {percent(method.floor_share)}"
    words = (
        f"{plural(found.compared, 'test')} passed on both sides; listed are those that changed by {floor} or more, "
        f"beyond the noise of {method.passes_min} earlier passes at least"
    )
    factor = f"{method.run_factor:.2f}"
    return words if factor == "1.00" else f"{words}. All took {factor} times as long, which is taken out"


def slower_lines(found: SlowerList) -> Iterator[Text]:
    """The list for a terminal."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    later, before = (inert_line(window_words(one)) for one in (found.later, found.before))
    yield Text(f"Since {inert_line(found.since)}: {later}")
    yield Text(f"Before: {before}")
    yield Text(method_words(found), "dim")
    if not found.slower and not found.faster:
        yield Text("No test became slower or faster")
    yield from _section("Slower", found.slower, found.total_slower, "bold red")
    yield from _section("Faster", found.faster, found.total_faster, "green")


def _section(title: str, tests: Sequence[ShiftedTest], total: int, style: str) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415

    from semantest_recorder.reports.columns import columns  # noqa: PLC0415

    if not tests:
        return
    yield Text()
    yield Text(f"{title} ({total})", style)
    yield from columns(_HEADINGS, [_cells(test) for test in tests], _HEADINGS[:-1])
    if total > len(tests):
        yield Text(f"... and {total - len(tests)} more: --limit 0 shows all")


def _cells(test: ShiftedTest) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415

    times = f"{test.now_ms / test.before_ms:.2f}" if test.before_ms else ""
    passes = f"{test.passes_before}, {test.passes_now}"
    return [
        Text(part) for part in (duration(test.before_ms), duration(test.now_ms), times, passes, inert_line(test.id))
    ]
