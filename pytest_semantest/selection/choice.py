"""From what was collected to what runs: shard, then budget, then order. Pure: alike in every process of a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pytest_semantest.selection.budget import within_budget
from pytest_semantest.selection.candidate import Collected, Suite, with_history
from pytest_semantest.selection.order import ordered
from pytest_semantest.selection.request import Request
from pytest_semantest.selection.shard import checksum_of, shards
from pytest_semantest.selection.snapshot import Snapshot


class Choice(NamedTuple):
    """Positions of the tests that run, in their order, and of those left out.

    ``facts`` is the payload of ``run/selection`` (docs/design/events.md).
    """

    runs: list[int]
    of_other_shards: list[int]
    beyond_budget: list[int]
    facts: dict[str, Any]


def choose(collected: Sequence[Collected], request: Request, snapshot: Snapshot | None, workers: int) -> Choice:
    """What runs of the collected tests on so many processes. Without a snapshot there is no budget and no order."""
    left = list(range(len(collected)))
    facts: dict[str, Any] = {"collected": len(left), "leftOut": {}}
    if snapshot is not None:
        facts["snapshot"] = {"checksum": snapshot.checksum, "runs": snapshot.runs, "untilMs": snapshot.until_ms}
    others: list[int] = []
    if request.shard is not None:
        own = set(shards(with_history(collected, snapshot), request.shard.of)[request.shard.number - 1])
        others = [at for at in left if at not in own]
        left = [at for at in left if at in own]
        facts["shard"] = {"index": request.shard.number, "of": request.shard.of}
        facts["checksum"] = checksum_of([test.id for test in collected])
        facts["leftOut"]["shard"] = len(others)
    beyond: list[int] = []
    if request.budget_ms is not None and snapshot is not None:
        suite = _part(collected, left, snapshot)
        chosen = within_budget(suite, request.budget_ms, workers)
        kept = {left[position] for position in chosen.positions}
        beyond = [at for at in left if at not in kept]
        left = [at for at in left if at in kept]
        facts["budget"] = {
            "limitMs": request.budget_ms,
            "expectedMs": round(chosen.expected_ms, 1),
            "workers": workers,
            "always": chosen.always,
        }
        facts["leftOut"]["budget"] = len(beyond)
    if request.order and snapshot is not None:
        left = [left[position] for position in ordered(_part(collected, left, snapshot), request.order)]
        facts["order"] = request.order
    return Choice(left, others, beyond, facts)


def _part(collected: Sequence[Collected], positions: Sequence[int], snapshot: Snapshot) -> Suite:
    return with_history([collected[at] for at in positions], snapshot)
