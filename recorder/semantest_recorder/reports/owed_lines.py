"""What runs still owe, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from semantest_recorder.core.rerun_chain import Owed
from semantest_recorder.reports.attempt_lines import STYLES
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import plural, run_names, state_word


def owed_lines(owed: Owed, limit: int) -> Iterator[Text]:
    """How the runs stand together, and the tests that are owed, at most ``limit`` of them (0: all)."""
    others = [run_id for run_id in owed.chain if run_id not in owed.runs]
    head = run_names(owed.runs) + (f", together with {run_names(others)}" if others else "")
    yield Text(f"{head}: ").append(standing(owed), STYLES.get(owed.state, ""))
    tests = [(test_id, told) for test_id, told in owed.tests.items() if told.owed]
    for test_id, told in tests[: limit or None]:
        yield Text("  ").append(f"{state_word(told.state):<12}", STYLES.get(told.state, "")).append(inert_line(test_id))
    if limit and len(tests) > limit:
        yield Text(f"  ... and {len(tests) - limit} more (--limit 0 shows all)", "dim")


def chain_lines(owed: Owed, limit: int) -> Iterator[Text]:
    """The same at the end of a report."""
    yield Text()
    yield Text("With its reruns", "bold")
    for line in owed_lines(owed, limit):
        yield Text("  ").append_text(line)


def standing(owed: Owed) -> str:
    """``passed, nothing outstanding of 200 tests``; ``failed, 5 of 200 tests outstanding``."""
    number, of = owed.outstanding, plural(len(owed.tests), "test")
    words = f"{number} of {of} outstanding" if number else f"nothing outstanding of {of}"
    if not owed.complete:
        words += ", and tests that nobody knows: not all were named"
    if owed.missing:
        words += f", and what was owed by {run_names(owed.missing)}, not there any more"
    return f"{'still running' if owed.state == 'running' else owed.state}, {words}"
