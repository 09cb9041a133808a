"""What the sessions of a run selected, and whether the shards of a run are all there (pure).

``sources.selection`` holds what a source told of itself (``run/selection``), as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from pytest_semantest.protocol.identity import MAIN_WORKER
from semantest_recorder.core.payloads import Count, Milliseconds, Number, Payload
from semantest_recorder.core.rows import SourceRow

_Word = Annotated[str, msgspec.Meta(max_length=100)]
_RunId = Annotated[str, msgspec.Meta(max_length=200)]
#: More shards of a run are not named one by one.
_SHARDS_MAX: Final = 10_000


class ShardPlace(Payload, omit_defaults=True):
    """Shard ``index`` (from 1) of ``of``."""

    index: Number
    of: Annotated[int, msgspec.Meta(ge=1, le=_SHARDS_MAX)]


class BudgetPlan(Payload, omit_defaults=True):
    """The time there was, and what the tests that ran within it were expected to take on so many workers.

    ``always`` counts those that run whatever the budget is.
    """

    limit_ms: Milliseconds
    expected_ms: Milliseconds
    workers: Number = 1
    always: Count = 0


class SnapshotFacts(Payload, omit_defaults=True):
    """Which snapshot of earlier runs it went by."""

    checksum: _Word
    runs: Count = 0
    until_ms: Milliseconds | None = None


class RepeatPlan(Payload, omit_defaults=True):
    """How often ``tests`` of them, which had not passed in any earlier run, were to run."""

    times: Number
    tests: Count = 0


class LeftOut(Payload, omit_defaults=True):
    """How many of the collected tests did not run, and why."""

    shard: Count = 0
    budget: Count = 0
    rerun: Count = 0


class RerunFacts(Payload, omit_defaults=True):
    """What a session ran of what earlier runs owe; ``of``: their ids. docs/design/rerun.md tells of the numbers.

    ``owed`` and ``known``: tests that their chain owed and named before, ``chosen`` those of this session that ran for
    it. ``gone`` of the owed ones were not collected. ``whole``: the command line named no tests, and nobody else left
    any out. ``renamed``: pairs of an owed test's old and new id. ``mended``: files and the like whose collection had
    failed, and which it collected whole.
    """

    of: tuple[_RunId, ...]
    owed: Count = 0
    known: Count = 0
    chosen: Count = 0
    gone: Count = 0
    whole: bool = False
    renamed: tuple[tuple[str, str], ...] = ()
    mended: tuple[str, ...] = ()


class Selection(Payload, omit_defaults=True):
    """``run/selection``. ``checksum``: of the ids of all collected tests, in whatever order."""

    collected: Count
    checksum: _Word | None = None
    order: _Word | None = None
    shard: ShardPlace | None = None
    budget: BudgetPlan | None = None
    snapshot: SnapshotFacts | None = None
    rerun: RerunFacts | None = None
    repeat: RepeatPlan | None = None
    left_out: LeftOut = msgspec.field(default_factory=LeftOut)


class SessionSelection(msgspec.Struct):
    """What one session selected; ``planned``: how many tests were left."""

    session: str
    selection: Selection
    planned: int


class Shards(msgspec.Struct):
    """The shards of a run: of how many, which came, which did not.

    ``alike``: all of them collected the same tests and count the same number of shards. ``lost`` is then how many tests
    are in no shard although all came, and ``doubled`` how often a test is in one more than needed.
    """

    of: int
    seen: list[int]
    missing: list[int]
    alike: bool
    lost: int
    doubled: int

    @property
    def is_closed(self) -> bool:
        """Whether the shards that came are all, and every test is in one of them."""
        return not self.missing and self.alike and not self.lost


def selections_of(sources: Iterable[SourceRow]) -> list[SessionSelection]:
    """One for each session that selected, in the order of their names; xdist's workers all tell the same."""
    told: dict[str, str] = {}
    planned: dict[str, int] = {}
    for row in sorted(sources, key=lambda row: row.source):
        if row.selection is not None:
            told.setdefault(row.session, row.selection)
        if row.worker == MAIN_WORKER:
            planned[row.session] = row.planned
    return [
        SessionSelection(session, msgspec.json.decode(text, type=Selection), planned.get(session, 0))
        for session, text in sorted(told.items())
    ]


def left_out_of(sources: Iterable[SourceRow]) -> int:
    """How many tests budgets left out."""
    return sum(found.selection.left_out.budget for found in selections_of(sources))


def shards_of(sources: Iterable[SourceRow], planned: int) -> Shards | None:
    """The shards of a run with so many different planned tests; ``None`` when a session of it is no shard."""
    rows = list(sources)
    found = selections_of(rows)
    places = [one.selection.shard for one in found]
    sessions = {row.session for row in rows if row.worker == MAIN_WORKER}
    if not found or None in places or sessions != {one.session for one in found}:
        return None
    seen = {place.index for place in places if place is not None}
    of = max(place.of for place in places if place is not None)
    missing = [index for index in range(1, of + 1) if index not in seen]
    alike = len({(one.selection.checksum, place.of) for one, place in zip(found, places, strict=True) if place}) == 1
    wanted = found[0].selection.collected - sum(_left_out_by_shard(found).values())
    return Shards(
        of=of,
        seen=sorted(seen),
        missing=missing,
        alike=alike,
        lost=max(wanted - planned, 0) if alike and not missing else 0,
        doubled=max(sum(one.planned for one in found) - planned, 0),
    )


def _left_out_by_shard(found: Iterable[SessionSelection]) -> dict[int, int]:
    """How many tests of each shard no session ran, at most: one that ran again under another budget may run more."""
    fewest: dict[int, int] = {}
    for one in found:
        place, number = one.selection.shard, one.selection.left_out.budget + one.selection.left_out.rerun
        if place is not None:
            fewest[place.index] = min(number, fewest.get(place.index, number))
    return fewest
