"""From what was collected to what runs: shard, then rerun, then budget, then order; and what of it runs several times.

Pure: alike in every process of a session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pytest_semantest.selection.budget import Chosen, within_budget
from pytest_semantest.selection.candidate import Collected, Suite, with_history
from pytest_semantest.selection.order import ordered
from pytest_semantest.selection.owed import Owed
from pytest_semantest.selection.renamed import under_new_names
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
    """Positions of the tests that run, in their order, of those left out, and of those that run several times.

    ``facts`` is the payload of ``run/selection`` (docs/design/events.md).
    """

    runs: list[int]
    of_other_shards: list[int]
    beyond_budget: list[int]
    facts: dict[str, Any]
    not_owed: Sequence[int] = ()
    rest: Rest | None = None
    repeated: Sequence[int] = ()


def choose(
    collected: Sequence[Collected],
    request: Request,
    snapshot: Snapshot | None,
    workers: int,
    debt: Debt | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Choice:
    """What runs of the collected tests on so many processes. Without a snapshot there is no budget and no order.

    Shards come first: which tests are in one must not depend on what was rerun since another one began, nor on
    ``renamed`` (new ids of tests to those in the snapshot), which options other than theirs decide about.
    """
    left = list(range(len(collected)))
    times = request.times if snapshot is not None and snapshot.tests else 1
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
    if snapshot is not None and renamed:
        snapshot = under_new_names(snapshot, renamed)
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
        chosen = within_budget(_part(collected, left, snapshot, times), request.budget_ms, workers)
        kept = {left[position] for position in chosen.positions}
        beyond = [at for at in left if at not in kept]
        left = [at for at in left if at in kept]
        facts["budget"] = _budget_facts(request.budget_ms, chosen, workers)
        facts["leftOut"]["budget"] = len(beyond)
    if request.order and snapshot is not None:
        left = [left[position] for position in ordered(_part(collected, left, snapshot, times), request.order)]
        facts["order"] = request.order
    repeated = _never_passed(collected, left, snapshot) if times > 1 else []
    if times > 1:
        facts["repeat"] = {"times": times, "tests": len(repeated)}
    return Choice(left, others, beyond, facts, not_owed, rest, repeated)


def _never_passed(collected: Sequence[Collected], positions: Sequence[int], snapshot: Snapshot | None) -> list[int]:
    candidates = with_history([collected[at] for at in positions], snapshot).candidates
    return [at for at, candidate in zip(positions, candidates, strict=True) if candidate.never_passed]


def _budget_facts(budget_ms: float, chosen: Chosen, workers: int) -> dict[str, Any]:
    expected = round(chosen.expected_ms, 1)
    return {"limitMs": budget_ms, "expectedMs": expected, "workers": workers, "always": chosen.always}


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


def _part(collected: Sequence[Collected], positions: Sequence[int], snapshot: Snapshot, times: int) -> Suite:
    """Some of the tests with their history; those that run so many times take as much longer."""
    suite = with_history([collected[at] for at in positions], snapshot)
    if times == 1:
        return suite
    return suite._replace(
        candidates=[one._replace(own_ms=one.own_ms * times) if one.never_passed else one for one in suite.candidates]
    )
