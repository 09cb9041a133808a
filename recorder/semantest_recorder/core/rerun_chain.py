"""What a run still owes when reruns of it are taken together with it (pure). docs/design/rerun.md has the rules.

``rerunOf`` in the facts of a run names the runs whose rest it ran. The chain of a run: those that it reran, as far back
as they go, and all that reran one of these.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pytest_semantest.protocol.events import BAD_STATES
from pytest_semantest.protocol.identity import MAIN_WORKER
from pytest_semantest.protocol.owed import OWED_SCHEMA
from semantest_recorder.core.rows import ResultRow, RunRow, SourceRow
from semantest_recorder.core.selections import Selection, selections_of, shards_of

_OPEN = frozenset({"pending", "running"})
#: pytest's exit codes with which an empty plan is all that there was to run.
_NOTHING_TO_RUN = frozenset({0, 5})


class Told(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The word of a run, or of a chain, on a test."""

    state: str
    owed: bool
    fingerprint: str | None = None


class ChainRun(msgspec.Struct):
    """One run, as far as its chain needs it.

    ``complete``: it names every test that it was to run. ``whole``: it is a rerun, and nothing but what the chain did
    not owe was left out of what it collected. ``renamed``: by the old ids of tests the ids under which it ran them.
    ``mended``: owed files and the like of which it collected all tests. ``planned``: the tests of its plan; ``sources``
    tell of its shards.
    """

    id: str
    state: str
    since_ms: float
    rerun_of: tuple[str, ...]
    complete: bool
    whole: bool
    renamed: dict[str, str]
    tests: dict[str, Told]
    mended: list[str] = msgspec.field(default_factory=list)
    planned: set[str] = msgspec.field(default_factory=set)
    sources: list[SourceRow] = msgspec.field(default_factory=list)


class Owed(msgspec.Struct, rename="camel"):
    """The form of ``pytest_semantest/protocol/owed.py``."""

    runs: list[str]
    chain: list[str]
    missing: list[str]
    running: list[str]
    complete: bool
    state: str
    outstanding: int
    tests: dict[str, Told]
    aliases: dict[str, list[str]] = msgspec.field(default_factory=dict)
    schema: int = OWED_SCHEMA


