"""From what was collected to what runs: shard, then rerun, then budget, then order.

Pure: alike in every process of a session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pytest_semantest.selection.budget import within_budget
from pytest_semantest.selection.candidate import Collected, Suite, with_history
from pytest_semantest.selection.order import ordered
from pytest_semantest.selection.owed import Owed
from pytest_semantest.selection.request import Request
from pytest_semantest.selection.rest import RUNS, Rest, rest_of
from pytest_semantest.selection.shard import checksum_of, shards
from pytest_semantest.selection.snapshot import Snapshot

#: So many renamed tests and mended files are recorded: of more the rest stays owed.
_TOLD_MAX = 200


class Debt(NamedTuple):
    """What earlier runs owe, and what of the suite this session does not see.

    ``elsewhere``: ids of tests that were collected and then left out by somebody else. ``whole``: there are none, and
    the command line named no tests.
    """

    owed: Owed
    elsewhere: frozenset[str]
    whole: bool


class Choice(NamedTuple):
    """Positions of the tests that run, in their order, and of those left out.

    ``facts`` is the payload of ``run/selection`` (docs/design/events.md).
    """

    runs: list[int]
    of_other_shards: list[int]
    beyond_budget: list[int]
    facts: dict[str, Any]
    not_owed: Sequence[int] = ()
    rest: Rest | None = None


def choose(
    collected: Sequence[Collected],
    request: Request,
    snapshot: Snapshot | None,
    workers: int,
    debt: Debt | None = None,
) -> Choice:
    """What runs of the collected tests on so many processes. Without a snapshot there is no budget and no order.

    Shards come first: which tests are in one must not depend on what was rerun since another one began.
    """
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
    not_owed: list[int] = []
    rest: Rest | None = None
    if debt is not None:
        rest = rest_of(collected, debt.owed, debt.elsewhere)
        not_owed = [at for at in left if rest.rules[at] not in RUNS]
        left = [at for at in left if rest.rules[at] in RUNS]
        facts["rerun"] = _rerun_facts(
            debt, rest, len(left), sees_all=debt.whole and request.shard is None and request.budget_ms is None
        )
        facts["leftOut"]["rerun"] = len(not_owed)
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
    return Choice(left, others, beyond, facts, not_owed, rest)


def _rerun_facts(debt: Debt, rest: Rest, chosen: int, *, sees_all: bool) -> dict[str, Any]:
    return {
        "of": list(debt.owed.runs),
        "owed": debt.owed.outstanding,
        "known": len(debt.owed.tests),
        "chosen": chosen,
        "gone": len(rest.gone),
        "whole": debt.whole,
        "renamed": list(rest.renamed.items())[:_TOLD_MAX],
        "mended": rest.mended[:_TOLD_MAX] if sees_all else [],
    }


def _part(collected: Sequence[Collected], positions: Sequence[int], snapshot: Snapshot) -> Suite:
    return with_history([collected[at] for at in positions], snapshot)
