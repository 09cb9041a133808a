"""Which runs are deleted to keep a history within bounds (pure).

Invariants: the newest run of a group and a run that is still recorded are never deleted; a run stays only if every
policy that was given lets it stay; of two runs of a group that may be deleted the newer one is never deleted while the
older one stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

#: A run whose end never came counts as over when nothing has been heard of it for so long: 7 days.
SILENT_MS = 7 * 86_400_000.0


class StoredRun(msgspec.Struct, frozen=True, rename="camel"):
    """A run as the choice sees it.

    ``group``: what it has in common with runs that are counted together; ``heard_ms``: when the last of it came, in
    milliseconds since the epoch; ``bytes``: its share of the database.
    """

    id: str
    name: str | None
    state: str
    group: str
    started_ms: float | None
    ended_ms: float | None
    heard_ms: float
    bytes: int

    @property
    def since_ms(self) -> float:
        """By which runs are ordered in time: none started after it was heard of, whatever its clock said."""
        return self.heard_ms if self.started_ms is None else min(self.started_ms, self.heard_ms)


class Policy(msgspec.Struct, frozen=True, rename="camel"):
    """What may stay; ``None`` sets no bound.

    Runs that started in the last ``older_than_ms``, the newest ``keep`` of each group, and of these the newest of each
    group that together have no more than ``max_bytes``.
    """

    older_than_ms: float | None = None
    keep: int | None = None
    max_bytes: int | None = None


def is_active(ended_ms: float | None, heard_ms: float, now_ms: float) -> bool:
    """Whether more of a run may come: its end is not known, and something came in the last 7 days."""
    return ended_ms is None and now_ms - heard_ms < SILENT_MS


def runs_to_delete(runs: Sequence[StoredRun], policy: Policy, now_ms: float) -> list[StoredRun]:
    """The runs that ``policy`` does not let stay, oldest first.

    Runs that always stay count: as newest ones of their group, and with their bytes before all others of it.
    """
    newest_first = sorted(runs, key=lambda run: (run.since_ms, run.id), reverse=True)
    always = _always_kept(newest_first, now_ms)
    rooms = _rooms(runs, policy, always)
    counts: dict[str, int] = {}
    deleted = []
    for run in newest_first:
        counts[run.group] = counts.get(run.group, 0) + 1
        if run.id in always:
            continue
        stays = _is_recent(run, policy, now_ms) and (policy.keep is None or counts[run.group] <= policy.keep)
        if stays and rooms is not None:
            left = rooms[run.group] - run.bytes
            stays = left >= 0
            rooms[run.group] = left if stays else -1  # what does not fit ends it: no older run stays in its place
        if not stays:
            deleted.append(run)
    return deleted[::-1]


def _rooms(runs: Sequence[StoredRun], policy: Policy, always: set[str]) -> dict[str, int] | None:
    """What is left of each group's bytes beside the runs that always stay; ``None`` when there is no bound."""
    if policy.max_bytes is None:
        return None
    rooms = {run.group: policy.max_bytes for run in runs}
    for run in runs:
        if run.id in always:
            rooms[run.group] -= run.bytes
    return rooms


def _always_kept(newest_first: Sequence[StoredRun], now_ms: float) -> set[str]:
    kept = {run.id for run in newest_first if is_active(run.ended_ms, run.heard_ms, now_ms)}
    groups: set[str] = set()
    for run in newest_first:
        if run.group not in groups:
            groups.add(run.group)
            kept.add(run.id)
    return kept


def _is_recent(run: StoredRun, policy: Policy, now_ms: float) -> bool:
    return policy.older_than_ms is None or now_ms - run.since_ms <= policy.older_than_ms
