"""What the live page shows, in sections that are sent again when they change; its template draws the same (pure).

Every text is inert here already: the page's script puts it into the page as text, and as nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from semantest_recorder.core.live_log import LogLine
from semantest_recorder.core.stack_dump import StackDump
from semantest_recorder.pages.run_words import bar_parts, by_severity, counted, state_count
from semantest_recorder.pages.words import run_address
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, iso_time
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.live import LatestFailure, LiveView, RunningTest
from semantest_recorder.reports.live_look import LiveLook
from semantest_recorder.reports.state_letters import LETTERS, NO_LETTER
from semantest_recorder.reports.wording import is_so_far, run_state_words, state_word

Section = dict[str, Any] | list[Any]
_TO_COME = ("running", "pending")
_MESSAGE_MAX, _STACK_MAX = 600, 64 * 1024


def sections_of(look: LiveLook) -> dict[str, Section]:
    """All sections but the log and the stacks, which only grow.

    ``head``: words and times; ``bar``: (state, x, width) of 100; ``counts``: (state, words); ``running``: a row
    for each test that runs; ``idle``: names of workers; ``failures``, newest first; ``waiting``: the tests that come
    next, and how many.
    """
    view = look.view
    run = view.run
    return {
        "head": _head(look),
        "bar": _bar(view),
        "counts": [[state, state_count(state, number)] for state, number in by_severity(view.counts)],
        "running": [_running(run, test) for test in sorted(view.running, key=lambda test: (test.worker, test.test_id))],
        "idle": [inert_line(worker) for worker in look.idle],
        "failures": [_failure(run, failure) for failure in view.failures],
        "waiting": {
            "tests": [inert_line(test_id) for test_id in look.waiting],
            "total": view.counts.pending or 0,
        },
    }


def log_section(lines: Sequence[LogLine]) -> list[dict[str, Any]]:
    """The lines of the log, oldest first."""
    return [
        {
            "time": iso_time(line.time_ms),
            "worker": inert_line(line.worker),
            "state": line.state if line.state in LETTERS else "",
            "words": inert_line(line.words),
            "test": inert_line(line.test_id or ""),
        }
        for line in lines
    ]


def stack_section(dumps: Iterable[StackDump]) -> list[dict[str, Any]]:
    """The stack dumps; ``key`` names each, for one may be told twice."""
    return [
        {
            "key": f"{dump.worker} {dump.time_ms}",
            "time": iso_time(dump.time_ms),
            "worker": inert_line(dump.worker),
            "test": inert_line(dump.test_id or ""),
            "text": inert(dump.text[-_STACK_MAX:]),
            "problem": inert_line(dump.problem),
        }
        for dump in dumps
    ]


def _head(look: LiveLook) -> dict[str, Any]:
    view = look.view
    closed = view.state in CLOSED_RUN_STATES
    state = "pending" if is_so_far(view.state, view.shards_missing) else view.state
    return {
        "state": state,
        "letter": LETTERS.get(state, NO_LETTER),
        "words": _state_words(view),
        "closed": closed,
        "checkout": " ".join(inert_line(told) for told in look.checkout if told),
        "progress": _progress_words(view, closed=closed),
        "done": view.done,
        "total": view.counts.total,
        "startedMs": look.started_ms,
        "endedMs": look.ended_ms if closed else None,
        "rate": _rate_words(look.rate) if not closed else "",
        "leftMs": round(look.left_ms, -2) if look.left_ms is not None and not closed else None,
        "stopReason": inert_line(view.stop_reason or ""),
    }


def _bar(view: LiveView) -> list[list[Any]]:
    """What is over first, what is still to come last: the bar fills from its beginning."""
    parts = bar_parts(view.counts)
    parts.sort(key=lambda part: _TO_COME.index(part[0]) if part[0] in _TO_COME else -1)
    bar, x = [], 0.0
    for state, _x, width in parts:
        bar.append([state, round(x, 3), width])
        x += width
    return bar


def _state_words(view: LiveView) -> str:
    shards = (view.shard_count, view.shards_missing)
    return inert_line(run_state_words(view.state, view.gaps, view.counts.total, view.quarantined, shards=shards))


def _progress_words(view: LiveView, *, closed: bool) -> str:
    if not view.counts.total:
        return "no tests" if closed else "collecting tests"
    return f"{view.done:,} of {counted(view.counts.total, 'test')}"


def _rate_words(rate: float | None) -> str:
    if rate is None:
        return ""
    if rate < 1:
        return f"{rate * 60:.0f} tests/min"
    return f"{rate:,.0f} tests/s" if rate >= 10 else f"{rate:.1f} tests/s"


def _running(run: str, test: RunningTest) -> dict[str, Any]:
    return {
        "worker": inert_line(test.worker),
        "test": inert_line(test.test_id),
        "href": run_address(run, "/test", id=test.test_id),
        "attempt": test.attempt,
        "phase": inert_line(test.phase),
        "startedMs": test.started_ms,
        "usualMs": test.usual_ms,
        "p95Ms": test.p95_ms,
    }


def _failure(run: str, failure: LatestFailure) -> dict[str, Any]:
    return {
        "test": inert_line(failure.test_id),
        "href": run_address(run, "/test", id=failure.test_id),
        "state": failure.state,
        "letter": LETTERS.get(failure.state, NO_LETTER),
        "word": state_word(failure.state),
        "message": inert((failure.message or "").strip())[:_MESSAGE_MAX],
        "forgiven": failure.forgiven,
        "time": iso_time(failure.ended_ms),
    }