def rerun_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The runs that a run with these facts reran."""
    named = facts.get("rerunOf")
    return tuple(name for name in named if isinstance(name, str)) if isinstance(named, list) else ()


def chain_run(run: RunRow, since_ms: float, sources: Sequence[SourceRow], results: Sequence[ResultRow]) -> ChainRun:
    """A run out of its rows."""
    tests = {row.test_id: Told(row.state, _is_owed(row), row.fingerprint) for row in results}
    choices = [found.selection for found in selections_of(sources)]
    mains = [row for row in sources if row.worker == MAIN_WORKER]
    planned = {row.test_id for row in results if row.position is not None}
    return ChainRun(
        id=run.id,
        state=run.state,
        since_ms=since_ms,
        rerun_of=rerun_of(run.facts),
        complete=len(mains) >= max([1, *(row.expected for row in sources)])
        and all(map(_names_its_tests, mains))
        and not _lacks_shards(sources, len(planned)),
        whole=bool(choices) and all(map(_left_nothing, choices)),
        renamed={old: new for choice in choices if choice.rerun is not None for old, new in choice.rerun.renamed},
        tests=tests,
        mended=[place for choice in choices if choice.rerun is not None for place in choice.rerun.mended],
        planned=planned,
        sources=list(sources),
    )


def _is_owed(row: ResultRow) -> bool:
    return (row.state in BAD_STATES and not row.forgiven) or row.state in _OPEN


def _names_its_tests(row: SourceRow) -> bool:
    """Whether all tests of a session are known by name: it came as far as its plan, and no gap hides a part of that."""
    if row.planned:
        return row.plan_known >= row.planned
    return row.state == "ended" and not row.interrupted and not row.gaps and row.exit_code in _NOTHING_TO_RUN


def _lacks_shards(sources: Sequence[SourceRow], planned: int) -> bool:
    """Whether tests of shards are missing; a shard that is alone owes nothing for the others."""
    shards = shards_of(sources, planned)
    many = len({row.session for row in sources if row.worker == MAIN_WORKER}) > 1
    return shards is not None and many and not shards.is_closed


def _left_nothing(choice: Selection) -> bool:
    """Whether a rerun looked at all tests."""
    left_out = choice.left_out
    return choice.rerun is not None and choice.rerun.whole and not left_out.shard and not left_out.budget


def chain_ids(named: Iterable[str], links: Mapping[str, Sequence[str]]) -> set[str]:
    """The ids of the runs in the chains of the named ones; ``links``: ``rerunOf`` of every run that is there."""
    roots = set(_reach(named, lambda run_id: links.get(run_id, ())))
    children: dict[str, list[str]] = {}
    for run_id, parents in links.items():
        for parent in parents:
            children.setdefault(parent, []).append(run_id)
    return set(_reach(roots, lambda run_id: children.get(run_id, ())))


def _reach(start: Iterable[str], following: Callable[[str], Iterable[str]]) -> Iterator[str]:
    seen = set(start)
    left = list(seen)
    while left:
        run_id = left.pop()
        yield run_id
        for other in following(run_id):
            if other not in seen:
                seen.add(other)
                left.append(other)


def owed_by(named: Sequence[str], runs: Mapping[str, ChainRun]) -> Owed:
    """What the named runs owe; ``runs``: all of their chains that are there.

    Of each run that reran nothing the reruns that come from it are taken into account, and a test is owed when it is by
    one of them: what two shards or two machines owe is not settled by a pass on one.
    """
    links = {run_id: run.rerun_of for run_id, run in runs.items()}
    ids = chain_ids(named, links)
    ancestors = set(_reach(named, lambda run_id: links.get(run_id, ())))
    roots = sorted(run_id for run_id in ancestors if run_id in runs and not links[run_id])
    order = _in_order(ids, runs)
    tests: dict[str, Told] = {}
    complete = bool(roots) and (_are_whole([runs[root] for root in roots]) or _has_whole_rerun(order))
    for root in roots:
        line = _in_order(chain_ids([root], links) & ids, runs)
        complete = complete and (line[0].complete or _has_whole_rerun(line))
        for test_id, told in _last_words(line).items():
            present = tests.get(test_id)
            if present is None or (told.owed and not present.owed):
                tests[test_id] = told
    running = [run.id for run in order if run.state in _OPEN]
    outstanding = sum(told.owed for told in tests.values())
    missing = sorted(ids - set(runs))
    green = not outstanding and complete and not missing and bool(order) and order[-1].state == "passed"
    return Owed(
        runs=list(dict.fromkeys(named)),
        chain=[run.id for run in order],
        missing=missing,
        running=running,
        complete=complete,
        state="running" if running else "passed" if green else "failed",
        outstanding=outstanding,
        tests=tests,
    )


def _in_order(ids: Iterable[str], runs: Mapping[str, ChainRun]) -> list[ChainRun]:
    """The runs in time, and each behind all that it reran, whatever their clocks said."""
    found = {run_id: runs[run_id] for run_id in ids if run_id in runs}
    waits = {run_id: sum(parent in found for parent in set(run.rerun_of)) for run_id, run in found.items()}
    ready = [(run.since_ms, run.id) for run in found.values() if not waits[run.id]]
    heapq.heapify(ready)
    order: list[ChainRun] = []
    while ready:
        run = found.pop(heapq.heappop(ready)[1])
        order.append(run)
        for child in found.values():
            if run.id in child.rerun_of:
                waits[child.id] -= 1
                if not waits[child.id]:
                    heapq.heappush(ready, (child.since_ms, child.id))
    return order + sorted(found.values(), key=lambda run: (run.since_ms, run.id))  # circles, which nobody can record


def _are_whole(roots: Sequence[ChainRun]) -> bool:
    """Whether runs that are shards, each for itself, are all of them and have every test."""
    sources = [row for run in roots for row in run.sources]
    return not _lacks_shards(sources, len(set().union(*(run.planned for run in roots))))


def _has_whole_rerun(line: Iterable[ChainRun]) -> bool:
    """Whether a rerun looked at all tests: then those that it did not run are known."""
    return any(run.complete and run.whole for run in line if run.rerun_of)


def _last_words(line: Sequence[ChainRun]) -> dict[str, Told]:
    """The state of each test after a run and its reruns: the last of them that has the test decides."""
    words: dict[str, Told] = {}
    for run in line:
        for old, new in run.renamed.items():
            if new in run.tests:
                words.pop(old, None)
        for place in run.mended:
            words.pop(place, None)
        words |= run.tests
    return words
