"""What selection tells the user in the terminal. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.selection.owed import Owed
from pytest_semantest.selection.request import Request
from pytest_semantest.selection.snapshot import Snapshot

#: How many of the tests that were left out are named.
NAMED = 3
_ID_SHOWN = 200


def header_line(request: Request, snapshot: Snapshot | None, owed: Owed | None = None) -> str:
    """What selects, and by what: above the tests."""
    parts = []
    if owed is not None:
        parts.append(f"rerun of {run_words(owed)}, which owes {owed.outstanding} of {plural(len(owed.tests), 'test')}")
    if request.shard is not None:
        parts.append(f"shard {request.shard.number} of {request.shard.of}")
    if request.budget_ms is not None:
        parts.append(f"budget {seconds(request.budget_ms)}")
    if request.order:
        parts.append(f"order {request.order}")
    if request.times > 1:
        parts.append(f"new tests up to {request.times} times")
    by = f", by {_basis(snapshot)}" if request.goes_by_history else ""
    return f"semantest: {', '.join(parts)}{by}"


def run_words(owed: Owed) -> str:
    """``run 20261121-093000-a1b2c3``; of several the first ones."""
    named = ", ".join(map(printable_line, owed.runs[:NAMED]))
    more = f" and {len(owed.runs) - NAMED} more" if len(owed.runs) > NAMED else ""
    return f"run{'' if len(owed.runs) == 1 else 's'} {named}{more}"


def _basis(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return "nothing: no snapshot"
    newest = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(snapshot.until_ms / 1000))
    return f"{plural(snapshot.runs, 'run')} up to {newest}"


def missing_line(request: Request, note: str) -> str:
    """What it means that there is no snapshot, or only an old one."""
    without = []
    if request.order:
        without.append("the order is as collected")
    if request.budget_ms is not None:
        without.append("the budget leaves nothing out")
    if request.shard is not None:
        without.append("shards get equal numbers of tests")
    if request.times > 1:
        without.append("no test runs more than once")
    return f"{note}; {', '.join(without)}"


def summary_lines(facts: Mapping[str, Any], left_out: Sequence[str]) -> Iterator[str]:
    """What was selected; ``left_out`` are the first of the tests that are beyond the budget."""
    number, shard, budget = facts["collected"], facts.get("shard"), facts.get("budget")
    if shard is not None:
        others = facts["leftOut"]["shard"]
        yield f"shard {shard['index']} of {shard['of']}: {number - others} of {plural(number, 'test')}"
    if budget is None:
        return
    beyond, limit = facts["leftOut"]["budget"], seconds(budget["limitMs"])
    if budget["expectedMs"] > budget["limitMs"]:
        always = "the one test" if budget["always"] == 1 else f"the {budget['always']} tests"
        yield (
            f"{always} that always run (new, changed, failed last) take about {seconds(budget['expectedMs'])},"
            f" more than the budget of {limit}"
        )
    if beyond:
        shown = ", ".join(printable_line(test_id)[:_ID_SHOWN] for test_id in left_out[:NAMED])
        more = f" and {beyond - NAMED} more" if beyond > NAMED else ""
        yield f"NOT RUN: {plural(beyond, 'test')} left out by the budget of {limit}: {shown}{more}"
    else:
        yield f"all tests fit into the budget of {limit}"


def seconds(milliseconds: float) -> str:
    """``90 s``, ``1.5 s``."""
    return f"{milliseconds / 1000:.1f}".removesuffix(".0") + " s"


def plural(number: int, noun: str) -> str:
    """``1 test``, ``2 tests``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
