"""How a run reads in pages and in exported tables."""

from __future__ import annotations

from typing import Final, Protocol

from semantest_recorder.answers.run_search import NewRun
from semantest_recorder.pages.table import Cell
from semantest_recorder.reports.report import Counts
from semantest_recorder.reports.run_list import RunSummary
from semantest_recorder.reports.wording import is_so_far, nonzero, run_state_words, state_word

RUN_COLUMNS: Final = (
    *("run", "name", "state", "started", "duration_ms", "branch", "commit", "planned", "total"),
    *("passed", "failed", "error", "flaky", "skipped", "xfailed", "xpassed", "crashed", "timeout", "interrupted"),
    *("not_run", "lost", "running", "pending", "subject", "author"),
)
_STATES: Final = RUN_COLUMNS[9:-2]


def run_cells(run: RunSummary) -> list[Cell]:
    """The run under ``RUN_COLUMNS``."""
    counts = dict(nonzero(run.counts))
    head: list[Cell] = [run.id, run.name, run.state, run.started_at, run.duration_ms, run.branch, run.commit]
    numbers = (counts.get(state, 0) for state in _STATES)
    return [*head, run.planned, run.counts.total, *numbers, run.subject, run.author]


class HowItEnded(Protocol):
    """A run, as far as its badge goes."""

    @property
    def state(self) -> str:
        """Its state."""

    @property
    def shards_missing(self) -> int:
        """How many of its shards did not come."""


def run_badge_state(run: HowItEnded) -> str:
    """The state that the badge of a run has: one that passed so far is not green."""
    return "pending" if is_so_far(run.state, run.shards_missing) else run.state


def words_of(run: RunSummary | NewRun) -> str:
    """``failed, 2 records missing``: what came of a run."""
    shards = (run.shard_count, run.shards_missing)
    tests = run.counts.total if isinstance(run, RunSummary) else 1  # nobody counted those of a run in a strip
    return run_state_words(run.state, run.gaps, tests, run.quarantined, run.left_out, shards)


#: What is bad first, then what needs a look, then what is good.
SEVERITY: Final = (
    *("failed", "error", "crashed", "timeout", "lost", "interrupted", "not_run", "flaky", "xpassed"),
    *("running", "pending", "skipped", "xfailed", "passed"),
)


def by_severity(counts: Counts) -> list[tuple[str, int]]:
    """``(state, number)`` of every state that is not zero, bad ones first."""
    return sorted(nonzero(counts), key=lambda one: SEVERITY.index(one[0]))


def counted(number: int, noun: str) -> str:
    """``1 warning``, ``10,000 warnings``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def state_count(state: str, number: int) -> str:
    """``3 failed``, ``10,000 errors``."""
    return counted(number, "error") if state == "error" else f"{number:,} {state_word(state)}"


def bar_parts(counts: Counts) -> list[tuple[str, float, float]]:
    """(state, x, width) of the parts of a bar of 100: what is bad first, and never too thin to be seen."""
    numbers = by_severity(counts)
    least, total = 3.0, max(counts.total, 1)
    widths = [(state, max(number * 100 / total, least)) for state, number in numbers]
    whole = sum(width for _state, width in widths) or 1.0
    parts, x = [], 0.0
    for state, width in widths:
        scaled = width * 100 / whole
        parts.append((state, round(x, 3), round(scaled, 3)))
        x += scaled
    return parts
