"""How numbers, moments and states read in a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Counts, RunHead, RunInfo

#: Exit codes of ``semantest`` (docs/reference): what a script can rely on.
EXIT_GREEN: Final = 0
EXIT_NOT_GREEN: Final = 1
EXIT_USAGE: Final = 2
EXIT_NOTHING: Final = 3
EXIT_RUNNING: Final = 4

_WORDS = {
    "pending": "not started yet",
    "running": "still running",
    "passed": "passed",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
    "timeout": "out of time",
}
#: So many runs are named in one line.
_RUNS_NAMED = 5
_STATE_WORDS = {"not_run": "not run"}


def is_so_far(state: str, shards_missing: int) -> bool:
    """Whether a run passed without some of its shards: it may fail yet, and is not green."""
    return state == "passed" and shards_missing > 0


def is_green(state: str, shards_missing: int) -> bool:
    """Whether a run passed and is whole."""
    return state == "passed" and not shards_missing


def is_open(state: str, shards_missing: int) -> bool:
    """Whether more of a run may come that decides: it is not over, or passed so far."""
    return state in ("pending", "running") or is_so_far(state, shards_missing)


def exit_code_of(state: str, shards_missing: int = 0) -> int:
    """The exit code that says how a run stands: 0 green, 4 not over yet or not whole, 1 everything else."""
    if is_green(state, shards_missing):
        return EXIT_GREEN
    return EXIT_RUNNING if is_open(state, shards_missing) else EXIT_NOT_GREEN


def state_so_far(state: str, shards_missing: int) -> str:
    """``passed``, and ``passed so far`` of a run of which shards are missing; any other state as it is."""
    return "passed so far" if is_so_far(state, shards_missing) else state


def shard_words(shard_count: int, shards_missing: int) -> str:
    """``2 of 3 shards``: how many came."""
    return f"{shard_count - shards_missing} of {plural(shard_count, 'shard')}"


def run_words(run: RunHead) -> str:
    """The state of a run where there is no room for more: ``failed``, ``passed so far: 2 of 3 shards``."""
    word = state_so_far(run.state, run.shards_missing)
    if not is_so_far(run.state, run.shards_missing):
        return word
    return f"{word}: {shard_words(run.shard_count, run.shards_missing)}"


def run_state_words(
    state: str, gaps: int, tests: int, quarantined: int, left_out: int = 0, shards: tuple[int, int] = (0, 0)
) -> str:
    """``failed, 2 records missing``: what came of a run, and whether all of it is known.

    A run without ``tests`` may have passed, as those of clients that only log: it is not called so without a word.
    Nor is one whose ``quarantined`` tests failed, or of which shards are missing: ``passed so far: 2 of 3 shards``
    (``shards``: of how many it is, and how many of them did not come).
    """
    words = _WORDS.get(state, state)
    if is_so_far(state, shards[1]):
        words = f"{state_so_far(state, shards[1])}: {shard_words(*shards)}"
    words += ", no tests" if state == "passed" and not tests else ""
    if quarantined:
        words += f", {plural(quarantined, 'test')} failed in quarantine"
    words += f", {plural(left_out, 'test')} left out by budget" if left_out else ""
    return f"{words}, {plural(gaps, 'record')} missing" if gaps else words


def state_in_words(run: RunInfo, tests: int) -> str:
    """``failed, 2 records missing, stopped early`` and the like, of a run with so many tests."""
    early = run.stopped_early and run.state not in ("interrupted", "cancelled")
    shards = (run.shard_count, run.shards_missing)
    return run_state_words(run.state, run.gaps, tests, run.quarantined, run.left_out, shards) + (
        ", stopped early" if early else ""
    )


def count_words(counts: Counts, *, separator: str = ", ") -> str:
    """``12 tests: 10 passed, 2 failed``: every state that is not zero."""
    total = f"{counts.total} test{'' if counts.total == 1 else 's'}"
    parts = [count_word(state, number) for state, number in nonzero(counts)]
    return f"{total}: {separator.join(parts)}" if parts else total


def nonzero(counts: Counts) -> list[tuple[str, int]]:
    """``(state, number)`` of every state that is not zero, good ones first."""
    numbers = msgspec.to_builtins(counts)
    order = (*FINAL_STATES, "running", "pending")
    return [(state, numbers[state]) for state in order if numbers.get(state)]


def count_word(state: str, number: int) -> str:
    """``3 failed``, ``2 errors``."""
    return plural(number, "error") if state == "error" else f"{number} {state_word(state)}"


def state_word(state: str) -> str:
    """The name of a test's state as a reader says it."""
    return _STATE_WORDS.get(state, state)


def duration(milliseconds: float | None) -> str:
    """``3 ms``, ``1.24 s``, ``2 min 5 s``, ``2 min``, ``1 h 4 min``; ``?`` for one that is unknown, or no number."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return "?"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms" if milliseconds >= 9.95 else f"{milliseconds:.1f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def moment(milliseconds: float | None) -> str:
    """A moment in local time: ``2026-11-21 09:30:00 CET``; ``unknown`` for none or one out of range."""
    return _local_time(milliseconds, "%Y-%m-%d %H:%M:%S %Z")


def day_and_minute(milliseconds: float | None) -> str:
    """The same where there is little room: ``11-21 09:30``."""
    return _local_time(milliseconds, "%m-%d %H:%M")


def _local_time(milliseconds: float | None, form: str) -> str:
    if milliseconds is None:
        return "unknown"
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime(form).rstrip()
    except (OverflowError, OSError, ValueError):
        return "unknown"


def percent(share: float) -> str:
    """``24.5 %``; never 0 or 100 for what is neither."""
    tenths = round(share * 1000)
    if tenths == 0 and share > 0:
        return "<0.1 %"
    if tenths == 1000 and share < 1:
        return ">99.9 %"
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


def plural(number: int, noun: str) -> str:
    """``1 warning``, ``2 warnings``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def run_names(run_ids: Sequence[str]) -> str:
    """``run A``, ``runs A, B``; of many the first ones. They come from whoever recorded them."""
    named = ", ".join(inert_line(run_id) for run_id in run_ids[:_RUNS_NAMED])
    more = f" and {len(run_ids) - _RUNS_NAMED} more" if len(run_ids) > _RUNS_NAMED else ""
    return f"{'run' if len(run_ids) == 1 else 'runs'} {named}{more}"


def shortened(text: str, most: int) -> str:
    """The text, of a longer one so many characters and ``...``."""
    return text if len(text) <= most else f"{text[:most]}..."


def size(number: float) -> str:
    """Bytes for people: ``312 B``, ``4.1 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    raise AssertionError("unreachable")
